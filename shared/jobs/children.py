"""The children of a job: jobs of the plan of a fan-out, started, looked at and cancelled by their parent.

A child's id is derived from its parent's plan and its own key: started twice, by an attempt that took over from one that
died, or by one that does not know that it was superseded, it is one job.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar, Unpack

from pydantic import JsonValue

from shared.jobs.cancel import Canceller
from shared.jobs.concurrently import run_all
from shared.jobs.dependencies import Dependencies
from shared.jobs.errors import FinalError, InvalidTransitionError, JobsError, UnreadableError
from shared.jobs.events import Followed, Woken
from shared.jobs.ids import derived_id
from shared.jobs.kinds import Kind, P, stored
from shared.jobs.log import LOG, about
from shared.jobs.model import Job, Status
from shared.jobs.submit import Submitter
from shared.jobs.ticket import Options, Ticket
from shared.jobs.tracing import traceparent
from shared.ports import AlreadyExistsError
from shared.storage import Versioned

_AT_ONCE = 16
"""Storage is asked for so many children at the same time."""
_LONG, _LARGE = 1_000, 100_000
"""Plans of so many children, or bytes, are written and read beside the event loop, not on it."""
T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True, slots=True)
class Child:
    """One job of a fan-out: `key` names it among its siblings, and with the plan's name makes its job id."""

    key: str
    kind: str
    payload: dict[str, JsonValue]

    @classmethod
    def of(cls, key: str, kind: Kind[P], payload: P) -> Child:
        """A child of a kind, its payload checked where it is written."""
        return cls(key, kind.name, stored(payload))


Plan = tuple[Child, ...]


class Parent(Protocol):
    """What jobs of a kind make of the jobs that they are made of."""

    async def child_changed(self, child: Job) -> None:
        """A child has ended, or was put back to life. May be told more than once, by several processes, in any order.

        Raises:
            StorageError: it could not be made sure that nothing is lost: to be told again.
        """
        ...

    async def cancel(self, parent: Job) -> None:
        """Have everything stop that is under way; nothing is started after this returns."""
        ...


