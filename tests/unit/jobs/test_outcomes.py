"""Whatever a handler raises is an outcome of its own job and of no other, and is told so that it can be found."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from pydantic import BaseModel

from shared.jobs import FinalError, HandOver, JobCancelledError, JobContext, RetryLater, Snooze, job
from shared.jobs.dead_letters.vault import Filter, fingerprint
from shared.jobs.model import Job, Status
from shared.jobs.testing import Died, Faults, MemoryApp, Mode
from shared.ports import AlreadyExistsError, StorageError


class Nothing(BaseModel):
    """No payload."""


class Mute(Exception):  # noqa: N818 - a name for tests
    """An exception that cannot be put into words."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


Script = Callable[[JobContext], Awaitable[Any]]


class Stage:
    """An app with a handler that tests write."""

    def __init__(self, script: Script, timeout_seconds: float = 300) -> None:
        self.runs = 0

        @job("play", max_attempts=3, base_backoff_seconds=1, timeout_seconds=timeout_seconds)
        async def play(payload: Nothing, job: JobContext) -> Any:
            self.runs += 1
            return await script(job)

        @job("quick")
        async def quick(payload: Nothing, job: JobContext) -> int:
            return 1

        self.play, self.quick = play, quick
        self.app = MemoryApp(play, quick)

    async def played(self) -> Job:
        return await self.app.perform(self.play, Nothing())


def raising(make: Callable[[], BaseException]) -> Script:
    async def script(job: JobContext) -> None:
        raise make()

    return script


async def fail(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit, asyncio.CancelledError, Mute])
async def test_what_would_end_a_process_is_a_failed_attempt(kind: type[BaseException]) -> None:
    stage = Stage(raising(lambda: kind("out")))
    played = await stage.played()
    assert (played.status, stage.runs, played.failures, played.stalls) == (Status.FAILED, 3, 2, 0)
    assert played.error is not None
    assert played.error.type == kind.__name__
    assert played.error.message == ("Mute (its own text cannot be had: RuntimeError)" if kind is Mute else "out")


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
@pytest.mark.parametrize("grouped", [False, True])
async def test_what_a_task_of_the_handler_raises_to_end_the_process_is_a_failed_attempt(
    kind: type[BaseException], *, grouped: bool
) -> None:
    async def script(job: JobContext) -> None:
        async def ends() -> None:
            await asyncio.sleep(0)
            raise kind("out")

        if grouped:
            async with asyncio.TaskGroup() as group:
                group.create_task(ends())
        else:
            await asyncio.gather(ends(), asyncio.sleep(0))

    stage = Stage(script)
    played = await stage.played()
    assert (played.status, stage.runs, played.failures) == (Status.FAILED, 3, 2)
    assert played.error is not None
    assert (played.error.type, played.error.message) == (kind.__name__, "out")
    assert played.error.place
    assert played.error.place.function == "ends"


async def test_a_task_that_nobody_awaits_ends_neither_the_job_nor_the_process() -> None:
    async def script(job: JobContext) -> str:
        async def ends() -> None:
            raise SystemExit

        tasks = [asyncio.create_task(ends()), asyncio.create_task(asyncio.sleep(60))]
        tasks[1].cancel()
        await asyncio.wait(tasks)
        return f"{tasks[0].exception()!r} {tasks[1].cancelled()}"

    assert (await Stage(script).played()).results == "ExitError('SystemExit') True"


async def test_a_task_of_the_handler_tells_its_state_as_any_other() -> None:
    async def script(job: JobContext) -> list[str]:
        async def looks() -> list[str]:
            task = asyncio.current_task()
            assert task
            coroutine: Any = task.get_coro()
            return [inspect.getcoroutinestate(coroutine), coroutine.__name__, str("looks" in repr(task))]

        return await asyncio.create_task(looks())

    assert (await Stage(script).played()).results == ["CORO_RUNNING", "looks", "True"]


async def test_a_group_is_told_by_its_members_with_their_places_and_causes() -> None:
    async def cause() -> None:
        try:
            await fail(KeyError("a"))
        except KeyError as error:
            raise ValueError("b") from error

    async def script(job: JobContext) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(cause())

    stage = Stage(script)
    played = await stage.played()
    assert played.error is not None
    assert (played.error.type, played.error.message, played.error.causes) == ("ValueError", "b", ("KeyError: 'a'",))
    assert str(played.error.place).startswith("tests/unit/jobs/test_outcomes.py:")
    assert str(played.error.place).endswith(" cause")
    (letter,) = (await stage.app.engine.vault.find(Filter(), 10))[0]
    assert letter.error == played.error
    retries = [entry.detail for entry in played.history if entry.event == "retry"]
    assert all(detail and "ValueError at tests/unit/jobs/test_outcomes.py:" in detail for detail in retries)


