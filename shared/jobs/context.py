"""What a handler sees of its job, and what keeps the attempt's hold on it."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any, TypeVar, Unpack, overload

from pydantic import JsonValue

from shared.jobs.children import Children
from shared.jobs.dependencies import Dependencies
from shared.jobs.effects import Effects, Resolution
from shared.jobs.errors import InvalidTransitionError, JobCancelledError, JobsError, SupersededError
from shared.jobs.events import Event, Progressed
from shared.jobs.kept import KeptStore
from shared.jobs.kinds import Kind, P
from shared.jobs.log import LOG
from shared.jobs.model import FanOut, Job, Progress, Status
from shared.jobs.steps import StepPolicy, Steps, made_into
from shared.jobs.ticket import Options, Ticket
from shared.jobs.tracing import traceparent
from shared.ports import BlobStore, Clock, Containers, DocumentStore, StorageError
from shared.settings import Settings
from shared.storage import Versioned

_POLL_SECONDS = 1.0
"""`checkpoint` asks storage at most this often."""
_INDEX_SECONDS = 5.0
"""Progress reaches the index at most this often."""


_NEARLY, _NEARLY_AT_MOST = 0.1, 30.0
"""The share of an attempt's time, and the seconds, that are left when its time is nearly up."""
T = TypeVar("T", bound=JobsError)
R = TypeVar("R")


