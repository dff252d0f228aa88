"""A job's life over real storage: run, retry, give up, cancel, wait."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from shared.jobs import JobContext, Priority
from shared.jobs.dead_letters.vault import Reason
from shared.jobs.envelope import Delivery
from shared.jobs.errors import FinalError, InvalidPayloadError, InvalidTransitionError, RetryLater, UnknownKindError
from shared.jobs.model import Job, Status
from shared.jobs.testing import Died, Faults, Mode
from shared.jobs.ticket import Options
from shared.ports import StorageError
from support.lab import Broken, Lab, Work, succeed


def events(job: Job) -> list[str]:
    return [entry.event for entry in job.history]


async def test_a_job_runs_and_its_outcome_is_written(lab: Lab) -> None:
    ticket = await lab.submit(n=7)
    assert ticket.job.status is Status.QUEUED
    assert await lab.pump() == 1
    job = await lab.settled(ticket.job.job_id, Status.COMPLETED)
    assert job.results == {"n": 7}
    assert events(job) == ["submitted", "claimed", "completed"]
    assert job.progress is not None
    assert (job.progress.step, job.progress.completed) == ("finished", 2)
    assert lab.runs == [(job.job_id, 1)]
    assert await lab.queues.depth(lab.settings.queue_normal) == 0


async def test_a_failed_attempt_is_tried_again_after_its_backoff(lab: Lab) -> None:
    async def at_second(payload: Work, job: JobContext) -> Any:
        if job.attempt == 1:
            raise Broken("not yet")
        return await succeed(payload, job)

    lab.script = at_second
    job = await lab.run()
    assert (job.status, job.failures) == (Status.QUEUED, 1)
    assert job.error is not None
    assert (job.error.type, job.error.message, job.error.attempt) == ("Broken", "not yet", 1)
    assert job.due_at <= lab.clock.now() + timedelta(seconds=8)
    lab.clock.advance(8)
    await lab.pump()
    job = await lab.settled(job.job_id, Status.COMPLETED)
    assert job.error is None
    assert events(job) == ["submitted", "claimed", "retry", "claimed", "completed"]


async def test_a_job_gives_up_after_its_last_attempt(lab: Lab) -> None:
    async def never(payload: Work, job: JobContext) -> Any:
        raise Broken(f"no {payload.n}")

    lab.script = never
    job = await lab.run(n=3)
    await lab.recover()
    job = await lab.settled(job.job_id, Status.FAILED)
    assert [attempt for _, attempt in lab.runs] == [1, 2, 3]
    (letter,) = await lab.letters(job_id=job.job_id)
    assert (letter.reason, letter.payload, letter.attempts) == (Reason.EXHAUSTED, {"n": 3, "key": "", "note": ""}, 3)
    assert letter.error == job.error
    assert letter.history == job.history[:-1]
    assert "recorded already" in [said for _, said in lab.host.deliveries]


@pytest.mark.parametrize("error", [FinalError("never"), ZeroDivisionError("declared final by the policy")])
async def test_a_final_error_gives_up_at_once(lab: Lab, error: Exception) -> None:
    async def never(payload: Work, job: JobContext) -> Any:
        raise error

    lab.script = never
    job = await lab.run()
    await lab.settled(job.job_id, Status.FAILED)
    assert len(lab.runs) == 1
    assert (await lab.letters(job_id=job.job_id))[0].reason is Reason.FINAL


async def test_a_handler_that_was_told_a_delay_waits_that_long(lab: Lab) -> None:
    async def told(payload: Work, job: JobContext) -> Any:
        if job.attempt == 1:
            raise RetryLater(120)
        return await succeed(payload, job)

    lab.script = told
    job = await lab.run()
    assert job.due_at >= lab.clock.now() + timedelta(seconds=119)
    lab.clock.advance(100)
    assert await lab.pump() == 0
    lab.clock.advance(30)
    await lab.pump()
    await lab.settled(job.job_id, Status.COMPLETED)


async def test_a_handler_is_stopped_at_its_timeout(lab: Lab) -> None:
    async def slow(payload: Work, job: JobContext) -> Any:
        await asyncio.sleep(3600)

    lab.script = slow
    async with asyncio.timeout(120):
        job = await lab.run("quick")
    job = await lab.settled(job.job_id, Status.FAILED)
    assert job.error is not None
    assert job.error.type == "TimeoutError"
    assert len(lab.runs) == 2


async def test_results_that_json_cannot_hold_are_a_failure(lab: Lab) -> None:
    async def odd(payload: Work, job: JobContext) -> Any:
        return object()

    lab.script = odd
    job = await lab.run("own")
    assert (job.status, job.error and job.error.type) == (Status.FAILED, "UnstorableError")


async def test_what_cannot_be_submitted(lab: Lab) -> None:
    with pytest.raises(UnknownKindError):
        await lab.submit("unheard of")
    with pytest.raises(InvalidPayloadError) as caught:
        await lab.submit(n="many", extra=1)
    assert {problem.field for problem in caught.value.problems} == {"n", "extra"}
    assert [info async for info in lab.blobs.list("jobs/")] == []


@pytest.mark.parametrize("priority", list(Priority))
async def test_each_priority_has_a_queue(lab: Lab, priority: Priority) -> None:
    await lab.submit(options=Options(priority=priority))
    queues = {
        Priority.HIGH: lab.settings.queue_high,
        Priority.NORMAL: lab.settings.queue_normal,
        Priority.LOW: lab.settings.queue_low,
    }
    assert {one: await lab.queues.depth(queue) for one, queue in queues.items()} == {
        one: int(one is priority) for one in Priority
    }


async def test_a_job_does_not_start_before_its_time(lab: Lab) -> None:
    start = lab.clock.now() + timedelta(hours=2)
    ticket = await lab.submit(options=Options(not_before=start))
    assert await lab.pump() == 0
    lab.clock.advance(7200)
    await lab.pump()
    await lab.settled(ticket.job.job_id, Status.COMPLETED)


async def test_a_message_that_comes_before_its_time_is_put_back(lab: Lab) -> None:
    """A queue hides a message for seven days at most; a job may be due later than that."""
    ticket = await lab.submit(options=Options(not_before=lab.clock.now() + timedelta(days=10)))
    (waiting,) = lab.queues.waiting
    lab.queues.waiting.clear()
    await lab.queues.send(waiting.queue, waiting.text)
    await lab.pump()
    assert (lab.runs, lab.host.deliveries[-1][1]) == ([], "put back")
    lab.clock.advance(10 * 86400)
    await lab.pump()
    await lab.settled(ticket.job.job_id, Status.COMPLETED)


async def test_a_queued_job_is_cancelled_at_once(lab: Lab) -> None:
    ticket = await lab.submit()
    current = await lab.engine.cancel(ticket.job.job_id)
    assert current.value.status is Status.CANCELLED
    await lab.pump()
    await lab.settled(ticket.job.job_id, Status.CANCELLED)
    assert lab.runs == []
    with pytest.raises(InvalidTransitionError):
        await lab.engine.cancel(ticket.job.job_id)


async def test_a_running_job_stops_at_its_checkpoint(lab: Lab) -> None:
    running, stop = asyncio.Event(), asyncio.Event()

    async def waits(payload: Work, job: JobContext) -> Any:
        running.set()
        await stop.wait()
        lab.clock.advance(2)
        await job.checkpoint()
        raise AssertionError("it went on after its checkpoint")

    lab.script = waits
    ticket = await lab.submit()
    pump = asyncio.create_task(lab.pump())
    await running.wait()
    current = await lab.engine.cancel(ticket.job.job_id)
    assert (current.value.status, current.value.cancel_requested) == (Status.RUNNING, True)
    stop.set()
    async with asyncio.timeout(60):
        await pump
    job = await lab.settled(ticket.job.job_id, Status.CANCELLED)
    assert events(job) == ["submitted", "claimed", "cancel requested", "cancelled"]


async def test_a_running_job_stops_at_its_next_progress(lab: Lab) -> None:
    async def cancelled_meanwhile(payload: Work, job: JobContext) -> Any:
        await lab.engine.cancel(job.job_id)
        await job.progress("on", 1, 2)
        raise AssertionError("it went on")

    lab.script = cancelled_meanwhile
    job = await lab.run()
    await lab.settled(job.job_id, Status.CANCELLED)


async def test_a_job_that_fails_after_it_was_to_be_cancelled_is_not_tried_again(lab: Lab) -> None:
    async def fails(payload: Work, job: JobContext) -> Any:
        await lab.engine.cancel(job.job_id)
        raise Broken

    lab.script = fails
    job = await lab.run()
    await lab.settled(job.job_id, Status.CANCELLED)
    assert lab.queues.idle


async def test_cancel_and_completion_race_to_one_outcome(lab: Lab) -> None:
    async def quick(payload: Work, job: JobContext) -> Any:
        return payload.n

    lab.script = quick
    tickets = [await lab.submit() for _ in range(20)]

    async def cancel(job_id: str, turns: int) -> None:
        for _ in range(turns):
            await asyncio.sleep(0.001)
        with suppress(InvalidTransitionError):
            await lab.engine.cancel(job_id)

    cancels = [cancel(ticket.job.job_id, turns) for turns, ticket in enumerate(tickets)]
    await asyncio.gather(lab.pump(), *cancels)
    await lab.recover()
    outcomes = {(await lab.settled(ticket.job.job_id)).status for ticket in tickets}
    assert outcomes <= {Status.COMPLETED, Status.CANCELLED}


async def test_two_hundred_concurrent_writers_converge(lab: Lab) -> None:
    async def busy(payload: Work, job: JobContext) -> Any:
        steps = [job.progress("step", n, 195) for n in range(195)]
        await asyncio.gather(*steps, *(until_it_is_written(job.job_id) for _ in range(5)), return_exceptions=True)

    async def until_it_is_written(job_id: str) -> None:
        while True:
            with suppress(StorageError):  # others kept overtaking it
                await lab.engine.cancel(job_id)
                return

    lab.script = busy
    job = await lab.run()
    await lab.recover()
    job = await lab.settled(job.job_id)
    assert job.version >= 200
    assert job.cancel_requested


async def test_a_cancellation_inside_the_handler_is_a_failed_attempt(lab: Lab) -> None:
    """Not the host's: some task that the handler waited for was cancelled."""

    async def wait_for_a_cancelled_task(payload: Work, job: JobContext) -> None:
        task = asyncio.create_task(asyncio.sleep(60))
        task.cancel()
        await task

    lab.script = wait_for_a_cancelled_task
    job = await lab.run()
    assert (job.status, job.failures) == (Status.QUEUED, 1)
    assert job.error is not None
    assert job.error.type == "CancelledError"


