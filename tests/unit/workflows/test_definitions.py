"""Runs stay on the definition that they began with; a failed one goes on with a newer one if asked; what is kept goes with the run."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from pydantic import BaseModel

from shared.jobs import FinalError, JobContext, Status, job
from shared.jobs.testing import MemoryApp
from shared.workflows import DefinitionChangedError, Flow, Graph, Run, hours, workflow
from shared.workflows.conductor import Conductor
from shared.workflows.declare import graph_workflow
from shared.workflows.definitions import Definitions
from shared.workflows.helpers import GraphRun
from shared.workflows.kind import Workflow
from shared.workflows.record import name_of


class Said(BaseModel):
    text: str = ""


BROKEN = {"b"}


@job("say")
async def say(payload: Said, job: JobContext) -> str:
    if payload.text in BROKEN:
        raise FinalError(payload.text)
    return payload.text


def version(number: int, *texts: str, earlier: tuple[Workflow[Any], ...] = ()) -> Workflow[Said]:
    """A workflow of a chain of steps, each of which says its name."""

    @workflow("talk", payload=Said, version=number, earlier=earlier)
    def talk(flow: Flow[Said]) -> None:
        before: Any = ()
        for text in texts:
            before = flow.step(text, say, partial(_saying, text), after=before)

    return talk


def _saying(text: str, run: Run[Said]) -> Said:
    return Said(text=text)


def deployed(app: MemoryApp, talk: Workflow[Said]) -> MemoryApp:
    """The same stores, under newer code."""
    newer = MemoryApp(talk)
    newer.clock, newer.blobs, newer.queues, newer.documents = app.clock, app.blobs, app.queues, app.documents
    newer.host.queues = app.queues
    newer._status = app._status
    newer.restart()
    return newer


@pytest.fixture(autouse=True)
def broken() -> None:
    BROKEN.clear()
    BROKEN.add("b")


async def test_a_run_goes_on_with_the_graph_that_it_began_with() -> None:
    first = version(1, "a", "b", "c")
    app = MemoryApp(first)
    run = await app.perform(first, Said())
    assert run.status is Status.FAILED
    newer = deployed(app, version(2, "a", "b", "d", earlier=(first,)))
    BROKEN.clear()
    await newer.engine.replays.one(str(run.dead_letter_id))
    run = await newer.ended(run)
    assert run.results == {"outcome": "completed", "steps": {"a": "completed", "b": "completed", "c": "completed"}}


async def test_a_run_whose_version_is_gone_says_so() -> None:
    first = version(1, "a", "b", "c")
    app = MemoryApp(first)
    run = await app.perform(first, Said())
    newer = deployed(app, version(2, "a", "b", "d"))
    BROKEN.clear()
    (failed,) = [each for each in await newer.submitted(say) if each.status is Status.FAILED]
    await newer.engine.replays.one(str(failed.dead_letter_id))
    await newer.recover()
    run = await newer.job(run)
    assert run.status is Status.FAILED
    blob = await newer.blobs.read(name_of(run.job_id))
    assert blob
    assert b"was begun on version 1 of talk, whose step 'c' this code does not have" in blob.data


async def test_a_failed_run_goes_on_with_a_newer_definition_if_asked() -> None:
    app = MemoryApp(version(1, "a", "b", "c"))
    run = await app.perform(version(1, "a", "b", "c"), Said())
    newer = deployed(app, version(2, "a", "d"))
    conductor = newer.engine.children.parent("talk")
    assert isinstance(conductor, Conductor)
    await conductor.renew(run)
    run = await newer.ended(run)
    assert run.results == {"outcome": "completed", "steps": {"a": "completed", "d": "completed"}}
    said = [each.payload for each in await newer.submitted(say)]
    assert said == [{"text": "a"}, {"text": "b"}, {"text": "d"}]


async def test_but_not_where_what_it_completed_is_another_thing_there() -> None:
    app = MemoryApp(version(1, "a", "b"))
    run = await app.perform(version(1, "a", "b"), Said())
    newer = deployed(app, version(2, "x", "a", "b"))
    conductor = newer.engine.children.parent("talk")
    assert isinstance(conductor, Conductor)
    with pytest.raises(DefinitionChangedError, match=r"not the same: a$"):
        await conductor.renew(run)
    assert (await newer.job(run)).status is Status.FAILED


async def test_a_graph_that_is_data_runs_as_one_in_code_does() -> None:
    kind = graph_workflow("pipeline", say)
    data = {"name": "talk", "nodes": [
        {"name": "first", "kind": "say", "payload": {"text": {"$": "payload.word"}}},
        {"name": "each", "kind": "say", "after": ["first"], "each": {"items": {"$": "value.more"}}, "payload": {"text": {"$": "item"}}},
        {"name": "last", "kind": "say", "after": ["each"], "payload": {"text": {"$": "each[1]"}},
         "when": {"op": "expression", "text": "first == 'go' and len(each) == 2"}},
        {"name": "never", "kind": "say", "after": ["each"], "when": {"op": "expression", "text": "states.first != 'completed'"}},
    ]}  # fmt: skip
    app = MemoryApp(kind)
    digest = await Definitions(app.blobs, app.engine.deps.kinds).keep(Graph.model_validate(data))
    run = await app.perform(kind, GraphRun(definition=digest, input={"word": "go", "more": ["x", "y"]}))
    assert run.status is Status.COMPLETED
    assert [each.results for each in await app.submitted(say)] == ["go", "x", "y", "y"]


async def test_what_belongs_to_a_run_is_kept_as_long_as_the_run_and_goes_with_it() -> None:
    BROKEN.clear()

    @workflow("slow", payload=Said)
    def slow(flow: Flow[Said]) -> None:
        flow.step("late", say, after=flow.sleep("rest", hours(24 * 29), after=flow.step("early", say)))

    app = MemoryApp(slow)
    run = await app.perform(slow, Said(text="x" * 3000))
    app.clock.advance(timedelta(days=10).total_seconds())
    await app.engine.purge()
    assert len(await app.submitted()) == 4  # the first step ended 39 days ago
    app.clock.advance(timedelta(days=21).total_seconds())
    for _ in range(3):
        await app.engine.purge()
    assert [name for name in app.blobs.names() if name.startswith("jobs/")] == []
    assert run.status is Status.COMPLETED
