"""Steps: what was done once is kept, and no later attempt does it again."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from shared.jobs import FinalError, HandOver, JobContext, RetryLater, StepPolicy, job
from shared.jobs.kept import KeptStore, State
from shared.jobs.model import Job, Status
from shared.jobs.testing import Died, Faults, MemoryApp, crash_sweep
from shared.ports import StorageError


class Text(BaseModel):
    """A payload."""

    words: str = "a b"


class Page(BaseModel):
    """What a step makes."""

    number: int
    at: datetime


Script = Callable[[Text, JobContext], Awaitable[Any]]


class Stage:
    """An app with a handler that tests write, and a tally of how often each step was done."""

    def __init__(self, script: Script, timeout_seconds: float = 300) -> None:
        self.done: list[str] = []
        self.attempts = 0

        @job("play", max_attempts=3, timeout_seconds=timeout_seconds)
        async def play(payload: Text, job: JobContext) -> Any:
            self.attempts += 1
            return await script(payload, job)

        self.play = play
        self.app = MemoryApp(play)

    async def played(self) -> Job:
        return await self.app.perform(self.play, Text())

    def doing(self, name: str, result: Any = None) -> Callable[[], Awaitable[Any]]:
        async def do() -> Any:
            self.done.append(name)
            return result

        return do

    async def kept(self, job: Job) -> dict[str, State]:
        store = KeptStore(self.app.blobs, self.app.clock)
        return {info.name: info.state async for info in store.of(job)}


def failing_once(stage: list[Stage], then: Callable[[JobContext], Awaitable[Any]]) -> Script:
    async def script(payload: Text, job: JobContext) -> Any:
        made = await then(job)
        if job.attempt == 1:
            raise RuntimeError("after the steps")
        return made

    return script


async def test_a_later_attempt_is_given_what_was_kept() -> None:
    async def script(payload: Text, job: JobContext) -> Any:
        found = await job.step("translate", stage.doing("translate", {"said": "bonjour"}))
        if job.attempt < 3:
            raise RuntimeError("after it")
        return found

    stage = Stage(script)
    played = await stage.played()
    assert (played.results, stage.attempts, stage.done) == ({"said": "bonjour"}, 3, ["translate"])
    assert await stage.kept(played) == {"translate": State.DONE}


async def test_a_step_costs_one_write_and_in_a_later_attempt_one_read() -> None:
    async def nothing(payload: Text, job: JobContext) -> None:
        if job.attempt == 1:
            raise RuntimeError

    async def steps(payload: Text, job: JobContext) -> None:
        for number in range(4):
            await job.step(f"page-{number}", stage.doing("page"))
        if job.attempt == 1:
            raise RuntimeError

    stage = Stage(nothing)
    plain = stage.app.called(await stage.played())
    stage = Stage(steps)
    played = await stage.played()
    calls = list(stage.app.called(played))
    for each in plain:
        calls.remove(each)
    assert calls == ["blobs.create"] * 4 + ["blobs.read"] * 4
    assert len(stage.done) == 4


async def test_results_are_what_json_makes_of_them_at_the_first_time_too_and_of_a_type_where_one_is_given() -> None:
    seen: list[Any] = []

    async def script(payload: Text, job: JobContext) -> Any:
        page = Page(number=3, at=datetime(2026, 1, 1, tzinfo=UTC))
        seen.append(await job.step("as json", stage.doing("", (1, page))))
        seen.append(await job.step("as model", stage.doing("", page), into=Page))
        seen.append(await job.step("as list", stage.doing("", (page, page)), into=list[Page]))
        if job.attempt == 1:
            raise RuntimeError

    stage = Stage(script)
    await stage.played()
    page = Page(number=3, at=datetime(2026, 1, 1, tzinfo=UTC))
    assert seen[:3] == seen[3:] == [[1, {"number": 3, "at": "2026-01-01T00:00:00Z"}], page, [page, page]]


async def test_steps_may_run_at_once() -> None:
    async def script(payload: Text, job: JobContext) -> Any:
        async def one(number: int) -> int:
            return int(await job.step(f"page-{number}", stage.doing(f"page-{number}", number)))

        found = await asyncio.gather(*map(one, range(20)))
        if job.attempt == 1:
            raise RuntimeError
        return found

    stage = Stage(script)
    assert (await stage.played()).results == list(range(20))
    assert sorted(stage.done) == sorted(f"page-{number}" for number in range(20))


@pytest.mark.parametrize("at_once", [False, True])
async def test_two_steps_of_one_name_are_refused(*, at_once: bool) -> None:
    async def script(payload: Text, job: JobContext) -> Any:
        steps = [job.step("page", stage.doing("page")) for _ in range(2)]
        if at_once:
            await asyncio.gather(*steps)
        for step in steps:
            await step

    stage = Stage(script)
    played = await stage.played()
    assert played.error
    assert played.error.type == "StepError"
    assert "two steps are called 'page'" in played.error.message
    assert stage.attempts == 1


async def test_a_step_that_failed_may_be_tried_again_in_the_same_attempt() -> None:
    async def script(payload: Text, job: JobContext) -> Any:
        with suppress(ZeroDivisionError):
            await job.step("page", lambda: 1 / 0)
        return await job.step("page", stage.doing("page", 2))

    stage = Stage(script)
    assert (await stage.played()).results == 2


async def test_steps_are_not_nested() -> None:
    async def script(payload: Text, job: JobContext) -> Any:
        async def outer() -> Any:
            return await asyncio.gather(job.step("inner", stage.doing("inner")))

        await job.step("outer", outer)

    stage = Stage(script)
    played = await stage.played()
    assert played.error
    assert "within step 'outer'" in played.error.message


@pytest.mark.parametrize("name", ["", "x" * 501, "ü" * 100])
async def test_a_name_that_cannot_be_is_refused(name: str) -> None:
    async def script(payload: Text, job: JobContext) -> Any:
        await job.step(name, stage.doing("any"))

    stage = Stage(script)
    played = await stage.played()
    assert (played.status, stage.done) == (Status.FAILED, [])


@pytest.mark.parametrize("name", ["a/b", "..", "status", "effect.x", "50 %", "grüße?#"])
async def test_any_other_name_will_do(name: str) -> None:
    async def script(payload: Text, job: JobContext) -> Any:
        await job.step(name, stage.doing(name))
        if job.attempt == 1:
            raise RuntimeError

    stage = Stage(script)
    played = await stage.played()
    assert stage.done == [name]
    assert await stage.kept(played) == {name: State.DONE}
    assert [one async for one in stage.app.engine.deps.status.listing()]
    assert len([one async for one in stage.app.engine.deps.status.listing()]) == 1


@pytest.mark.parametrize("result", [b"\xff", float("nan"), object()])
async def test_a_result_that_json_cannot_say_is_a_final_error_that_names_the_step(result: Any) -> None:
    async def script(payload: Text, job: JobContext) -> Any:
        await job.step("draw", stage.doing("draw", result), policy=StepPolicy(max_attempts=5))

    stage = Stage(script)
    played = await stage.played()
    assert played.error
    assert (played.error.type, stage.done) == ("UnstorableError", ["draw"])
    assert played.error.message.startswith("the result of step 'draw' cannot be stored")


async def test_what_is_kept_and_fits_its_type_no_more_is_a_final_error() -> None:
    async def script(payload: Text, job: JobContext) -> Any:
        await job.step("draw", stage.doing("draw", {"number": "x"}), into=Page)

    stage = Stage(script)
    played = await stage.played()
    assert played.error
    assert (played.error.type, stage.attempts) == ("StepError", 1)
    assert "number" in played.error.message


async def test_a_function_that_is_no_coroutine_function_runs_in_a_thread() -> None:
    threads: list[int] = []

    async def script(payload: Text, job: JobContext) -> Any:
        def block() -> int:
            threads.append(threading.get_ident())
            return 1

        async def two() -> int:
            return 2

        return [await job.step("blocks", block), await job.step("made by a lambda", lambda: two())]  # noqa: PLW0108 - as people write it

    stage = Stage(script)
    assert (await stage.played()).results == [1, 2]
    assert threads != [threading.get_ident()]


def flaky(stage: Stage, name: str, times: int, error: Callable[[], Exception] = RuntimeError) -> Callable[[], Any]:
    async def do() -> str:
        stage.done.append(name)
        if stage.done.count(name) <= times:
            raise error()
        return name

    return do


async def test_a_step_is_tried_as_its_policy_says_within_the_attempt() -> None:
    async def script(payload: Text, job: JobContext) -> Any:
        policy = StepPolicy(max_attempts=3, base_backoff_seconds=2, min_backoff_seconds=2)
        return await job.step("call", flaky(stage, "call", 2), policy=policy)

    stage = Stage(script)
    played = await stage.played()
    assert (played.results, stage.attempts, len(stage.done)) == ("call", 1, 3)
    assert stage.app.clock.slept == [2, 4]


async def test_what_it_raises_in_the_end_is_the_attempts_and_the_next_has_all_tries_again() -> None:
    async def script(payload: Text, job: JobContext) -> Any:
        return await job.step("call", flaky(stage, "call", 5), policy=StepPolicy(max_attempts=2))

    stage = Stage(script)
    played = await stage.played()
    assert (played.results, stage.attempts, len(stage.done), played.failures) == ("call", 3, 6, 2)


async def test_a_long_wait_is_a_snooze_after_the_steps_beside_have_ended_and_loses_no_try() -> None:
    async def script(payload: Text, job: JobContext) -> Any:
        async def beside() -> str:
            stage.done.append("beside")
            await asyncio.sleep(0.05)
            return "done"

        policy = StepPolicy(max_attempts=3)
        return await asyncio.gather(
            job.step("call", flaky(stage, "call", 2, lambda: RetryLater(600)), policy=policy),
            job.step("beside", beside),
        )

    stage = Stage(script)
    begun = stage.app.clock.now()
    played = await stage.played()
    assert played.results == ["call", "done"]
    assert (stage.attempts, played.failures, stage.done.count("call"), stage.done.count("beside")) == (3, 0, 3, 1)
    assert timedelta(seconds=1200) <= stage.app.clock.now() - begun < timedelta(seconds=1210)
    assert "step call waits for try 2" in str(played.history)


@pytest.mark.parametrize("error", [FinalError, lambda: HandOver(1), lambda: StorageError("out"), KeyError])
async def test_what_concerns_the_whole_attempt_is_not_tried_again(error: Callable[[], Exception]) -> None:
    async def script(payload: Text, job: JobContext) -> Any:
        policy = StepPolicy(max_attempts=9, final=(KeyError,))
        await job.step("call", flaky(stage, "call", 1, error), policy=policy)
        return len(stage.done)

    stage = Stage(script)
    played = await stage.played()
    assert len(stage.done) == stage.attempts
    assert (played.status is Status.FAILED) == (error is FinalError)


async def test_a_step_that_takes_too_long_is_named() -> None:
    async def script(payload: Text, job: JobContext) -> Any:
        if job.attempt == 1:
            await job.step("call", lambda: asyncio.sleep(60), policy=StepPolicy(timeout_seconds=0.05))
        if job.attempt == 2:
            await asyncio.gather(job.step("one", lambda: asyncio.sleep(60)), job.step("two", lambda: asyncio.sleep(60)))
        raise RuntimeError("enough")

    stage = Stage(script, timeout_seconds=0.4)
    played = await stage.played()
    details = [entry.detail or "" for entry in played.history if entry.event == "retry"]
    assert [detail.split(" ")[0] for detail in details] == ["TimeoutError", "TimeoutError"]


async def test_the_steps_at_work_are_in_the_error_of_an_attempt_that_ran_too_long() -> None:
    errors: list[str] = []

    async def script(payload: Text, job: JobContext) -> Any:
        if job.job.error:
            errors.append(job.job.error.message)
            return
        await job.progress("reported", 1, 2)
        await asyncio.gather(job.step("one", lambda: asyncio.sleep(60)), job.step("two", lambda: asyncio.sleep(60)))

    stage = Stage(script, timeout_seconds=0.2)
    await stage.played()
    assert errors == ["ran over 0.2 s in step one, two"]


async def test_no_step_goes_on_after_its_attempt() -> None:
    async def script(payload: Text, job: JobContext) -> Any:
        async def slow() -> None:
            try:
                await asyncio.sleep(60)
            finally:
                stage.done.append("stopped")

        async def broken() -> None:
            await asyncio.sleep(0)
            raise FinalError("beside")

        await asyncio.gather(job.step("slow", slow), job.step("broken", broken))

    stage = Stage(script)
    await stage.played()
    assert stage.done == ["stopped"]


async def test_a_cancelled_job_stops_at_its_next_step() -> None:
    async def script(payload: Text, job: JobContext) -> Any:
        async def first() -> None:
            await stage.app.engine.cancel(job.job_id)
            stage.app.clock.advance(5)

        await job.step("first", first)
        await job.step("second", stage.doing("second"))

    stage = Stage(script)
    assert ((await stage.played()).status, stage.done) == (Status.CANCELLED, [])


@pytest.mark.parametrize("edited", [False, True])
async def test_an_edited_replay_begins_anew_and_an_unedited_one_goes_on(*, edited: bool) -> None:
    async def script(payload: Text, job: JobContext) -> Any:
        found = await job.step("count", stage.doing(payload.words, len(payload.words)))
        if job.job.replays == 0:
            raise FinalError("a mistake")
        return found

    stage = Stage(script)
    failed = await stage.played()
    payload = {"words": "longer"} if edited else None
    await stage.app.engine.replays.one(failed.dead_letter_id or "", payload=payload)
    played = await stage.app.ended(failed)
    assert (played.results, stage.done) == ((6, ["a b", "longer"]) if edited else (3, ["a b"]))


async def test_a_result_that_comes_late_changes_nothing() -> None:
    """The attempt that was taken for dead ends its step after the attempt that took over: whose result is kept stands."""
    gate, begun = asyncio.Event(), asyncio.Event()
    seen: list[tuple[int, int]] = []

    async def script(payload: Text, job: JobContext) -> Any:
        async def do() -> int:
            if job.attempt == 1:
                begun.set()
                await gate.wait()
            return job.attempt

        found = await job.step("race", do)
        seen.append((job.attempt, found))
        return found

    stage = Stage(script)
    ticket = await stage.app.submit(stage.play, Text())
    first = asyncio.create_task(stage.app.drain())
    await begun.wait()
    stage.app.restart()  # another process takes over
    stage.app.clock.advance(3600)
    played = await stage.app.ended(ticket)
    gate.set()
    await first
    assert (played.results, seen) == (2, [(2, 2), (1, 2)])
    assert (await stage.app.job(ticket)).results == 2


async def test_what_is_kept_goes_with_its_job() -> None:
    async def script(payload: Text, job: JobContext) -> Any:
        await job.step("a", stage.doing("a"))
        await job.effect("b", "1", stage.doing("b"))

    stage = Stage(script)
    await stage.played()
    assert len(stage.app.blobs.names()) == 3
    stage.app.clock.advance(40 * 86400)
    assert (await stage.app.engine.purge()).jobs == 1
    assert stage.app.blobs.names() == ()


async def test_no_crash_at_any_call_has_a_step_done_again_that_was_kept() -> None:
    async def play(faults: Faults) -> object:
        again: list[str] = []

        async def script(payload: Text, job: JobContext) -> Any:
            async def one(name: str) -> str:
                async def do() -> str:
                    kept = await stage.kept(await stage.app.job(job.job_id))
                    again.extend([name] if kept.get(name) is State.DONE else [])
                    return f"{name} made"

                return str(await job.step(name, do))

            return [await one("first"), *await asyncio.gather(one("second"), one("third")), await one("last")]

        stage = Stage(script)
        ticket = await stage.app.submit(stage.play, Text())
        stage.app.restart(faults)
        with suppress(StorageError, Died):
            await stage.app.ended(ticket)
        stage.app.restart()
        await stage.app.recover()
        played = await stage.app.job(ticket)
        return played.status, played.results, await stage.kept(played), again

    report = await crash_sweep(play)
    report.check()
    assert report.calls == 8
