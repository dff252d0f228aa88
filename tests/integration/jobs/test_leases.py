"""Claims, leases and fences: who may write, and what becomes of a worker that was thought dead."""

from __future__ import annotations

import asyncio
import base64
from datetime import timedelta
from typing import Any

import pytest

from shared.jobs.dead_letters.vault import Reason
from shared.jobs.envelope import Delivery
from shared.jobs.errors import FinalError, SupersededError
from shared.jobs.model import Status
from support.host import delivery_of
from support.lab import Broken, Lab


async def first_delivery(lab: Lab) -> Delivery:
    """The message of the only job, taken from its queue by hand."""
    (message,) = await lab.storage_queues.receive(lab.settings.queue_normal)
    await lab.storage_queues.delete(lab.settings.queue_normal, message)
    body = base64.b64decode(message.text)
    return Delivery(lab.settings.queue_normal, message.message_id, body, message.inserted_at)


class Hung:
    """A handler whose first attempt hangs until it is told to go on."""

    def __init__(self) -> None:
        self.running = asyncio.Event()
        self.go_on = asyncio.Event()
        self.raised: BaseException | None = None

    async def __call__(self, payload: Any, job: Any) -> Any:
        if job.attempt > 1:
            return "second"
        self.running.set()
        await self.go_on.wait()
        return await self._late(job)

    async def _late(self, job: Any) -> Any:
        return "first"


class HungThenProgress(Hung):
    async def _late(self, job: Any) -> Any:
        try:
            await job.progress("late", 1, 2)
        except SupersededError as error:
            self.raised = error
            raise


class HungThenCheckpoint(HungThenProgress):
    async def _late(self, job: Any) -> Any:
        try:
            await job.checkpoint()
        except SupersededError as error:
            self.raised = error
            raise


class HungThenFails(Hung):
    async def _late(self, job: Any) -> Any:
        raise Broken("too late")


class HungThenGivesUp(Hung):
    async def _late(self, job: Any) -> Any:
        raise FinalError("too late")


@pytest.mark.parametrize(
    "hung",
    [Hung(), HungThenProgress(), HungThenCheckpoint(), HungThenFails(), HungThenGivesUp()],
    ids=lambda h: type(h).__name__,
)
async def test_a_zombie_changes_nothing(lab: Lab, hung: Hung) -> None:
    lab.script = hung
    ticket = await lab.submit()
    delivery = await first_delivery(lab)
    zombie = asyncio.create_task(lab.engine.process(delivery))
    await hung.running.wait()
    lab.start()  # another process takes over
    lab.clock.advance(61)
    assert await lab.engine.process(delivery_of(delivery, message_id="another")) == "completed"
    before = await lab.job(ticket.job.job_id)
    hung.go_on.set()
    assert await zombie == "superseded"
    job = await lab.settled(ticket.job.job_id, Status.COMPLETED)
    assert job == before
    assert (job.results, job.stalls, job.attempt) == ("second", 1, 2)
    assert (hung.raised is None) is (type(hung) in (Hung, HungThenFails, HungThenGivesUp))


async def test_a_live_lease_keeps_a_second_message_out(lab: Lab) -> None:
    hung = Hung()
    lab.script = hung
    ticket = await lab.submit()
    delivery = await first_delivery(lab)
    worker = asyncio.create_task(lab.engine.process(delivery))
    await hung.running.wait()
    assert await lab.engine.process(delivery_of(delivery, message_id="another")) == "put back"
    (waiting,) = lab.queues.waiting
    lease_end = (await lab.job(ticket.job.job_id)).due_at
    assert timedelta(0) <= waiting.visible_at - lease_end <= timedelta(seconds=1)
    hung.go_on.set()
    assert await worker == "completed"
    await lab.recover()
    await lab.settled(ticket.job.job_id, Status.COMPLETED)
    assert len(lab.runs) == 1


async def test_the_same_message_delivered_again_reclaims_at_once(lab: Lab) -> None:
    """The host delivers a message to another process only when the first delivery is over: its worker is gone."""
    hung = Hung()
    lab.script = hung
    ticket = await lab.submit()
    delivery = await first_delivery(lab)
    worker = asyncio.create_task(lab.engine.process(delivery))
    await hung.running.wait()
    lab.start()
    assert await lab.engine.process(delivery_of(delivery, dequeue_count=2)) == "completed"
    hung.go_on.set()
    assert await worker == "superseded"
    await lab.settled(ticket.job.job_id, Status.COMPLETED)


async def test_a_job_whose_workers_keep_vanishing_gives_up(lab: Lab) -> None:
    hanging = asyncio.Event()
    begun = asyncio.Event()

    async def hang(payload: Any, job: Any) -> None:
        begun.set()
        await hanging.wait()

    lab.script = hang
    ticket = await lab.submit()
    delivery = await first_delivery(lab)
    workers = []
    for count in range(1, 5):
        begun.clear()
        lab.start()
        workers.append(asyncio.create_task(lab.engine.process(delivery_of(delivery, dequeue_count=count))))
        await begun.wait()
    lab.start()
    assert await lab.engine.process(delivery_of(delivery, dequeue_count=5)) == "gave up, workers vanished"
    hanging.set()
    assert await asyncio.gather(*workers) == ["superseded"] * 4
    await lab.recover()
    await lab.settled(ticket.job.job_id, Status.FAILED)
    assert [letter.reason for letter in await lab.letters()] == [Reason.STALLED]


async def test_the_heartbeat_renews_the_lease(lab: Lab) -> None:
    object.__setattr__(lab.engine.deps.timing, "lease", timedelta(seconds=0.3))
    done = asyncio.Event()

    async def slow(payload: Any, job: Any) -> Any:
        for _ in range(8):
            await asyncio.sleep(0.1)
            lab.clock.advance(0.1)
        done.set()
        return job.job.version

    lab.script = slow
    ticket = await lab.submit()
    delivery = await first_delivery(lab)
    worker = asyncio.create_task(lab.engine.process(delivery))
    await asyncio.sleep(0.65)
    assert not done.is_set()
    assert await lab.engine.process(delivery_of(delivery, message_id="another")) == "put back"
    assert await worker == "completed"
    job = await lab.settled(ticket.job.job_id, Status.COMPLETED)
    assert len(lab.runs) == 1
    assert isinstance(job.results, int)
    assert job.results >= 4
