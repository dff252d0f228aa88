"""Steps: parts of a handler's work whose results are kept, so that no later attempt does them again.

A step's result is written once it is made, in a blob of its own (`shared.jobs.kept`), and from then on stands. A first attempt has
nothing to look for, and pays one write for each step; a later one reads each step that it comes to. A step must be safe to run
twice all the same: its worker may die between the work and the write. What must not happen twice is an effect
(`shared.jobs.effects`).
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol
from urllib.parse import quote

from pydantic import JsonValue, TypeAdapter, ValidationError
from pydantic_core import to_json

from shared.jobs.backoff import delay
from shared.jobs.errors import FinalError, JobsError, OvertimeError, RetryLater, Snooze, StepError
from shared.jobs.failures import is_outage, name_of
from shared.jobs.kept import Kept, KeptStore, State, step_blob
from shared.jobs.kinds import problems_of
from shared.jobs.model import Job
from shared.jobs.storable import storable
from shared.ports import Clock
from shared.storage import Versioned

_LONG = 15.0
"""Seconds of a wait between two tries, beyond which the job lets go of its worker meanwhile."""
_LONGEST_NAME = 500
"""Characters of a name, those that a URL escapes counted as three each."""
_INSIDE: ContextVar[str | None] = ContextVar("step", default=None)
Work = Callable[[], Awaitable[Any] | Any]


@dataclass(frozen=True, slots=True)
class StepPolicy:
    """How a step is tried, within one attempt of its job. Times are seconds."""

    max_attempts: int = 1
    """How often it is tried before its error is the attempt's; the job's own policy says what becomes of that."""
    base_backoff_seconds: float = 1
    min_backoff_seconds: float = 0
    max_backoff_seconds: float = 60
    jitter_seconds: float = 0
    timeout_seconds: float | None = None
    """How long one try may take; None: as long as the attempt has."""
    final: tuple[type[Exception], ...] = ()
    """Exceptions that are the attempt's at once."""


class Attempt(Protocol):
    """What steps need of the attempt that they are part of."""

    fence: int

    @property
    def log(self) -> logging.LoggerAdapter[logging.Logger]:
        """Names the job in every line."""
        ...

    @property
    def job(self) -> Job:
        """The record as the attempt last saw it."""
        ...

    @property
    def clock(self) -> Clock:
        """The time."""
        ...

    def remaining(self) -> float:
        """Seconds that are left to it."""
        ...

    async def checkpoint(self) -> None:
        """Raise if it should stop."""
        ...

    async def checked(self) -> None:
        """Raise if it should stop; storage is asked."""
        ...