class Children:
    """Starts, finds and stops the children of jobs."""

    def __init__(self, deps: Dependencies, submitter: Submitter, canceller: Canceller) -> None:
        self.deps = deps
        self._submitter = submitter
        self._canceller = canceller
        self._parents: dict[Callable[[Children], Parent], Parent] = {}
        self.replay: Callable[..., Awaitable[object]] | None = None
        """Puts a dead letter back, given its id and `by`."""
        self.finish: Callable[[Versioned[Job]], Awaitable[None]] = canceller.callbacks.finish
        """Does what is left once the outcome of a job is written."""

    def parent(self, kind: str) -> Parent:
        """What jobs of a kind make of their children; UnknownKindError where this code does not know the kind."""
        make: Callable[[Children], Parent] = self.deps.kinds[kind].parent or _Waking
        if make not in self._parents:
            self._parents[make] = make(self)
        return self._parents[make]

    async def tell(self, child: Job) -> None:
        """Tell the job that another is a part of how that one ended, or that it lives again."""
        await self.parent(str(child.parent_kind)).child_changed(child)

    async def wake(self, job_id: str, by: str, *, revive: bool = False) -> None:
        """Have a job go on that waits for its children; with `revive`, replay it where it failed. What has ended otherwise stays."""
        current = await self.deps.status.read(job_id)
        if current is None:
            return
        job = current.value
        if job.status is Status.FAILED and revive and self.replay:
            await self.replay(job.dead_letter_id, by=by)
        if job.status.final or job.woken_at:
            return
        try:
            current = await self.deps.status.change(current, Woken(self.deps.clock.now()))
        except InvalidTransitionError:
            return  # it is about to look anyway, or has ended
        if current.value.status is Status.QUEUED:
            await self.deps.send_or_leave(current)

    async def plan(self, parent: Job, draft: AsyncIterator[Child]) -> tuple[str, Plan]:
        """Keep a plan for good, and return the name of its blob; where the job has one already, that one stands."""
        name = f"jobs/{parent.job_id}/plan-{parent.replays}.json"
        children = [child async for child in draft]
        if len({child.key for child in children}) < len(children):
            raise FinalError("two children of the plan have the same key")
        data = _written(children) if len(children) < _LONG else await asyncio.to_thread(_written, children)
        with suppress(AlreadyExistsError):
            await self.deps.blobs.create(name, data)
            return name, tuple(children)
        return name, await self.planned(name)

    async def planned(self, name: str) -> Plan:
        """Read a plan back; UnreadableError where it is gone."""
        blob = await self.deps.blobs.read(name)
        if blob is None:
            raise UnreadableError(f"the plan {name} is gone")
        return _read(blob.data) if len(blob.data) < _LARGE else await asyncio.to_thread(_read, blob.data)

    async def read(self, parent: Job, children: Iterable[Child]) -> list[Job | None]:
        """Each child as it stands; None where it was not started yet."""

        async def one(child: Child) -> Job | None:
            current = await self.deps.status.read(id_of(parent, child))
            return current.value if current else None

        return await each(children, one)

    async def start(self, parent: Job, children: Iterable[Child]) -> None:
        """Start children; one that was started already stays as it is."""

        async def one(child: Child) -> None:
            await self._submit(parent, child)

        await each(children, one)

    async def follow(self, parent: Job, children: Iterable[Child]) -> bool:
        """Have children tell the parent of their end; False where one has ended already, and will not."""

        async def one(child: Child) -> bool:
            current = await self.deps.status.read(id_of(parent, child))
            if current is None:
                return False
            try:
                await self.deps.status.change(current, Followed(self.deps.clock.now(), parent.kind, child.key))
            except InvalidTransitionError:
                return False
            return True

        return all(await each(children, one))

    async def cancel(self, parent: Job) -> None:
        """Cancel the children that are under way.

        One that was about to be started is started first: so it cannot be started afterwards by an attempt that does
        not know yet that the job was cancelled.
        """
        if self.deps.kinds[parent.kind].parent:
            await self.parent(parent.kind).cancel(parent)
        fan_out = parent.fan_out
        if fan_out is None or not fan_out.under_way:
            return
        try:
            plan = await self.planned(fan_out.plan)
        except UnreadableError as error:
            LOG.error("children not cancelled, %s: %s", error, about(parent))
            return

        async def one(child: Child) -> None:
            await self.stop(parent, child.key, lambda: self._submit(parent, child))

        await each((plan[number] for number in fan_out.under_way), one)

    async def stop(self, parent: Job, key: str, start: Callable[[], Awaitable[Ticket]]) -> None:
        """Cancel a child, having started it: so nobody can who does not know yet that it is to stop."""
        try:
            ticket = await start()
            if not ticket.job.status.final:
                await self._canceller.cancel(Versioned(ticket.job, ticket.etag))
        except InvalidTransitionError:
            return  # it ended meanwhile
        except JobsError as error:  # nothing can start it any more
            LOG.error("child not cancelled: %s key=%s cause=%s", about(parent), key, type(error).__name__)

    async def call_off(self, job_id: str) -> None:
        """Cancel a child that nobody waits for any more, if there is such a job and it has not ended."""
        current = await self.deps.status.read(job_id)
        if current and not current.value.status.final:
            with suppress(InvalidTransitionError):
                await self._canceller.cancel(current)

    async def start_one(self, kind: str, payload: Mapping[str, Any], **options: Unpack[Options]) -> Ticket:
        """Start a child under the id that the options say; one that was started already stays as it is."""
        return await self._submitter.submit(kind, payload, **options)

    async def submit(self, by: Job, kind: Kind[P], payload: P, key: str, options: Options) -> Ticket:
        """Submit a job on behalf of another, under an id derived from both: submitted twice, it is one."""
        content = json.dumps(payload.model_dump(mode="json"), sort_keys=True)
        options = {
            "job_id": derived_id(by.created_at, f"{by.job_id}/{kind.name}/{key}/{content}"),
            "trace": traceparent(by),
            **options,
        }
        return await self._submitter.submit(kind, payload, **options)

    async def _submit(self, parent: Job, child: Child) -> Ticket:
        usual = self.deps.kinds.policy(parent.kind).priority
        return await self._submitter.submit(
            child.kind,
            child.payload,
            job_id=id_of(parent, child),
            parent_id=parent.job_id,
            parent_kind=parent.kind if parent.fan_out and parent.fan_out.told else None,
            child_key=child.key,
            priority=parent.priority
            if parent.priority is not usual
            else None,  # what was asked for the parent holds for all
            trace=traceparent(parent),
        )


class _Waking:
    """What a fan-out makes of its children: it looks for itself, once it is awake."""

    def __init__(self, children: Children) -> None:
        self._children = children

    async def child_changed(self, child: Job) -> None:
        """Wake the parent."""
        await self._children.wake(str(child.parent_id), f"child {child.child_key}")

    async def cancel(self, parent: Job) -> None:
        """`Children.cancel` does it, by the plan."""


def id_of(parent: Job, child: Child) -> str:
    """The id of a child's job. An edited payload has another plan, and children of its own."""
    plan = parent.fan_out.plan if parent.fan_out else parent.job_id
    return derived_id(parent.created_at, f"{plan}/{child.key}")


def _written(children: Iterable[Child]) -> bytes:
    return b"\n".join(json.dumps([child.key, child.kind, child.payload]).encode() for child in children)


def _read(data: bytes) -> Plan:
    return tuple(Child(*json.loads(line)) for line in data.splitlines())


async def each(what: Iterable[T], act: Callable[[T], Awaitable[U]]) -> list[U]:
    """Act on each, some at the same time."""
    limit = asyncio.Semaphore(_AT_ONCE)

    async def one(each: T) -> U:
        async with limit:
            return await act(each)

    return await run_all(one(each) for each in what)