async def test_several_members_are_all_told() -> None:
    stage = Stage(raising(lambda: ExceptionGroup("many", [OSError("a"), ExceptionGroup("more", [KeyError("b")])])))
    played = await stage.played()
    assert played.error is not None
    assert (played.error.type, played.error.message) == ("OSError", "2 errors: OSError: a; KeyError: 'b'")


async def test_groups_share_a_fingerprint_only_where_their_members_do() -> None:
    async def one(job: JobContext) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail(ValueError("a")))

    async def other(job: JobContext) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail(OSError("a")))

    async def elsewhere(job: JobContext) -> None:
        raise ValueError("a")

    found = []
    for script in (one, one, other, elsewhere):
        error = (await Stage(script).played()).error
        assert error is not None
        found.append(fingerprint("play", error.type, error.message, error.place))
    assert found[0] == found[1]
    assert len(set(found)) == 3


async def test_members_that_ask_for_something_get_it() -> None:
    async def script(job: JobContext) -> Any:
        if job.attempt == 1:
            raise ExceptionGroup("x", [Snooze(60)])
        if job.attempt == 2:
            raise ExceptionGroup("x", [OSError(), RetryLater(500)])
        raise ExceptionGroup("x", [OSError(), FinalError("enough")])

    stage = Stage(script)
    began = stage.app.clock.now()
    played = await stage.played()
    assert [entry.event for entry in played.history] == [
        "submitted", "claimed", "snoozed", "claimed", "retry", "claimed", "failed",
    ]  # fmt: skip
    assert (stage.app.clock.now() - began).total_seconds() >= 560
    assert played.failures == 1


async def test_a_timeout_says_after_how_long_and_in_which_step() -> None:
    async def script(job: JobContext) -> None:
        await job.progress("waiting", 1, 2)
        await asyncio.sleep(60)

    played = await Stage(script, timeout_seconds=0.05).played()
    assert played.error is not None
    assert (played.error.type, played.error.message) == ("TimeoutError", "ran over 0.05 s in step waiting")
    assert played.error.place is not None
    assert played.error.place.function == "script"


async def test_a_handler_that_will_not_stop_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.jobs.handler._STUBBORN", 0.05)
    go_on = asyncio.Event()
    ended: asyncio.Queue[int] = asyncio.Queue()

    async def script(job: JobContext) -> str:
        while not go_on.is_set():
            try:
                await go_on.wait()
            except asyncio.CancelledError:
                continue
        ended.put_nowait(job.attempt)
        return "too late"

    played = await Stage(script, timeout_seconds=0.05).played()
    go_on.set()
    assert (played.status, played.failures) == (Status.FAILED, 2)
    assert [await ended.get() for _ in range(3)] == [1, 2, 3]


@pytest.mark.parametrize("case", ["invalid", "cancelled"])
async def test_exceptions_about_another_job_are_failures_of_this_one(case: str) -> None:
    async def script(job: JobContext) -> None:
        if case == "cancelled":
            raise JobCancelledError("some other job was cancelled")
        ticket = await job.submit(stage.quick, Nothing())
        if job.attempt > 1:
            await stage.app.engine.cancel(ticket.job.job_id)  # which has completed
        raise OSError("not yet")

    stage = Stage(script)
    played = await stage.played()
    assert (played.status, stage.runs, played.stalls) == (Status.FAILED, 3, 0)
    assert played.error is not None
    assert played.error.type == ("InvalidTransitionError" if case == "invalid" else "JobCancelledError")


async def test_a_request_to_cancel_that_comes_out_of_a_group_cancels() -> None:
    async def script(job: JobContext) -> None:
        await stage.app.engine.cancel(job.job_id)
        async with asyncio.TaskGroup() as group:
            group.create_task(job.progress("a", 1, 2))
            group.create_task(job.progress("b", 2, 2))

    stage = Stage(script)
    assert (await stage.played()).status is Status.CANCELLED


async def test_an_outage_of_storage_is_no_failure() -> None:
    async def script(job: JobContext) -> int:
        if job.attempt <= 10:
            raise ExceptionGroup("x", [StorageError("down")])
        return job.job.outages

    played = await Stage(script).played()
    assert (played.status, played.results, played.failures) == (Status.COMPLETED, 10, 0)


