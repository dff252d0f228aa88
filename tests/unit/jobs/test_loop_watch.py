"""A handler that blocks the event loop: its neighbours keep their leases, and it is named, counted and given up."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from shared.jobs import JobContext, job
from shared.jobs.decide import decide
from shared.jobs.dependencies import Dependencies, Timing
from shared.jobs.engine import Engine
from shared.jobs.envelope import Delivery
from shared.jobs.kinds import Kind, Queues, Registry
from shared.jobs.model import Job, Status
from shared.jobs.observe import NullObserver
from shared.jobs.testing import MemoryBlobs, MemoryDocuments, MemoryQueues
from shared.jobs.ticket import Ticket


class Nothing(BaseModel):
    """No payload."""


class RealClock:
    """The time as it is."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Opened(MemoryBlobs):
    """Blobs that a thread opens and closes."""

    def __init__(self, inner: MemoryBlobs) -> None:
        self.__dict__ = inner.__dict__

    async def close(self) -> None:
        """Nothing to close."""


class Counting(NullObserver):
    def __init__(self) -> None:
        self.events: Counter[str] = Counter()

    def happened(self, event: str, count: int = 1) -> None:
        self.events[event] += count


class Pair:
    """Two processes over one storage."""

    def __init__(self, *kinds: Kind[Any], lease: float = 1.0) -> None:
        clock = RealClock()
        self.blobs, self.queues = MemoryBlobs(clock), MemoryQueues(clock)
        self.counted = Counting()
        documents, registry = MemoryDocuments(clock), Registry(kinds, Queues())
        timing = Timing(lease=timedelta(seconds=lease))
        self.one, self.other = (
            Engine(
                Dependencies(
                    self.blobs, self.queues, documents, clock, registry, timing=timing,
                    observer=self.counted, open_blobs=lambda: Opened(self.blobs),
                )
            )
            for _ in range(2)
        )  # fmt: skip

    async def delivery(self, kind: Kind[Any]) -> tuple[Ticket, Delivery]:
        ticket = await self.one.submit(kind, Nothing())
        (message,) = await self.queues.receive("jobs")
        await self.queues.delete("jobs", message)
        return ticket, Delivery("jobs", message.message_id, message.text.encode(), message.inserted_at)

    async def job(self, ticket: Ticket) -> Job:
        return (await self.other.get(ticket.job.job_id)).value


async def test_neighbours_of_a_handler_that_blocks_keep_their_leases(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    blocked, said = threading.Event(), []

    @job("block", max_attempts=1)
    async def block(payload: Nothing, job: JobContext) -> int:
        await asyncio.sleep(0.1)
        blocked.set()
        time.sleep(4)  # noqa: ASYNC251 - what this is about
        return 1

    @job("innocent", max_attempts=1)
    async def innocent(payload: Nothing, job: JobContext) -> int:
        await asyncio.sleep(0.2)
        return job.attempt

    pair = Pair(block, innocent)
    ticket, delivery = await pair.delivery(innocent)
    blocker, other = await pair.delivery(block)

    def intrude() -> None:
        blocked.wait()
        time.sleep(3)  # three leases
        again = Delivery("jobs", "another", delivery.body, delivery.inserted_at)
        said.append(asyncio.run(pair.other.process(again)))

    intruder = threading.Thread(target=intrude)
    intruder.start()
    assert set(await asyncio.gather(pair.one.process(delivery), pair.one.process(other))) == {"completed"}
    await asyncio.to_thread(intruder.join)
    assert said == ["put back"]
    for each in (ticket, blocker):
        done = await pair.job(each)
        assert (done.status, done.attempt, done.stalls) == (Status.COMPLETED, 1, 0)
    (line,) = [record.getMessage() for record in caplog.records if "loop is blocked" in record.getMessage()]
    assert f"job={blocker.job.job_id}" in line
    assert "tests/unit/jobs/test_loop_watch.py:" in line
    assert line.endswith(" block")
    assert pair.counted.events["loop_blocked"] == 1
    assert pair.counted.events["loop_blocked_seconds"] in (2, 3, 4, 5)


async def test_the_loop_gives_one_sign_of_life_at_a_time_however_often_it_falls_idle() -> None:
    @job("short")
    async def short(payload: Nothing, job: JobContext) -> None:
        await asyncio.sleep(0)

    pair, loop = Pair(short), asyncio.get_running_loop()
    real, turns = loop.call_later, []

    def call_later(delay: float, callback: Callable[..., object], *args: object) -> asyncio.TimerHandle:
        handle = real(delay, callback, *args)
        if getattr(callback, "__name__", "") == "_turn":
            turns.append(handle)
        return handle

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "call_later", call_later)
        for _ in range(5):
            _, delivery = await pair.delivery(short)
            assert await pair.one.process(delivery) == "completed"
    assert len(turns) == 5
    assert all(each.cancelled() for each in turns)


async def test_a_handler_that_blocks_beyond_its_time_is_given_up_after_two_attempts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shared.jobs.loop_watch._OVERTIME", 0.2)
    runs = []

    @job("block", max_attempts=5, base_backoff_seconds=0, timeout_seconds=0.3)
    async def block(payload: Nothing, job: JobContext) -> None:
        runs.append(job.attempt)
        await asyncio.sleep(0)
        time.sleep(4)  # noqa: ASYNC251 - what this is about
        await asyncio.sleep(1)

    pair = Pair(block)
    ticket, delivery = await pair.delivery(block)
    assert await pair.one.process(delivery) == "retrying"
    assert (await pair.job(ticket)).overruns == 1
    again = Delivery("jobs", "another", delivery.body, delivery.inserted_at)
    assert await pair.one.process(again) == "gave up"
    assert runs == [1, 2]
    done = await pair.job(ticket)
    assert (done.status, done.overruns) == (Status.FAILED, 2)
    assert done.error is not None
    assert done.error.message == "ran over 0.3 s"


def test_a_job_whose_process_died_of_it_twice_is_claimed_no_more() -> None:
    now = datetime(2026, 1, 5, 12, tzinfo=UTC)
    overran = Job(
        job_id="j", kind="k", status=Status.RUNNING, version=3, created_at=now, updated_at=now, due_at=now, attempt=2,
        overruns=2,
    )  # fmt: skip
    decision = decide(
        overran, Delivery("q", "m", b""), dead_letter=None, sent_at=now, written_at=now, max_stalls=4,
        now=now + timedelta(minutes=1),
    )  # fmt: skip
    assert type(decision).__name__ == "GiveUpStalled"
