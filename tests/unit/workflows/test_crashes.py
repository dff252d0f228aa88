"""Every storage call of a run goes wrong once, in each way that it can: the run ends as it would have, each step's outcome once."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from shared.jobs import FinalError, JobContext, Status, job
from shared.jobs.testing import Died, Faults, MemoryApp, crash_sweep
from shared.ports import StorageError
from shared.workflows import Flow, any_failed, hours, minutes, workflow
from shared.workflows.conductor import Conductor
from shared.workflows.record import Record, name_of


class Nothing(BaseModel):
    pass


class Number(BaseModel):
    number: int


class Numbers(BaseModel):
    numbers: list[int]


class Limits(BaseModel):
    """What of a scenario goes wrong by itself."""

    broken: bool = False


LIMITS = Limits()


@pytest.fixture(params=[7, pytest.param(1, marks=[pytest.mark.faults, pytest.mark.slow])])
def every(request: pytest.FixtureRequest) -> int:
    """Every seventh call as a matter of course, every single one in the long suite."""
    return int(request.param)


@job("count")
async def count(payload: Nothing, job: JobContext) -> dict[str, Any]:
    return {"items": [{"number": number} for number in range(3)], "padding": "-" * 2000}


@job("double")
async def double(payload: Number, job: JobContext) -> int:
    return payload.number * 2


@job("add")
async def add(payload: Numbers, job: JobContext) -> int:
    if LIMITS.broken:
        raise FinalError("broken")
    return sum(payload.numbers)


@job("last")
async def last(payload: Nothing, job: JobContext) -> None:
    pass


@workflow("sums", payload=Nothing)
def sums(flow: Flow[Nothing]) -> None:
    counted = flow.step("count", count)
    doubled = flow.each("double", double, over=counted, items=lambda r: r["items"], width=2)
    added = flow.step("add", add, lambda run: Numbers(numbers=run.result(doubled)), after=doubled)
    rested = flow.sleep("rest", minutes(5), after=added)
    flow.step("last", last, after=rested)
    flow.step("sorry", last, when=any_failed())


@workflow("approved", payload=Nothing)
def approved(flow: Flow[Nothing]) -> None:
    first = flow.step("count", count)
    came = flow.wait("approval", timeout=hours(1), after=first)
    flow.step("add", add, lambda run: Numbers(numbers=run.result(came)["numbers"]), after=came)


async def outcome(app: MemoryApp) -> object:
    """What became of each run and of each job of each step; that there is one job for each."""
    found: list[Any] = []
    for run in await app.submitted():
        if (run.child_key or "").startswith(":timer/"):
            continue  # whether it ends or is called off depends on who comes first
        if run.parent_id:
            found.append((run.child_key, run.status.value, len(str(run.results))))
            continue
        blob = await app.blobs.read(name_of(run.job_id))
        record = Record.model_validate_json(blob.data) if blob else None
        states = {name: step.state.value for name, step in record.steps.items()} if record else None
        found.append((run.kind, run.status.value, run.results, states, record and record.outcome))
    assert max(Counter(each[0] for each in found).values()) == 1
    return sorted(found, key=str)


async def test_start_advance_and_join(every: int) -> None:
    async def play(faults: Faults) -> object:
        app = MemoryApp(sums)
        ticket = await _submitted(app, sums, faults)
        with suppress(StorageError, Died):
            await app.drain(timedelta(hours=3))
        app.restart()
        await app.recover()
        assert (await app.job(ticket)).status is Status.COMPLETED
        return await outcome(app)

    report = await crash_sweep(play, every=every)
    report.check()
    assert report.calls > 60


async def _submitted(app: MemoryApp, flow: Any, faults: Faults) -> Any:
    """Taken in undisturbed: before there is a receipt, a job may be refused."""
    ticket = await app.submit(flow, Nothing())
    app.restart(faults)
    return ticket


@pytest.mark.parametrize("late", [False, True])
async def test_an_event(late: bool, every: int) -> None:
    async def play(faults: Faults) -> object:
        app = MemoryApp(approved)
        ticket = await _submitted(app, approved, faults)
        with suppress(StorageError, Died):
            if late:
                await app.drain()
            await _come(app, ticket)
            await app.drain(timedelta(hours=3))
        app.restart()
        await _come(app, ticket)  # who was not told that it was taken in says it again
        await app.recover()
        return await outcome(app)

    (await crash_sweep(play, every=every)).check()


async def _come(app: MemoryApp, ticket: Any) -> None:
    conductor = app.engine.children.parent("approved")
    assert isinstance(conductor, Conductor)
    run = await app.job(ticket)
    if not run.status.final:
        await conductor.come(run, "approval", {"numbers": [1, 2]})


async def test_a_failed_step_mended(every: int) -> None:
    async def play(faults: Faults) -> object:
        app = MemoryApp(sums)
        ticket = await app.submit(sums, Nothing())
        LIMITS.broken = True
        await app.recover()
        assert (await app.job(ticket)).status is Status.FAILED
        LIMITS.broken = False
        (failed,) = await app.submitted(add)
        app.restart(faults)
        with suppress(StorageError, Died):
            await app.engine.replays.one(str(failed.dead_letter_id))
            await app.drain(timedelta(hours=3))
        app.restart()
        await app.engine.replays.one(str(failed.dead_letter_id))
        await app.recover()
        return await outcome(app)

    (await crash_sweep(play, every=every)).check()


async def test_a_failing_run(every: int) -> None:
    async def play(faults: Faults) -> object:
        LIMITS.broken = True
        app = MemoryApp(sums)
        await _submitted(app, sums, faults)
        with suppress(StorageError, Died):
            await app.drain(timedelta(hours=3))
        app.restart()
        await app.recover()
        LIMITS.broken = False
        return await outcome(app)

    (await crash_sweep(play, every=every)).check()


async def test_cancelling(every: int) -> None:
    async def play(faults: Faults) -> object:
        app = MemoryApp(sums)
        ticket = await app.submit(sums, Nothing())
        await app.host.pump(_Once(app))
        app.restart(faults)
        with suppress(StorageError, Died):
            await app.engine.cancel(ticket.job.job_id)
            await app.drain()
        app.restart()
        if not (run := await app.job(ticket)).cancel_requested and not run.status.final:
            await app.engine.cancel(ticket.job.job_id)
        await app.recover()
        record = await record_of(app, ticket)
        return (await app.job(ticket)).status, record.outcome, {each.status.final for each in await app.submitted()}

    (await crash_sweep(play, every=every)).check()


async def record_of(app: MemoryApp, ticket: Any) -> Record:
    blob = await app.blobs.read(name_of(ticket.job.job_id))
    assert blob
    return Record.model_validate_json(blob.data)


class _Once:
    """A worker that takes the run's first message, and no other."""

    def __init__(self, app: MemoryApp) -> None:
        self._app = app
        self._taken = False

    async def process(self, delivery: Any) -> str:
        if self._taken:
            raise StorageError("not now")
        self._taken = True
        return await self._app.process(delivery)

    async def record_or_put_back(self, delivery: Any) -> str:
        return await self._app.record_or_put_back(delivery)
