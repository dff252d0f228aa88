"""Graphs: what is refused, and that code and data make the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from shared.jobs import JobContext, Priority, job
from shared.workflows import (
    Flow,
    Graph,
    GraphError,
    Run,
    Step,
    any_failed,
    at_least,
    check,
    days,
    holds,
    minutes,
    succeeded,
    workflow,
)


class Site(BaseModel):
    topics: list[str]


class Collect(BaseModel):
    topics: list[str]


class Item(BaseModel):
    url: str


class Build(BaseModel):
    items: list[dict[str, Any]]
    title: str = ""


class Nothing(BaseModel):
    pass


@job("collect")
async def collect(payload: Collect, job: JobContext) -> dict[str, Any]:
    return {"items": [{"url": topic} for topic in payload.topics]}


@job("enrich")
async def enrich(payload: Item, job: JobContext) -> dict[str, Any]:
    return {"url": payload.url}


@job("build")
async def build(payload: Build, job: JobContext) -> int:
    return len(payload.items)


@job("tell")
async def tell(payload: Nothing, job: JobContext) -> None:
    pass


@workflow("publish", payload=Site, version=3)
def publish(flow: Flow[Site]) -> None:
    collected = flow.step("collect", collect, lambda run: Collect(topics=run.payload.topics))
    enriched = flow.each(
        "enrich", enrich, over=collected, items=lambda r: r["items"], width=8, on_failure=at_least(0.8)
    )
    built = flow.step("build", build, lambda run: Build(items=run.result(enriched)), after=[enriched])
    flow.step("tell", tell, after=[built], when=succeeded(built), priority=Priority.LOW, delay=minutes(5))
    flow.step("apologise", tell, when=any_failed())


PAYLOADS = {kind.name: kind.payload for kind in (collect, enrich, build, tell)}


def refused(function: Callable[[Flow[Site]], None]) -> str:
    with pytest.raises(GraphError) as caught:
        workflow("broken", payload=Site)(function)
    return str(caught.value)


def test_the_graph_is_what_the_function_says() -> None:
    graph = publish.graph
    assert [(node.name, node.sort, node.kind) for node in graph.nodes] == [
        ("collect", "job", "collect"), ("enrich", "each", "enrich"), ("build", "job", "build"),
        ("tell", "job", "tell"), ("apologise", "job", "tell"),
    ]  # fmt: skip
    assert graph.ancestors["tell"] == {"collect", "enrich", "build"}
    assert graph.by_name["apologise"].needs == {"collect", "enrich", "build", "tell"}
    assert graph.descendants["enrich"] == {"build", "tell", "apologise"}
    assert graph.by_name["tell"].delay_seconds == 300


def test_a_graph_is_known_by_what_is_in_it() -> None:
    again = Graph.model_validate_json(publish.graph.to_json())
    assert again == publish.graph
    assert again.hash == publish.graph.hash
    assert again.model_copy(update={"version": 4}).hash != publish.graph.hash


def test_the_same_graph_can_be_written_as_data() -> None:
    data = {
        "name": "publish", "version": 3,
        "nodes": [
            {"name": "collect", "kind": "collect", "payload": {"topics": {"$": "payload.topics"}}},
            {
                "name": "enrich", "kind": "enrich", "each": {"over": "collect", "items": {"$": "value.items"}, "width": 8},
                "on_failure": {"share": 0.8},
            },
            {"name": "build", "kind": "build", "after": ["enrich"], "payload": {"items": {"$": "enrich"}}},
            {"name": "tell", "kind": "tell", "when": {"op": "expression", "text": "len(build) > 0"}, "after": ["build"]},
        ],
    }  # fmt: skip
    graph = Graph.model_validate(data)
    check(graph, PAYLOADS)
    assert graph.ancestors["build"] == {"collect", "enrich"}


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ([], "it has no steps"),
        ([{"name": "a", "kind": "tell"}, {"name": "a", "kind": "tell"}], "two steps have this name"),
        ([{"name": "a", "kind": "tell", "after": ["b"]}, {"name": "b", "kind": "tell", "after": ["a"]}], "a -> b -> a"),
        ([{"name": "a", "kind": "tell", "after": ["a"]}], "it waits for itself: a -> a"),
        ([{"name": "first", "kind": "tell"}, {"name": "b", "kind": "tell", "after": ["frist"]}], "mean 'first'"),
        ([{"name": "a", "kind": "tall"}], "no kind of job 'tall'; did you mean 'tell'?"),
        ([{"name": "a"}], "a job of a kind, or waits, or sleeps"),
        ([{"name": "a", "kind": "tell", "sleep_seconds": 4}], "one of these"),
        ([{"name": "a", "kind": "tell", "on_failure": {"count": 3}}], "of the items of an `each`"),
        ([{"name": "a", "kind": "enrich"}], "the payload of its kind: url: Field required"),
        ([{"name": "a", "kind": "enrich", "payload": {"url": 3}}], "url: Input should be a valid string"),
        (
            [{"name": "a", "kind": "tell"}, {"name": "b", "kind": "enrich", "payload": {"url": {"$": "a.url"}}}],
            "it uses the result of 'a', which is not before it",
        ),
        ([{"name": "a", "kind": "enrich", "payload": {"url": {"$": "paylod.url"}}}], "did you mean 'payload'?"),
        ([{"name": "a", "kind": "enrich", "payload": {"url": {"$": "payload."}}}], "(at character 9)"),
        ([{"name": "payload", "kind": "tell"}], "stands for something else"),
        ([{"name": "a-b", "kind": "tell"}, {"name": "a_b", "kind": "tell"}], "expressions call another step a_b"),
    ],
)  # fmt: skip
def test_a_graph_that_cannot_work_is_refused(nodes: list[dict[str, Any]], said: str) -> None:
    graph = Graph.model_validate({"name": "broken", "nodes": nodes})
    with pytest.raises(GraphError) as caught:
        check(graph, PAYLOADS)
    assert said in str(caught.value)


def test_everything_that_is_wrong_is_said_at_once() -> None:
    nodes = [{"name": "a", "kind": "tall"}, {"name": "b", "kind": "enrich"}, {"name": "b", "kind": "tell"}]
    with pytest.raises(GraphError) as caught:
        check(Graph.model_validate({"name": "broken", "nodes": nodes}), PAYLOADS)
    assert {(each.step, each.field) for each in caught.value.problems} == {
        ("a", "kind"), ("b", "payload.url"), ("b", "name"),
    }  # fmt: skip


def test_code_may_not_use_what_is_not_before_it() -> None:
    def broken(flow: Flow[Site]) -> None:
        collected = flow.step("collect", collect, lambda run: Collect(topics=run.payload.topics))
        flow.step("build", build, lambda run: Build(items=run.result(collected)))

    assert "step 'build': it uses the result of 'collect', which is not before it" in refused(broken)


def test_a_payload_is_asked_for_where_its_kind_needs_one() -> None:
    def broken(flow: Flow[Site]) -> None:
        flow.step("collect", collect)

    assert "topics: Field required" in refused(broken)


def test_a_step_of_another_workflow_is_unknown() -> None:
    def broken(flow: Flow[Site]) -> None:
        flow.step("tell", tell, after=Step("elsewhere"))

    assert "there is no step 'elsewhere'" in refused(broken)


def test_waits_sleeps_and_compensations_are_steps() -> None:
    @workflow("order", payload=Nothing)
    def order(flow: Flow[Nothing]) -> None:
        booked = flow.step("book", tell)
        paid = flow.step("pay", tell, after=booked)
        approved = flow.wait("approval", timeout=days(10), after=paid)
        slept = flow.sleep("cool-off", timedelta(days=14), after=approved)
        flow.step("ship", tell, after=slept, when=holds("approval.granted"))
        flow.compensate(booked, tell)
        flow.compensate(paid, tell)

    nodes = order.graph.by_name
    assert nodes["approval"].wait is not None
    assert nodes["approval"].wait.timeout_seconds == 864_000
    assert nodes["cool-off"].sleep_seconds == 14 * 86_400
    assert nodes["undo-book"].compensates == "book"
    assert nodes["undo-book"].after == ("undo-pay",)
    assert "ship" in order.graph.ancestors["undo-pay"]


def test_types_hold() -> None:
    def typed(run: Run[Site]) -> Collect:
        return Collect(topics=run.payload.topics)

    @workflow("typed", payload=Site)
    def typed_flow(flow: Flow[Site]) -> None:
        flow.step("collect", collect, typed)
        flow.step("wrong", enrich, typed)  # type: ignore[arg-type]  # the payload of another kind
        flow.step("field", collect, lambda run: Collect(topics=run.payload.topcs))  # type: ignore[attr-defined]

    assert typed_flow.payload is Site
