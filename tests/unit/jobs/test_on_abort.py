"""`on_abort`: called once it is decided that a job gives up, before it does; never for a retry, and again after a crash."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from pydantic import BaseModel

from shared.jobs import FinalError, JobContext, job
from shared.jobs.dead_letters.recorder import MOST_MOVED
from shared.jobs.envelope import Delivery
from shared.jobs.model import Failure, Job, Status
from shared.jobs.testing import Died, Faults, MemoryApp, crash_sweep
from shared.ports import StorageError


class Entry(BaseModel):
    """What is told."""

    id: str


class Play:
    """An app whose job fails as told, and what its hook saw."""

    def __init__(self, error: Callable[[JobContext], Exception] | None = None) -> None:
        self.ran: list[int] = []
        self.told: list[tuple[str, int, str]] = []
        self.hook: Callable[[], Awaitable[None]] | None = None

        async def abort(payload: Entry, job: JobContext, failure: Failure) -> None:
            assert job.job.status is Status.RUNNING
            self.told.append((payload.id, job.attempt, failure.message))
            if self.hook:
                await self.hook()

        @job("tell", max_attempts=3, max_stalls=2, on_abort=abort)
        async def tell(payload: Entry, job: JobContext) -> str:
            self.ran.append(job.attempt)
            if error:
                raise error(job)
            return "told"

        self.tell = tell
        self.app = MemoryApp(tell)

    async def played(self) -> Job:
        return await self.app.perform(self.tell, Entry(id="e1"))


async def test_it_is_called_after_the_last_attempt_and_never_before_a_retry() -> None:
    play = Play(lambda job: RuntimeError(f"attempt {job.attempt}"))
    job = await play.played()
    assert (job.status, play.ran) == (Status.FAILED, [1, 2, 3])
    assert play.told == [("e1", 3, "attempt 3")]
    assert [entry.event for entry in job.history][-2:] == ["claimed", "failed"]


async def test_it_is_not_called_where_all_goes_well() -> None:
    play = Play()
    assert (await play.played()).status is Status.COMPLETED
    assert play.told == []


async def test_a_final_error_calls_it_at_once_and_a_replay_again() -> None:
    play = Play(lambda job: FinalError("no"))
    job = await play.played()
    await play.app.engine.replays.one(job.dead_letter_id or "")
    job = await play.app.ended(job)
    assert play.told == [("e1", 1, "no"), ("e1", 2, "no")]
    assert job.replays == 1


async def test_a_hook_that_fails_is_tried_three_times_and_keeps_no_job_from_its_end() -> None:
    play = Play(lambda job: FinalError("no"))

    async def fail() -> None:
        raise RuntimeError("the hook")

    play.hook = fail
    job = await play.played()
    assert len(play.told) == 3
    assert job.error
    assert (job.status, job.error.message) == (Status.FAILED, "no")


async def test_storage_that_fails_under_the_hook_is_waited_out_and_the_handler_does_not_run_again() -> None:
    play = Play(lambda job: FinalError("no"))

    async def fail() -> None:
        if len(play.told) < 3:
            raise StorageError("out")

    play.hook = fail
    job = await play.app.submit(play.tell, Entry(id="e1"))
    await play.app.drain()
    await play.app.recover()
    assert (await play.app.job(job)).status is Status.FAILED
    assert (len(play.told), play.ran) == (3, [1])


@pytest.mark.parametrize("over_the_hook", [False, True])
async def test_it_is_called_where_workers_vanished_once_more_and_not_where_they_vanish_over_it(
    *, over_the_hook: bool
) -> None:
    play = Play()
    ticket = await play.app.submit(play.tell, Entry(id="e1"))
    abandoned: dict[str, object] = {"status": Status.RUNNING, "attempt": 2, "stalls": 2, "version": 9}
    if over_the_hook:
        abandoned["decided"] = "lapsed"
    current = await play.app.engine.get(ticket.job.job_id)
    await play.app.engine.deps.status.write(current, current.value.model_copy(update=abandoned))
    play.app.clock.advance(3600)
    await play.app.recover()
    job = await play.app.job(ticket)
    assert (job.status, job.error and job.error.type, play.ran) == (Status.FAILED, "LapsedError", [])
    said = "The worker vanished in the middle of the job, more often than the kind allows."
    assert play.told == ([] if over_the_hook else [("e1", 3, said)])


@pytest.mark.parametrize("moved_again", [False, True])
async def test_the_job_of_messages_that_the_host_moves_is_given_up_by_an_attempt(*, moved_again: bool) -> None:
    """The hook is called there; where the host moves that message too, the job is given up without."""
    play = Play()
    ticket = await play.app.submit(play.tell, Entry(id="e1"))
    current = await play.app.engine.get(ticket.job.job_id)
    await play.app.engine.deps.status.write(
        current, current.value.model_copy(update={"moved": MOST_MOVED, "version": 9})
    )
    for _ in range(1 + moved_again):
        for message in await play.app.queues.receive("jobs"):
            await play.app.queues.delete("jobs", message)
            await play.app.record_or_put_back(Delivery("jobs-poison", "", message.text.encode()))
    job = await play.app.ended(ticket)
    assert (job.status, job.error and job.error.type, play.ran) == (Status.FAILED, "HostGaveUpError", [])
    assert len(play.told) == (not moved_again)


async def test_no_crash_at_any_call_keeps_it_from_being_called_nor_runs_the_handler_after_it() -> None:
    async def play(faults: Faults) -> object:
        stage = Play(lambda job: RuntimeError("no"))
        ticket = await stage.app.submit(stage.tell, Entry(id="e1"))
        ran_before: list[int] = []

        async def note() -> None:
            ran_before.append(len(stage.ran))

        stage.hook = note
        stage.app.restart(faults)
        with suppress(StorageError, Died):
            await stage.app.ended(ticket)
        stage.app.restart()
        await stage.app.recover()
        job = await stage.app.job(ticket)
        return job.status, bool(stage.told), ran_before[0] == len(stage.ran)

    (await crash_sweep(play)).check()