class JobContext:
    """The handler's side of an attempt: progress, checkpoints, and the ports that it may use."""

    def __init__(self, deps: Dependencies, current: Versioned[Job], children: Children) -> None:
        self._deps = deps
        self.children = children
        """Starts and finds the jobs that this one is made of: what `fan_out` works with."""
        self._current = current
        self._lock = asyncio.Lock()
        self._polled_at = deps.clock.now()
        self._indexed: float | None = None
        self.handler: asyncio.Task[Any] | None = None
        """The task in which the handler runs, once it does."""
        self.ends_at = math.inf
        """When, by the loop's clock, the handler is stopped."""
        self.kept_until = current.value.due_at
        """Until when the lease was renewed for this attempt, while it could not do so itself."""
        self.neighbours: Callable[[Job], int] = lambda _: 0
        """How many other attempts of this process may as well be the cause, were it to die."""
        self.overran = False
        """Whether it was written down that this attempt blocks its process beyond its time."""
        self._stops: list[JobsError] = []
        self.ended_by_host = False
        """Whether the host ends this invocation."""
        self._reported: str | None = None
        self.steps: Steps | None = None
        """The steps of this attempt, once it has any."""
        self.attempt: int = current.value.attempt
        """The number of this attempt."""
        self.fence: int = current.value.attempt
        """The number that proves which attempt is the current one; grows with every claim."""
        self.log = _BoundLogger(LOG, {"job": current.value.job_id, "kind": current.value.kind, "attempt": self.attempt})

    @property
    def current(self) -> Versioned[Job]:
        """The record with its ETag, as this attempt last saw it."""
        return self._current

    @property
    def job(self) -> Job:
        """The record as this attempt last saw it."""
        return self._current.value

    @property
    def job_id(self) -> str:
        """The job's id."""
        return self._current.value.job_id

    @property
    def trace(self) -> str:
        """The W3C traceparent of this attempt, for whatever it calls."""
        return traceparent(self.job)

    @property
    def last_attempt(self) -> bool:
        """Whether the job gives up if this attempt fails."""
        return self.job.failures + 1 >= self._deps.kinds.policy_of(self.job).max_attempts

    @property
    def timeout_seconds(self) -> float:
        """How long an attempt may take."""
        return self._deps.kinds.policy_of(self.job).timeout_seconds

    @property
    def state(self) -> JsonValue:
        """What an earlier attempt handed over (`HandOver`), or None."""
        return self.job.state

    @property
    def draining(self) -> bool:
        """Whether this attempt is to come to an end: the host ends its invocation, or its time is nearly up.

        A handler that sees it, in its loop or as it is cancelled, may `raise HandOver(state)`, to go on from there in the
        next attempt. When a host ends an invocation it waits for a second or so; nothing tells of a process that is killed.
        """
        return self.ended_by_host or self.remaining() < min(_NEARLY * self.timeout_seconds, _NEARLY_AT_MOST)

    def remaining(self) -> float:
        """Seconds that are left to this attempt until it is stopped."""
        if self.handler is None:
            return self.timeout_seconds
        return max(0.0, self.ends_at - asyncio.get_running_loop().time())

    @property
    def settings(self) -> Settings:
        """The app's settings."""
        return self._deps.settings

    @property
    def documents(self) -> DocumentStore:
        """The document store."""
        return self._deps.documents

    @property
    def blobs(self) -> BlobStore:
        """The status container, for artifacts beside the status."""
        return self._deps.blobs

    @property
    def containers(self) -> Containers:
        """Other containers of blobs, also of other accounts."""
        return self._deps.containers

    @property
    def clock(self) -> Clock:
        """The time."""
        return self._deps.clock

    @property
    def place(self) -> str | None:
        """The steps that are at work; else what this attempt reported last."""
        return ", ".join(self.steps.running[:5] if self.steps else ()) or self._reported

    @overload
    async def step(
        self, name: str, do: Callable[[], Awaitable[Any] | Any], *, into: type[R], policy: StepPolicy | None = None
    ) -> R: ...
    @overload
    async def step(
        self, name: str, do: Callable[[], Awaitable[Any] | Any], *, policy: StepPolicy | None = None
    ) -> Any: ...
    async def step(
        self,
        name: str,
        do: Callable[[], Awaitable[Any] | Any],
        *,
        into: type[Any] | None = None,
        policy: StepPolicy | None = None,
    ) -> Any:
        """Do a part of the work, and keep its result: a later attempt of this job is given that, and does not do it again.

        The result is JSON, also at the first time; `into` makes it what it was. Steps may run at once (`asyncio.gather`). Where a
        replay edits the payload, steps made of the old one do not count. One write; in a later attempt one read for each step.

        Args:
            name: names the step within the job; each one in a loop needs a name of its own.
            do: does it; must be safe to run twice, since its worker may die before the result is kept. What is not a coroutine
                function runs in a thread.
            into: what the result is to be: a pydantic model, or any type that pydantic can make of JSON.
            policy: how it is tried, and for how long; by default once, and what it raises is up to the job's policy.

        Raises:
            StepError: there are two steps of this name, one is within another, or what is kept is not what `into` says.
            JobCancelledError: the job is to stop; this may come before any step.
            SupersededError: a later attempt holds the job.
            Snooze: the policy waits for so long that the job lets go of its worker: let it pass.
        """
        result = await self._begun_steps()[0].result(name, do, policy or StepPolicy())
        return result if into is None else made_into(into, result, name)

    async def effect(
        self,
        name: str,
        key: str,
        do: Callable[[], Awaitable[Any] | Any],
        *,
        resolve: Callable[[], Awaitable[Resolution] | Resolution] | None = None,
    ) -> Any:
        """Do something to the outside that must not be done twice, and return what came of it, which is kept.

        That it is begun is written before `do` is called. An attempt that finds it begun by another, and not ended, calls
        `resolve`. Without that, or where that does not know, the job is parked in the vault with the question, and a replay
        answers it. An edited replay does not undo it: the key says what it is about. One read, and two writes.

        Args:
            name: what sort of effect, such as "charge".
            key: which one, such as the order; give it to the other side as well, where that takes an idempotency key.
            do: does it. Raises `NotDoneError` where it knows that nothing was done; whatever else it raises leaves that open.
            resolve: asks the other side: returns `Done(result)`, `NotDone()` or `Unknown()`.

        Raises:
            UncertainError: nobody knows whether it was done: let it pass.
            StepError, JobCancelledError, SupersededError: as `step`.
        """
        return await self._begun_steps()[1].result(f"{name}:{key}", do, resolve)

    def _begun_steps(self) -> tuple[Steps, Effects]:
        store = KeptStore(self._deps.blobs, self._deps.clock)
        self.steps = self.steps or Steps(self, store)
        return self.steps, Effects(self, store, self.steps)

    async def submit(self, kind: Kind[P], payload: P, *, key: str = "", **options: Unpack[Options]) -> Ticket:
        """Submit another job. Its id derives from this job, the kind and the payload: submitted twice, it is one.

        So a handler that runs again, since its worker died or an attempt failed, submits nothing anew.

        Args:
            kind: the kind.
            payload: its payload.
            key: tells jobs apart that are submitted with the same payload.
            **options: see `Options`.

        Raises:
            StorageError: the job was not taken in.
        """
        return await self.children.submit(self.job, kind, payload, key, options)

    async def progress(self, step: str, completed: int, total: int) -> None:
        """Report how far the attempt is, and renew its lease. One storage call.

        Raises:
            JobCancelledError: the job is to stop.
            SupersededError: a later attempt holds the job.
        """
        self._reported = step
        await self._live(Progress(step=step, completed=completed, total=total))
        await self._index()
        self._raise_if_cancelled()

    async def fanned_out(self, state: FanOut) -> None:
        """Write how far the fan-out has come, which is the job's progress too. Raises as `progress` does."""
        await self._live(Progress(step="child jobs", completed=state.ended, total=state.total), state)
        await self._index()
        self._raise_if_cancelled()

    async def checkpoint(self) -> None:
        """Raise if the attempt should stop: JobCancelledError or SupersededError. At most one storage call a second."""
        now = self.clock.now()
        if (now - self._polled_at).total_seconds() >= _POLL_SECONDS:
            self._polled_at = now
            await self.confirm()
        self._raise_if_cancelled()

    async def confirm(self) -> None:
        """Look whether this attempt is still the current one; SupersededError where it is not. One storage call."""
        async with self._lock:
            await self._refresh()

    async def checked(self) -> None:
        """As `checkpoint`, but storage is always asked."""
        await self.confirm()
        self._raise_if_cancelled()

    async def settle(self, event: Event) -> Versioned[Job]:
        """Write how the attempt ended."""
        async with self._lock:
            try:
                self._current = await self._deps.status.change(self._current, event)
            except InvalidTransitionError as error:
                raise self._stop(error) from None
            return self._current

    def begin(self, timeout_seconds: float, handler: asyncio.Task[Any]) -> None:
        """The handler is called now."""
        self.handler, self.steps = handler, None
        self.ends_at = asyncio.get_running_loop().time() + timeout_seconds
        if self.ended_by_host:
            handler.cancel()

    async def payload(self, kind: Kind[P]) -> P:
        """The job's payload, as the model of its kind's present version."""
        return kind.parse(await self._deps.payload(self.job), self.job.payload_version)

    def drain(self) -> None:
        """The host ends this invocation: stop the handler, which may still hand over."""
        self.ended_by_host = True
        if self.handler:
            self.handler.cancel()

    async def renew_quietly(self) -> None:
        """Renew the lease, and write who runs beside this attempt; where that fails, the next renewal does."""
        with suppress(InvalidTransitionError, StorageError):
            await self._live(None)

    def owns(self, error: BaseException) -> bool:
        """Whether an exception is one by which this attempt was told to stop, and not about some other job."""
        return any(error is stop for stop in self._stops)

    async def beat(self) -> None:
        """Renew the lease, where progress does not, until this is cancelled."""
        lease = self._deps.timing.lease
        while True:
            await asyncio.sleep(lease.total_seconds() / 3)
            if self.job.due_at - self.clock.now() > lease * 0.7:
                continue
            try:
                await self._live(None)
                await self._index()
            except InvalidTransitionError:
                return
            except StorageError as error:
                self.log.warning("lease not renewed: cause=%s", type(error).__name__)

    async def _live(self, progress: Progress | None, fan_out: FanOut | None = None) -> None:
        now = self.clock.now()
        self.kept_until = now + self._deps.timing.lease
        event = Progressed(now, self.fence, self.kept_until, progress, fan_out, self.neighbours(self.job))
        await self.settle(event)

    async def _refresh(self) -> None:
        current = await self._deps.status.read(self.job_id)
        if current is None or current.value.attempt != self.fence or current.value.status is not Status.RUNNING:
            raise self._stop(SupersededError())
        self._current = current

    async def _index(self) -> None:
        now = self.clock.now().timestamp()
        if self._indexed is None or now - self._indexed >= _INDEX_SECONDS:
            self._indexed = now
            await self._deps.project(self.job)

    def _raise_if_cancelled(self) -> None:
        if self.job.cancel_requested:
            raise self._stop(JobCancelledError())

    def _stop(self, error: T) -> T:
        self._stops.append(error)
        return error


class _BoundLogger(logging.LoggerAdapter[logging.Logger]):
    """Names the job in every line."""

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        bound = " ".join(f"{name}={value}" for name, value in (self.extra or {}).items())
        return f"{msg} {bound}", {**kwargs, "extra": self.extra}