async def test_storage_that_only_ever_fails_one_handler_exhausts_it_in_the_end() -> None:
    stage = Stage(raising(lambda: StorageError("down")))
    began = stage.app.clock.now()
    played = await stage.played()
    assert (played.status, stage.runs) == (Status.FAILED, 23)
    assert (stage.app.clock.now() - began).total_seconds() > 1800


async def test_an_answer_of_storage_is_a_failure_as_any_other() -> None:
    stage = Stage(raising(lambda: AlreadyExistsError("taken")))
    assert (await stage.played()).status is Status.FAILED
    assert stage.runs == 3


@pytest.mark.parametrize(
    "results", [b"\xff", "caf\udce9", {"x": float("nan")}, {"x": float("inf")}, object(), "cycle", "deep"]
)
async def test_results_that_cannot_be_stored_are_decided_once(results: Any) -> None:
    async def script(job: JobContext) -> Any:
        if results == "cycle":
            cycle: dict[str, Any] = {}
            cycle["self"] = cycle
            return cycle
        if results == "deep":
            deep: list[Any] = []
            for _ in range(150):
                deep = [deep]
            return deep
        return results

    stage = Stage(script)
    played = await stage.played()
    assert (played.status, stage.runs) == (Status.FAILED, 1)
    assert played.error is not None
    assert played.error.type == "UnstorableError"
    assert played.error.message.startswith("the results cannot be stored")


async def test_a_vault_that_is_down_does_not_run_the_handler_again() -> None:
    stage = Stage(raising(lambda: FinalError("bad")))
    ticket = await stage.app.submit(stage.play, Nothing())
    stage.app.restart(Faults(only=lambda name: name.startswith("dead-letters")))
    for _ in range(10):
        await stage.app.drain()
        stage.app.clock.advance(70)
    waiting = await stage.app.job(ticket)
    assert (waiting.status, waiting.decided, stage.runs) == (Status.QUEUED, "final", 1)
    stage.app.restart()
    played = await stage.app.ended(ticket)
    assert (played.status, stage.runs, played.decided) == (Status.FAILED, 1, None)
    assert played.error is not None
    assert (played.error.type, played.stalls) == ("FinalError", 0)


async def test_an_attempt_hands_over_to_the_next() -> None:
    async def script(job: JobContext) -> Any:
        done = job.state or 0
        assert isinstance(done, int)
        if done < 7:
            assert 0 < job.remaining() <= 300
            assert not job.draining
            raise HandOver(done + 1)
        return done

    played = await Stage(script).played()
    assert (played.results, played.attempt, played.failures) == (7, 8, 0)


async def test_an_attempt_whose_time_is_nearly_up_is_draining() -> None:
    async def script(job: JobContext) -> Any:
        if job.state:
            return job.state
        assert not job.draining
        job.ends_at = asyncio.get_running_loop().time() + 25  # of 300 seconds
        assert job.draining
        raise HandOver({"left": 0 < job.remaining() <= 25})

    played = await Stage(script).played()
    assert (played.results, played.failures) == ({"left": True}, 0)


@pytest.mark.parametrize("hands_over", [True, False])
async def test_an_invocation_that_the_host_ends_lets_go_of_its_job(hands_over: bool) -> None:
    running = asyncio.Event()

    async def script(job: JobContext) -> Any:
        if job.attempt > 1:
            return job.state
        running.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            if hands_over and job.draining:
                raise HandOver("so far") from None
            raise

    stage = Stage(script)
    ticket = await stage.app.submit(stage.play, Nothing())
    invocation = asyncio.create_task(stage.app.drain())
    await running.wait()
    invocation.cancel()
    with pytest.raises(asyncio.CancelledError):
        await invocation
    waiting = await stage.app.job(ticket)
    assert (waiting.status, waiting.failures, waiting.stalls) == (Status.QUEUED, 0, 0)
    assert waiting.history[-1].event == ("handed over" if hands_over else "released")
    assert await stage.app.drain() == 1  # at once, on a message of its own
    assert (await stage.app.job(ticket)).results == ("so far" if hands_over else None)


async def test_a_worker_that_died_is_no_outcome() -> None:
    stage = Stage(raising(lambda: OSError("x")))
    ticket = await stage.app.submit(stage.play, Nothing())
    stage.app.restart(Faults(only=lambda name: stage.runs > 0, mode=Mode.DIE_BEFORE))
    with pytest.raises(Died):
        await stage.app.drain()
    assert (stage.runs, (await stage.app.job(ticket)).status) == (1, Status.RUNNING)
