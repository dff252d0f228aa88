"""A parent whose children take long is told of their end: it holds no worker, and does not look meanwhile."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from shared.jobs import Child, FinalError, JobContext, Status, fan_out, job
from shared.jobs.testing import Died, Faults, MemoryApp, crash_sweep
from shared.ports import StorageError


class Long(BaseModel):
    seconds: float
    number: int = 0


class Many(BaseModel):
    seconds: float
    count: int = 3
    width: int = 1
    broken: bool = False


@job("long", timeout_seconds=280)
async def long(payload: Long, job: JobContext) -> dict[str, int]:
    await job.clock.sleep(payload.seconds)
    return {"number": payload.number}


@job("many", timeout_seconds=280)
async def many(payload: Many, job: JobContext) -> dict[str, Any]:
    async def plan() -> AsyncIterator[Child]:
        for number in range(payload.count):
            yield Child.of(str(number), long, Long(seconds=payload.seconds, number=number))

    if payload.broken and job.job.fan_out:
        raise FinalError("broken")
    return await fan_out(job, plan, width=payload.width)


@pytest.mark.parametrize("seconds", [5, 30, 90])
async def test_it_costs_little_beyond_the_work(seconds: float) -> None:
    app, calls = MemoryApp(many, long), Faults()
    app.restart(calls)
    begun = app.clock.now()
    parent = await app.perform(many, Many(seconds=seconds, count=4))
    assert parent.status is Status.COMPLETED
    beyond = (app.clock.now() - begun).total_seconds() - 4 * seconds
    names = Counter(calls.calls)
    each = (sum(names.values()) - names["jobs.put"] - names["kinds.read"]) / 4
    assert each <= 22, names
    assert beyond <= 16


async def test_quick_children_cost_no_more_for_it() -> None:
    app = MemoryApp(many, long)
    parent = await app.perform(many, Many(seconds=0, count=9, width=9))
    assert parent.status is Status.COMPLETED
    events = [entry.event for entry in parent.history]
    assert events.count("suspended") <= 1, events


@pytest.mark.parametrize("every", [5, pytest.param(1, marks=[pytest.mark.faults, pytest.mark.slow])])
async def test_no_crash_leaves_it_waiting(every: int) -> None:
    async def play(faults: Faults) -> object:
        app = MemoryApp(many, long)
        ticket = await app.submit(many, Many(seconds=40, count=3, width=2))
        app.restart(faults)
        with suppress(StorageError, Died):
            await app.drain(timedelta(minutes=20))
        app.restart()
        await app.recover()
        parent = await app.job(ticket)
        children = await app.submitted(long)
        return parent.status, parent.results, sorted(str(child.child_key) for child in children)

    (await crash_sweep(play, every=every)).check()


async def test_an_edited_replay_stops_what_the_old_plan_has_under_way() -> None:
    app = MemoryApp(many, long)
    ticket = await app.submit(many, Many(seconds=1, count=5, width=1, broken=True))
    await app.host.pump(app)
    parent = await app.ended(ticket)
    assert parent.status is Status.FAILED
    before = {child.job_id: child.status for child in await app.submitted(long)}
    await app.engine.replays.one(str(parent.dead_letter_id), payload={"seconds": 1, "count": 1})
    old = [await app.job(job_id) for job_id in before]
    assert all(child.status.final for child in old)
    parent = await app.ended(parent)
    assert (parent.status, parent.results["children"]) == (Status.COMPLETED, 1)  # type: ignore[index,call-overload]
