"""The app in memory, as a test of somebody's handler uses it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from shared.jobs import JobContext, job
from shared.jobs.errors import JobNotFoundError
from shared.jobs.fanning import Child, fan_out
from shared.jobs.model import Status
from shared.jobs.testing import MemoryApp
from shared.settings import load


class Count(BaseModel):
    """How many."""

    n: int = 1


@job("steady")
async def steady(payload: Count, job: JobContext) -> dict[str, int]:
    await job.progress("halfway", 1, 2)
    return {"n": payload.n}


@job("flaky", max_attempts=3, base_backoff_seconds=60)
async def flaky(payload: Count, job: JobContext) -> int:
    """Fail so many times."""
    if job.attempt <= payload.n:
        raise OSError("not yet")
    return job.attempt


@job("many")
async def many(payload: Count, job: JobContext) -> Any:
    async def plan() -> Any:
        for n in range(payload.n):
            yield Child(f"{n}", "steady", {"n": n})

    return await fan_out(job, plan, width=2)


@job("asks", final=(LookupError,))
async def asks(payload: Count, job: JobContext) -> Any:
    """Read what a setting says, and write a document of its own."""
    await job.documents.create("things", {"id": "one", "pk": "one", "n": payload.n})
    return job.settings.queue_normal


async def test_a_job_is_performed() -> None:
    job = await MemoryApp(steady).perform(steady, Count(n=7))
    assert (job.status, job.results, job.attempt) == (Status.COMPLETED, {"n": 7}, 1)


async def test_nothing_runs_before_it_is_told_to() -> None:
    app = MemoryApp(steady)
    ticket = await app.submit(steady, Count())
    assert (await app.job(ticket)).status is Status.QUEUED
    assert await app.drain() == 1
    assert (await app.job(ticket)).status is Status.COMPLETED
    assert await app.drain() == 0


async def test_retries_take_no_time_but_the_clocks() -> None:
    app = MemoryApp(flaky)
    began = app.clock.now()
    job = await app.perform(flaky, Count(n=2))
    assert (job.status, job.results, job.failures) == (Status.COMPLETED, 3, 2)
    assert timedelta(0) < app.clock.now() - began <= timedelta(minutes=3)


async def test_a_job_that_gives_up_has_failed() -> None:
    app = MemoryApp(flaky)
    job = await app.perform(flaky, Count(n=9))
    assert job.status is Status.FAILED
    assert (job.error and job.error.type, job.attempt) == ("OSError", 3)
    assert await app.engine.vault.has(job.dead_letter_id or "")


async def test_the_clock_moves_as_far_as_it_is_told_to() -> None:
    app = MemoryApp(steady)
    later = app.clock.now() + timedelta(hours=2)
    ticket = await app.submit(steady, Count(), not_before=later)
    assert await app.drain(timedelta(hours=1)) == 0
    assert (await app.job(ticket)).status is Status.QUEUED
    assert app.clock.now() == later - timedelta(hours=1)
    assert await app.drain(timedelta(hours=1)) >= 1
    assert (await app.job(ticket)).status is Status.COMPLETED
    assert app.clock.now() == later


async def test_what_was_submitted_is_told_in_its_order() -> None:
    app = MemoryApp(many, steady)
    await app.submit(steady, Count(n=99))
    parent = await app.perform(many, Count(n=5))
    assert parent.results["completed"] == 5  # type: ignore[index,call-overload]
    assert [job.payload for job in await app.submitted(steady)] == [{"n": n} for n in (99, 0, 1, 2, 3, 4)]
    assert [job.kind for job in await app.submitted()] == ["steady", "many", *["steady"] * 5]
    assert await MemoryApp(steady).submitted() == []


async def test_storage_calls_are_counted_for_the_job_that_makes_them() -> None:
    app = MemoryApp(steady, asks, settings=load({"JOBS_QUEUE_NAME": "red"}))
    quiet = await app.submit(steady, Count())
    asking = await app.perform(asks, Count())
    assert asking.results == "red"
    assert "things.create" in app.called(asking)
    assert "things.create" not in app.called(quiet)
    assert app.calls(asking) == len(app.called(asking)) <= 8
    assert (await app.job(quiet)).status is Status.COMPLETED
    assert app.calls("nobody") == 0


async def test_looking_costs_a_job_nothing() -> None:
    app = MemoryApp(steady)
    ticket = await app.submit(steady, Count())
    before = app.calls(ticket)
    await app.job(ticket)
    await app.submitted()
    assert app.calls(ticket) == before == 3


async def test_two_apps_are_strangers_and_alike() -> None:
    first, second = MemoryApp(steady), MemoryApp(steady)
    job = await first.perform(steady, Count())
    with pytest.raises(JobNotFoundError):
        await second.job(job)
    assert (await second.perform(steady, Count())).job_id == job.job_id


async def test_a_job_that_never_ends_is_an_error_and_no_endless_loop() -> None:
    app = MemoryApp(steady)
    ticket = await app.submit(steady, Count())
    (message,) = await app.queues.receive("jobs")
    await app.queues.delete("jobs", message)
    with pytest.raises(AssertionError, match="never ends"):
        await app.ended(ticket)
    app.clock.advance(600)
    await app.recover()
    assert (await app.job(ticket)).status is Status.COMPLETED
