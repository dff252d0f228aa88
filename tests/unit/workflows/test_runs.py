"""Runs, in memory: sequence, fan-out, joins, conditions, failures and going on after them, events, sleeps, cancelling."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from shared.jobs import FinalError, Job, JobContext, Priority, Status, job
from shared.jobs.dead_letters.vault import Filter
from shared.jobs.testing import MemoryApp
from shared.workflows import Flow, any_failed, at_least, days, hours, succeeded, workflow
from shared.workflows.conductor import Conductor
from shared.workflows.record import Record, State, name_of


class Site(BaseModel):
    topics: list[str]


class Topics(BaseModel):
    topics: list[str]


class Item(BaseModel):
    url: str


class Items(BaseModel):
    items: list[dict[str, Any]]


class Nothing(BaseModel):
    pass


BROKEN: set[str] = set()
"""What fails at present."""
DONE: list[str] = []


@pytest.fixture(autouse=True)
def fresh() -> None:
    BROKEN.clear()
    DONE.clear()


def work(name: str) -> None:
    if name in BROKEN:
        raise FinalError(f"{name} is broken")
    DONE.append(name)


@job("collect")
async def collect(payload: Topics, job: JobContext) -> dict[str, Any]:
    work("collect")
    return {"items": [{"url": topic} for topic in payload.topics]}


@job("enrich")
async def enrich(payload: Item, job: JobContext) -> dict[str, Any]:
    work(payload.url)
    return {"url": payload.url, "rich": True}


@job("build")
async def build(payload: Items, job: JobContext) -> dict[str, Any]:
    work("build")
    return {"pages": len(payload.items), "urls": [item["url"] for item in payload.items]}


@job("tell")
async def tell(payload: Nothing, job: JobContext) -> str:
    work("tell")
    return "told"


@job("apologise")
async def apologise(payload: Nothing, job: JobContext) -> None:
    work("apologise")


@workflow("publish", payload=Site)
def publish(flow: Flow[Site]) -> None:
    collected = flow.step("collect", collect, lambda run: Topics(topics=run.payload.topics))
    enriched = flow.each(
        "enrich", enrich, over=collected, items=lambda r: r["items"], width=2, on_failure=at_least(0.5)
    )
    built = flow.step("build", build, lambda run: Items(items=run.result(enriched)), after=[enriched])
    flow.step("tell", tell, after=[built], when=succeeded(built))
    flow.step("apologise", apologise, when=any_failed())


async def record_of(app: MemoryApp, run: Job | str) -> Record:
    blob = await app.blobs.read(name_of(run if isinstance(run, str) else run.job_id))
    assert blob
    return Record.model_validate_json(blob.data)


async def states(app: MemoryApp, run: Job | str) -> dict[str, str]:
    return {name: step.state.value for name, step in (await record_of(app, run)).steps.items()}


async def test_a_run_goes_through_its_steps() -> None:
    app = MemoryApp(publish)
    run = await app.perform(publish, Site(topics=["a", "b", "c"]))
    assert run.status is Status.COMPLETED
    assert run.results == {
        "outcome": "completed",
        "steps": {
            "collect": "completed", "enrich": "completed", "build": "completed", "tell": "completed", "apologise": "skipped",
        },
    }  # fmt: skip
    assert DONE == ["collect", "a", "b", "c", "build", "tell"]
    (built,) = await app.submitted(build)
    assert built.results == {"pages": 3, "urls": ["a", "b", "c"]}
    record = await record_of(app, run)
    assert record.steps["apologise"].reason == "its condition does not hold: any failed (collect, enrich, build, tell)"


async def test_items_that_fail_are_tolerated_as_far_as_is_said() -> None:
    BROKEN.add("b")
    app = MemoryApp(publish)
    run = await app.perform(publish, Site(topics=["a", "b", "c"]))
    assert run.status is Status.COMPLETED
    assert isinstance(run.results, dict)
    assert run.results["outcome"] == "completed with failures"
    (built,) = await app.submitted(build)
    assert built.results == {"pages": 2, "urls": ["a", "c"]}


async def test_a_failed_step_is_mended_and_the_run_goes_on_from_there() -> None:
    BROKEN.add("build")
    app = MemoryApp(publish)
    run = await app.perform(publish, Site(topics=["a", "b"]))
    assert run.status is Status.FAILED
    assert run.error
    assert run.error.message == "step build failed: FinalError: build is broken"
    assert (await record_of(app, run)).steps["tell"].reason == "its condition does not hold: succeeded (build)"
    assert DONE == ["collect", "a", "b", "apologise"]
    (failed,) = await app.submitted(build)
    BROKEN.clear()
    await app.engine.replays.one(str(failed.dead_letter_id))
    assert (await states(app, run))["build"] == "running"
    assert (await app.job(run)).status is Status.QUEUED
    run = await app.ended(run)
    assert run.status is Status.COMPLETED
    assert DONE == ["collect", "a", "b", "apologise", "build", "tell"]
    letters, _ = await app.engine.vault.find(Filter(replayed=False), 10)
    assert letters == []


async def test_replaying_the_run_replays_whatever_failed_in_it() -> None:
    BROKEN.update(("a", "b", "c"))
    app = MemoryApp(publish)
    run = await app.perform(publish, Site(topics=["a", "b", "c", "d"]))
    assert run.status is Status.FAILED
    assert "step enrich failed: 3 of 4 items did not complete; the first: FinalError: a is broken" in str(run.error)
    BROKEN.remove("a")
    BROKEN.remove("c")
    await app.engine.replays.one(str(run.dead_letter_id))
    run = await app.ended(run)
    assert run.status is Status.COMPLETED
    assert run.results["outcome"] == "completed with failures"  # type: ignore[index,call-overload]
    (built,) = await app.submitted(build)
    assert built.results == {"pages": 3, "urls": ["a", "c", "d"]}


async def test_the_mended_step_may_fail_again() -> None:
    BROKEN.add("build")
    app = MemoryApp(publish)
    run = await app.perform(publish, Site(topics=["a"]))
    for _ in range(2):
        (failed,) = await app.submitted(build)
        await app.engine.replays.one(str(failed.dead_letter_id))
        await app.recover()
        assert (await app.job(run)).status is Status.FAILED
    BROKEN.clear()
    (failed,) = await app.submitted(build)
    await app.engine.replays.one(str(failed.dead_letter_id))
    assert (await app.ended(run)).status in (Status.COMPLETED, Status.FAILED)
    await app.recover()
    assert (await app.job(run)).status is Status.COMPLETED


async def test_a_payload_that_cannot_be_made_fails_its_step() -> None:
    @workflow("broken", payload=Nothing)
    def broken(flow: Flow[Nothing]) -> None:
        told = flow.step("tell", tell)
        flow.step("build", build, lambda run: Items(items=run.result(told)["none"]), after=told)
        flow.step("last", tell, after=told)

    app = MemoryApp(broken)
    run = await app.perform(broken, Nothing())
    assert run.status is Status.FAILED
    assert await states(app, run) == {"tell": "completed", "build": "failed", "last": "completed"}
    assert "TypeError" in str(run.error)


async def test_an_event_may_come_before_it_is_waited_for_and_the_first_one_counts() -> None:
    @workflow("order", payload=Nothing)
    def order(flow: Flow[Nothing]) -> None:
        first = flow.step("first", tell)
        approved = flow.wait("approval", timeout=days(10), after=first)
        flow.step("build", build, lambda run: Items(items=[run.result(approved)]), after=approved)

    app = MemoryApp(order)
    ticket = await app.submit(order, Nothing())
    conductor = app.engine.children.parent("order")
    assert isinstance(conductor, Conductor)
    await conductor.come(ticket.job, "approval", {"url": "yes"})
    await conductor.come(ticket.job, "approval", {"url": "no"})
    run = await app.ended(ticket)
    assert run.status is Status.COMPLETED
    (built,) = await app.submitted(build)
    assert built.results == {"pages": 1, "urls": ["yes"]}


async def test_a_wait_for_an_event_holds_no_worker_and_ends_in_time() -> None:
    @workflow("order", payload=Nothing)
    def order(flow: Flow[Nothing]) -> None:
        approved = flow.wait("approval", timeout=days(10))
        flow.step("tell", tell, after=approved)

    app = MemoryApp(order)
    ticket = await app.submit(order, Nothing())
    await app.drain(timedelta(hours=5))
    assert (await app.job(ticket)).suspended_at
    assert (await app.job(ticket)).attempt == 1
    begun = app.clock.now()
    run = await app.ended(ticket)
    assert run.status is Status.FAILED
    assert app.clock.now() - begun > timedelta(days=9)
    assert "no event 'approval' came in time" in str(run.error)
    BROKEN.clear()
    await app.engine.replays.one(str(run.dead_letter_id))
    await app.drain()
    conductor = app.engine.children.parent("order")
    assert isinstance(conductor, Conductor)
    await conductor.come(await app.job(run), "approval", {})
    assert (await app.ended(run)).status is Status.COMPLETED


async def test_a_sleep_is_as_long_as_it_likes() -> None:
    @workflow("slow", payload=Nothing)
    def slow(flow: Flow[Nothing]) -> None:
        slept = flow.sleep("rest", days(30))
        flow.step("tell", tell, after=slept, delay=hours(2))

    app = MemoryApp(slow)
    begun = app.clock.now()
    run = await app.perform(slow, Nothing())
    assert run.status is Status.COMPLETED
    assert timedelta(days=30, hours=2) <= app.clock.now() - begun < timedelta(days=30, hours=3)


async def test_a_run_is_cancelled_as_a_whole() -> None:
    @workflow("slow", payload=Nothing)
    def slow(flow: Flow[Nothing]) -> None:
        flow.each("enrich", enrich, items=lambda _: [{"url": str(n)} for n in range(9)], width=3, delay=hours(1))
        flow.step("tell", tell, after=flow.sleep("rest", hours(3)))

    app = MemoryApp(slow)
    ticket = await app.submit(slow, Nothing())
    await app.drain()
    assert len(await app.submitted(enrich)) == 3
    await app.engine.cancel(ticket.job.job_id)
    run = await app.ended(ticket)
    assert run.status is Status.CANCELLED
    await app.recover()
    assert {each.status for each in await app.submitted()} == {Status.CANCELLED}
    assert set((await states(app, run)).values()) == {"cancelled"}
    assert DONE == []


async def test_steps_have_policies_and_priorities_of_their_own() -> None:
    @workflow("special", payload=Nothing)
    def special(flow: Flow[Nothing]) -> None:
        flow.step("tell", tell, priority=Priority.HIGH, max_attempts=1, timeout_seconds=7)

    app = MemoryApp(special)
    await app.perform(special, Nothing())
    (told,) = await app.submitted(tell)
    assert told.priority is Priority.HIGH
    assert told.overrides == {"max_attempts": 1, "timeout_seconds": 7}


async def test_what_was_done_is_taken_back_where_the_run_fails() -> None:
    @workflow("trip", payload=Nothing)
    def trip(flow: Flow[Nothing]) -> None:
        flight = flow.step("flight", tell)
        hotel = flow.step("hotel", enrich, lambda run: Item(url="hotel"), after=flight)
        flow.step("car", build, lambda run: Items(items=[]), after=hotel)
        flow.compensate(flight, enrich, lambda run: Item(url=f"no flight after {run.result(flight)}"))
        flow.compensate(hotel, enrich, lambda run: Item(url="no hotel"))

    app = MemoryApp(trip)
    assert (await app.perform(trip, Nothing())).status is Status.COMPLETED
    assert DONE == ["tell", "hotel", "build"]
    BROKEN.add("build")
    DONE.clear()
    run = await app.perform(trip, Nothing())
    assert run.status is Status.FAILED
    assert DONE == ["tell", "hotel", "no hotel", "no flight after told"]
    assert (await states(app, run))["car"] == State.FAILED
    BROKEN.clear()
    failed = [each for each in await app.submitted(build) if each.status is Status.FAILED]
    await app.engine.replays.one(str(failed[0].dead_letter_id))
    await app.recover()
    assert (await app.job(run)).status is Status.FAILED
    assert (await states(app, run))["car"] == State.FAILED


async def test_an_edited_run_stops_what_the_old_one_has_under_way_and_begins_anew() -> None:
    @workflow("slow", payload=Site)
    def slow(flow: Flow[Site]) -> None:
        flow.each("enrich", enrich, items=lambda p: [{"url": each} for each in p.topics], delay=hours(1))
        flow.step("tell", tell)

    BROKEN.add("tell")
    app = MemoryApp(slow)
    ticket = await app.submit(slow, Site(topics=["a", "b"]))
    await app.drain()
    BROKEN.clear()
    await app.drain(timedelta(hours=2))
    run = await app.ended(ticket)
    assert run.status is Status.FAILED
    await app.engine.replays.one(str(run.dead_letter_id), payload={"topics": ["c"]})
    run = await app.ended(run)
    assert run.status is Status.COMPLETED
    assert DONE == ["a", "b", "tell", "c"]
