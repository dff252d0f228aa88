"""Jobs whose worker died together come back apart, and only the one that kills its workers gives up."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from pydantic import BaseModel

from shared.jobs import JobContext, job
from shared.jobs.dead_letters.vault import Reason
from shared.jobs.envelope import Delivery
from shared.jobs.events import Claimed
from shared.jobs.machine import apply
from shared.jobs.model import Job, Status
from shared.jobs.neighbours import Neighbours
from shared.jobs.testing import Died, FakeClock, Faults, MemoryApp, Mode
from shared.jobs.testing.host import MESSAGE_LEASE
from shared.ports import StorageError

AT_ONCE = 16


class Nothing(BaseModel):
    """No payload."""


class Process:
    """One worker: runs up to sixteen messages at once, until one of its handlers kills it."""

    def __init__(self) -> None:
        self.died = asyncio.Event()

    async def wait(self, seconds: float) -> None:
        """Work for a while, or until the process dies."""
        try:
            async with asyncio.timeout(seconds):
                await self.died.wait()
        except TimeoutError:
            return
        raise Died


PROCESS: list[Process] = []


@job("innocent", max_attempts=1)
async def innocent(payload: Nothing, job: JobContext) -> int:
    await PROCESS[-1].wait(0.02)
    return job.attempt


@job("killer", max_attempts=1)
async def killer(payload: Nothing, job: JobContext) -> None:
    await PROCESS[-1].wait(0.005)
    PROCESS[-1].died.set()
    raise Died


async def live(app: MemoryApp) -> None:
    """Run what is due in a process that may die of it."""
    PROCESS.append(process := Process())
    app.restart(Faults(only=lambda _: process.died.is_set(), mode=Mode.DIE_BEFORE))
    taken = [(queue, app.queues.take(queue, each, MESSAGE_LEASE)) for queue, each in (await app.queues.due())[:AT_ONCE]]

    async def run(queue: str, message: Any) -> None:
        body = message.text.encode()
        if queue.endswith("-poison"):
            await app.record_or_put_back(Delivery(queue, "", body))
        else:
            await app.process(Delivery(queue, message.message_id, body, message.inserted_at, message.dequeue_count))
        await app.queues.delete(queue, message)

    await asyncio.gather(*(run(*each) for each in taken), return_exceptions=True)
    app.restart()  # what submits and sweeps is another process


async def test_only_the_killer_gives_up() -> None:
    app = MemoryApp(innocent, killer)
    tickets = [await app.submit(innocent, Nothing()) for _ in range(6)]
    guilty = await app.submit(killer, Nothing())
    for number in range(200):
        await live(app)
        app.clock.advance(10)
        if number % 30 == 29:
            await app.sweep()
        if (await app.job(guilty)).status.final:
            break
        tickets += [await app.submit(innocent, Nothing())] if number % 10 == 0 else []  # life goes on beside them
    for _ in range(100):
        await live(app)
        app.clock.advance(10)
    done = await app.job(guilty)
    assert done.status is Status.FAILED
    letter = await app.engine.vault.get(done.dead_letter_id or "")
    assert letter.reason is Reason.STALLED
    assert done.attempt <= 6
    for ticket in tickets:
        ended = await app.job(ticket)
        assert (ended.status, ended.attempt <= 2) == (Status.COMPLETED, True), ended


def lapsed(clock: FakeClock, number: int, **changes: Any) -> Job:
    """A job whose worker vanished beside others."""
    given = {"status": Status.RUNNING, "attempt": 1, "beside": 3, "started_at": clock.now(), **changes}
    return Job(
        job_id=f"job-{number}", kind="work", version=2, created_at=clock.now(), updated_at=clock.now(),
        due_at=clock.now(), **given,
    )  # fmt: skip


@dataclass(frozen=True)
class Attempt:
    """As much of an attempt as its neighbours look at."""

    job: Job
    job_id: str
    fence: int

    def __hash__(self) -> int:
        return self.fence


def begin(neighbours: Neighbours, job: Job) -> None:
    """An attempt of a job."""
    with neighbours.claiming(job):
        claimed = apply(job, Claimed(job.updated_at, "message", job.updated_at))
    neighbours._claiming.clear()
    neighbours.running.add(cast("JobContext", Attempt(claimed, job.job_id, claimed.attempt)))


def test_no_two_suspects_run_in_one_process_for_a_minute(clock: FakeClock) -> None:
    neighbours = Neighbours(clock.now)
    first, second = lapsed(clock, 1), lapsed(clock, 2)
    assert neighbours.wait(first, given_up=False) is None
    begin(neighbours, first)
    assert neighbours.wait(second, given_up=False) == clock.now() + timedelta(seconds=5)
    assert neighbours.wait(lapsed(clock, 3, status=Status.QUEUED, attempt=0), given_up=False) is None
    assert neighbours.wait(second, given_up=True) is None
    clock.advance(60)
    assert neighbours.wait(second, given_up=False) is None


def test_one_that_killed_twice_has_its_process_for_itself_as_far_as_a_minutes_patience_goes(clock: FakeClock) -> None:
    neighbours = Neighbours(clock.now)
    fresh = lapsed(clock, 1, status=Status.QUEUED, attempt=0, started_at=None)
    killer = lapsed(clock, 2, stalls=1, beside=0)
    begin(neighbours, fresh)
    assert neighbours.wait(killer, given_up=False) is not None
    clock.advance(60)
    assert neighbours.wait(killer, given_up=False) is None
    alone = Neighbours(clock.now)
    killer = lapsed(clock, 2, stalls=1, beside=0)
    assert alone.wait(killer, given_up=False) is None
    begin(alone, killer)
    assert alone.wait(fresh, given_up=False) is not None


async def test_a_claim_that_fails_keeps_nobody_waiting(clock: FakeClock) -> None:
    neighbours = Neighbours(clock.now)
    with suppress(StorageError), neighbours.claiming(lapsed(clock, 1)):
        raise StorageError("out")
    assert neighbours.suspects == set()
    begin(neighbours, lapsed(clock, 1))
    with suppress(StorageError), neighbours.claiming(lapsed(clock, 1, status=Status.QUEUED, attempt=0)):
        raise StorageError("the record that an old message carries")
    assert neighbours.suspects == {"job-1"}
    with neighbours.claiming(lapsed(clock, 4)), suppress(StorageError), neighbours.claiming(lapsed(clock, 4)):
        raise StorageError("one of two deliveries, which lost")
    assert neighbours.suspects == {"job-1", "job-4"}
    neighbours = Neighbours(clock.now)
    assert neighbours.wait(lapsed(clock, 2), given_up=False) is None


async def test_a_message_that_comes_again_while_its_attempt_is_at_work_begins_no_other() -> None:
    app = MemoryApp(innocent)
    PROCESS.append(Process())
    ticket = await app.submit(innocent, Nothing())
    ((queue, each),) = await app.queues.due()
    message = app.queues.take(queue, each, MESSAGE_LEASE)
    delivery = Delivery(queue, message.message_id, message.text.encode(), message.inserted_at, 1)
    first = asyncio.create_task(app.process(delivery))
    while (await app.job(ticket)).status is not Status.RUNNING:  # noqa: ASYNC110 - what runs is the engine
        await asyncio.sleep(0)
    assert await app.process(delivery) == "put back"
    await first
    done = await app.job(ticket)
    assert (done.status, done.attempt, done.stalls) == (Status.COMPLETED, 1, 0)
