"""Jobs whose worker died together come back apart, and only the one that kills its workers gives up."""

from __future__ import annotations

import asyncio
from typing import Any

from pydantic import BaseModel

from shared.jobs import JobContext, job
from shared.jobs.dead_letters.vault import Reason
from shared.jobs.envelope import Delivery
from shared.jobs.model import Status
from shared.jobs.testing import Died, Faults, MemoryApp, Mode
from shared.jobs.testing.host import MESSAGE_LEASE

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