class Steps:
    """The steps of one attempt."""

    def __init__(self, attempt: Attempt, store: KeptStore) -> None:
        self._attempt = attempt
        self._store = store
        self._done: set[str] = set()
        self._running: dict[str, asyncio.Task[Any] | None] = {}
        self._waiting: set[str] = set()

    @property
    def running(self) -> list[str]:
        """The names of those that are at work."""
        return list(self._running)

    async def result(self, name: str, do: Work, policy: StepPolicy) -> JsonValue:
        """The result of a step: the one that is kept, or what it makes now."""
        with self.at(name):
            kept = await self.known(step_blob(self._attempt.job, name))
            if kept and kept.value.state is State.DONE:
                return kept.value.result
            await self._attempt.checkpoint()
            return await self._make(name, do, policy, kept)

    @contextmanager
    def at(self, name: str) -> Iterator[None]:
        """Mark a step as being at work; StepError where that cannot be."""
        if not name or len(quote(name, safe="")) > _LONGEST_NAME:
            raise StepError(f"a step's name has 1 to {_LONGEST_NAME} characters")
        if outer := _INSIDE.get():
            raise StepError(f"step {name!r} is begun within step {outer!r}: steps are not nested")
        if name in self._done or name in self._running:
            raise StepError(
                f"two steps are called {name!r}: a step in a loop needs a name of its own, such as f'page-{{n}}'"
            )
        self._running[name] = asyncio.current_task()
        try:
            yield
        finally:
            del self._running[name]
        self._done.add(name)

    async def known(self, blob_name: str) -> Versioned[Kept] | None:
        """What is kept of a step or an effect; a job's first attempt need not ask."""
        if self._attempt.fence == 1 and not self._attempt.job.decided:
            return None
        return await self._store.read(blob_name)

    async def stop(self) -> None:
        """The attempt has ended: stop what is still at work beside its handler."""
        left = [task for task in self._running.values() if task is not None and not task.done()]
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left, timeout=1)

    async def _make(self, name: str, do: Work, policy: StepPolicy, kept: Versioned[Kept] | None) -> JsonValue:
        job = self._attempt.job
        this_round = f"{job.replays} {job.failures}"
        tries = kept.value.tries if kept and kept.value.round == this_round else 0
        while True:
            try:
                result = storable(await called(name, do, policy.timeout_seconds), f"the result of step {name!r}")
            except Exception as error:
                tries += 1
                if tries >= policy.max_attempts or _concerns_the_job(error, policy):
                    raise
                seconds = _wait(tries, policy, error)
                self._attempt.log.warning(
                    "step failed, next try in %.1f s: step=%s error=%s", seconds, name, name_of(error)
                )
                if seconds > min(_LONG, self._attempt.remaining() / 2):
                    await self._put_off(name, tries, this_round, seconds, kept)
            else:
                return await self._keep(name, result, kept)
            await self._attempt.clock.sleep(seconds)
            await self._attempt.checkpoint()

    async def _put_off(
        self, name: str, tries: int, this_round: str, seconds: float, kept: Versioned[Kept] | None
    ) -> None:
        """Let go of the worker until the next try; once the steps have ended that are at work beside this one."""
        waits = self._kept(name, State.WAITING).model_copy(update={"tries": tries, "round": this_round})
        await self._store.put(step_blob(self._attempt.job, name), waits, kept)
        self._waiting.add(name)
        await asyncio.sleep(0)  # what was to begin at the same time has begun then
        mine = self._running[name]
        beside = [t for n, t in self._running.items() if t and t is not mine and n not in self._waiting]
        if beside:
            await asyncio.wait(beside)
        raise Snooze(seconds, f"step {name} waits for try {tries + 1}")

    async def _keep(self, name: str, result: JsonValue, before: Versioned[Kept] | None) -> JsonValue:
        """Keep a result. Where another attempt's is kept already, that one stands, for all attempts alike."""
        kept = self._kept(name, State.DONE).model_copy(update={"result": result})
        while True:
            there, mine = await self._store.put(step_blob(self._attempt.job, name), kept, before)
            if mine or there.value.state is State.DONE:
                return there.value.result
            before = there

    def _kept(self, name: str, state: State) -> Kept:
        return Kept(name=name, state=state, at=self._attempt.clock.now(), attempt=self._attempt.fence)


async def called(name: str, do: Work, timeout_seconds: float | None = None) -> Any:
    """Do the work of a step: on the event loop where it is a coroutine function, else in a thread."""
    token, limit = _INSIDE.set(name), asyncio.timeout(timeout_seconds)
    try:
        async with limit:
            if inspect.iscoroutinefunction(do):
                return await do()
            result = await asyncio.to_thread(do)
            return await result if inspect.isawaitable(result) else result
    except TimeoutError as error:
        if limit.expired():
            raise OvertimeError(f"step {name} ran over {timeout_seconds:g} s") from error
        raise
    finally:
        _INSIDE.reset(token)


def made_into(into: type[Any], result: JsonValue, name: str) -> Any:
    """A kept result as what it is to be; StepError where it cannot be that."""
    try:
        return _adapter(into).validate_json(to_json(result))
    except ValidationError as error:
        places = ", ".join(problem.field or "the whole" for problem in problems_of(error)[:5])
        raise StepError(f"what is kept of step {name!r} is no {into}: {places}") from None


_adapter: Callable[[Any], TypeAdapter[Any]] = cache(TypeAdapter)


def _concerns_the_job(error: Exception, policy: StepPolicy) -> bool:
    """Whether another try would not help: it is final, or about the whole attempt, or the app's own storage fails."""
    if isinstance(error, RetryLater | OvertimeError):
        return False
    return isinstance(error, (FinalError, JobsError, *policy.final)) or is_outage(error)


def _wait(tries: int, policy: StepPolicy, error: Exception) -> float:
    return delay(
        tries,
        base=policy.base_backoff_seconds,
        cap=policy.max_backoff_seconds,
        least=policy.min_backoff_seconds,
        jitter=policy.jitter_seconds,
        at_least=error.seconds if isinstance(error, RetryLater) else 0.0,
    )
