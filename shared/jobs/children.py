"""The children of a job: jobs of the plan of a fan-out, started, looked at and cancelled by their parent.

A child's id is derived from its parent's plan and its own key: started twice, by an attempt that took over from one that
died, or by one that does not know that it was superseded, it is one job.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from pydantic import JsonValue

from shared.jobs.cancel import Canceller
from shared.jobs.concurrently import run_all
from shared.jobs.dependencies import Dependencies
from shared.jobs.errors import FinalError, InvalidTransitionError, JobsError, UnreadableError
from shared.jobs.ids import derived_id
from shared.jobs.kinds import Kind, P, stored
from shared.jobs.log import LOG, about
from shared.jobs.model import Job
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


class Children:
    """Starts, finds and stops the children of jobs."""

    def __init__(self, deps: Dependencies, submitter: Submitter, canceller: Canceller) -> None:
        self._deps = deps
        self._submitter = submitter
        self._canceller = canceller

    async def plan(self, parent: Job, draft: AsyncIterator[Child]) -> tuple[str, Plan]:
        """Keep a plan for good, and return the name of its blob; where the job has one already, that one stands."""
        name = f"jobs/{parent.job_id}/plan-{parent.replays}.json"
        children = [child async for child in draft]
        if len({child.key for child in children}) < len(children):
            raise FinalError("two children of the plan have the same key")
        data = _written(children) if len(children) < _LONG else await asyncio.to_thread(_written, children)
        with suppress(AlreadyExistsError):
            await self._deps.blobs.create(name, data)
            return name, tuple(children)
        return name, await self.planned(name)

    async def planned(self, name: str) -> Plan:
        """Read a plan back; UnreadableError where it is gone."""
        blob = await self._deps.blobs.read(name)
        if blob is None:
            raise UnreadableError(f"the plan {name} is gone")
        return _read(blob.data) if len(blob.data) < _LARGE else await asyncio.to_thread(_read, blob.data)

    async def read(self, parent: Job, children: Iterable[Child]) -> list[Job | None]:
        """Each child as it stands; None where it was not started yet."""

        async def one(child: Child) -> Job | None:
            current = await self._deps.status.read(id_of(parent, child))
            return current.value if current else None

        return await _each(children, one)

    async def start(self, parent: Job, children: Iterable[Child]) -> None:
        """Start children; one that was started already stays as it is."""

        async def one(child: Child) -> None:
            await self._submit(parent, child)

        await _each(children, one)

    async def cancel(self, parent: Job) -> None:
        """Cancel the children that are under way.

        One that was about to be started is started first: so it cannot be started afterwards by an attempt that does
        not know yet that the job was cancelled.
        """
        fan_out = parent.fan_out
        if fan_out is None or not fan_out.under_way:
            return
        try:
            plan = await self.planned(fan_out.plan)
        except UnreadableError as error:
            LOG.error("children not cancelled, %s: %s", error, about(parent))
            return

        async def one(child: Child) -> None:
            try:
                ticket = await self._submit(parent, child)
                if not ticket.job.status.final:
                    await self._canceller.cancel(Versioned(ticket.job, ticket.etag))
            except InvalidTransitionError:
                return  # it ended meanwhile
            except JobsError as error:  # nothing can start it any more
                LOG.error("child not cancelled: %s key=%s cause=%s", about(parent), child.key, type(error).__name__)

        await _each((plan[number] for number in fan_out.under_way), one)

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
        usual = self._deps.kinds.policy(parent.kind).priority
        return await self._submitter.submit(
            child.kind,
            child.payload,
            job_id=id_of(parent, child),
            parent_id=parent.job_id,
            priority=parent.priority
            if parent.priority is not usual
            else None,  # what was asked for the parent holds for all
            trace=traceparent(parent),
        )


def id_of(parent: Job, child: Child) -> str:
    """The id of a child's job. An edited payload has another plan, and children of its own."""
    plan = parent.fan_out.plan if parent.fan_out else parent.job_id
    return derived_id(parent.created_at, f"{plan}/{child.key}")


def _written(children: Iterable[Child]) -> bytes:
    return b"\n".join(json.dumps([child.key, child.kind, child.payload]).encode() for child in children)


def _read(data: bytes) -> Plan:
    return tuple(Child(*json.loads(line)) for line in data.splitlines())


async def _each(what: Iterable[T], act: Callable[[T], Awaitable[U]]) -> list[U]:
    """Act on each, some at the same time."""
    limit = asyncio.Semaphore(_AT_ONCE)

    async def one(each: T) -> U:
        async with limit:
            return await act(each)

    return await run_all(one(each) for each in what)