async def test_an_attempt_that_the_host_ends_is_no_failure(lab: Lab) -> None:
    running = asyncio.Event()

    async def wait(payload: Work, job: JobContext) -> None:
        running.set()
        await asyncio.sleep(60)

    lab.script = wait
    ticket = await lab.submit()
    pump = asyncio.create_task(lab.pump())
    await running.wait()
    pump.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pump
    job = await lab.job(ticket.job.job_id)
    assert (job.status, job.failures, job.history[-1].event) == (Status.QUEUED, 0, "released")
    lab.script = succeed
    await lab.recover()
    job = await lab.settled(ticket.job.job_id, Status.COMPLETED)
    assert (job.attempt, job.stalls) == (2, 0)


async def test_a_job_cancelled_under_a_worker_that_vanished_does_not_run_again(lab: Lab) -> None:
    faults = Faults(mode=Mode.DIE_BEFORE)

    async def cancelled_and_killed(payload: Work, job: JobContext) -> None:
        await lab.engine.cancel(job.job_id)
        faults.at = len(faults.calls) + 1
        await job.progress("never", 1, 2)

    lab.script = cancelled_and_killed
    lab.start(faults)
    ticket = await lab.submit()
    with suppress(Died):
        await lab.pump()
    lab.start()
    lab.script = succeed
    lab.clock.advance(700)
    await lab.pump()
    await lab.settled(ticket.job.job_id, Status.CANCELLED)
    assert len(lab.runs) == 1


async def test_a_vault_that_is_down_for_long_costs_a_job_its_time_and_not_its_reason(lab: Lab) -> None:
    async def broken(payload: Work, job: JobContext) -> None:
        raise FinalError("not mended")

    lab.script = broken
    lab.start(Faults(only=lambda name: name.startswith("dead-letters")))
    ticket = await lab.submit()
    deliveries = 0
    for _ in range(12):
        (message,) = await lab.queues.receive(lab.settings.queue_normal)
        delivery = Delivery(lab.settings.queue_normal, message.message_id, message.text.encode(), message.inserted_at)
        assert await lab.engine.process_or_put_back(delivery) == "put back"
        await lab.queues.delete(lab.settings.queue_normal, message)
        lab.clock.advance(61)
        await lab.queues.release()
        deliveries += 1
    lab.start()
    await lab.pump()
    job = await lab.settled(ticket.job.job_id, Status.FAILED)
    assert job.error is not None
    assert (job.error.type, job.stalls, job.failures) == ("FinalError", 0, 0)
    assert deliveries == 12
    assert len(lab.runs) == 1
