"""An app in memory: kinds of jobs, stores, a clock that can be moved, and a host that delivers when it is told to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta
from typing import Any, TypeVar, Unpack

from pydantic import BaseModel

from shared.jobs.dependencies import Dependencies
from shared.jobs.engine import Engine
from shared.jobs.envelope import Delivery, decode
from shared.jobs.errors import JobNotFoundError, UnreadableError
from shared.jobs.ids import derived_id
from shared.jobs.kinds import Kind, Queues, Registry
from shared.jobs.model import Job
from shared.jobs.store import StatusStore, id_of
from shared.jobs.testing.clock import FakeClock
from shared.jobs.testing.faults import Around, Faults, FaultyBlobs, FaultyDocuments, FaultyQueues
from shared.jobs.testing.host import Host
from shared.jobs.testing.memory import MemoryBlobs, MemoryContainers, MemoryDocuments, MemoryQueues
from shared.jobs.ticket import Options, Ticket
from shared.settings import Settings

T = TypeVar("T")
P = TypeVar("P", bound=BaseModel)

_CALLS: ContextVar[list[str] | None] = ContextVar("calls", default=None)
_PATIENCE = 1000
"""How often the clock is moved to what is due next before a job is taken for one that never ends."""


class MemoryApp:
    """Jobs without an account, a host or a wait.

    Example::

        app = MemoryApp(greet)
        job = await app.perform(greet, Greeting(name="ann"))
        assert job.results == {"said": "hello ann"}

    The engine is the real one; what is in memory are the stores, and they keep to the contract of the real ones.

    Args:
        kinds: the kinds of jobs under test, and those that they submit.
        settings: what handlers find as `job.settings`, and policies are made from.
    """

    def __init__(self, *kinds: Kind[Any], settings: Settings | None = None) -> None:
        self.clock = FakeClock()
        self.blobs = MemoryBlobs(self.clock)
        self.queues = MemoryQueues(self.clock)
        self.documents = MemoryDocuments(self.clock)
        self.containers = MemoryContainers(self.clock)
        self.host = Host(self.queues)
        self._settings = settings or Settings()
        self._registry = Registry(kinds, Queues(), self._settings)
        self._calls: dict[str, list[str]] = defaultdict(list)
        self._submissions = 0
        self._status = StatusStore(self.blobs, self.clock)
        """What the app's own looking at jobs goes through: no call of theirs, and never disturbed."""
        self.engine = self.restart()

    def restart(self, faults: Around | None = None) -> Engine:
        """Start a new process: what was in the memory of the one before is gone. `faults`: what befalls its storage calls."""
        counted = _Counted(faults or Faults())
        self.engine = Engine(
            Dependencies(
                FaultyBlobs(self.blobs, counted), FaultyQueues(self.queues, counted),
                FaultyDocuments(self.documents, counted), self.clock, self._registry, self._settings, containers=self.containers,
            )
        )  # fmt: skip
        return self.engine

    async def submit(self, kind: Kind[P], payload: P, **options: Unpack[Options]) -> Ticket:
        """Take a job in, as the app does; nothing runs yet."""
        self._submissions += 1
        # An id made from this clock's time, and the same in each play of a scenario.
        options.setdefault("job_id", derived_id(self.clock.now(), f"submission {self._submissions}"))
        with _counting() as calls:
            ticket = await self.engine.submit(kind, payload, **options)
        self._calls[ticket.job.job_id] += calls
        return ticket

    async def perform(self, kind: Kind[P], payload: P, **options: Unpack[Options]) -> Job:
        """Submit a job and let it run to its outcome, retries and children included; return its record."""
        return await self.ended(await self.submit(kind, payload, **options))

    async def ended(self, ticket: Ticket | Job | str) -> Job:
        """Let everything run, moving the clock to whatever is due next, until this job has ended."""
        for _ in range(_PATIENCE):
            job = await self.job(ticket)
            if job.status.final:
                return job
            await self.drain()
            moment = self.queues.next_at()
            self.clock.time = max(self.clock.time, moment or self.clock.time)
        raise AssertionError(f"the job never ends: {await self.job(ticket)}")

    async def drain(self, within: timedelta = timedelta(0)) -> int:
        """Run everything that is due, and what becomes due `within` the time by which the clock is moved.

        Returns:
            How many messages were delivered.
        """
        until = self.clock.now() + within
        delivered = await self.host.pump(self)
        while (moment := self.queues.next_at()) is not None and moment <= until:
            self.clock.time = max(self.clock.time, moment)
            delivered += await self.host.pump(self)
        self.clock.time = max(self.clock.time, until)
        return delivered

    async def recover(self) -> None:
        """Let time pass, with the sweep on its schedule, until nothing is left to do."""
        await recover(self.host, self, self.clock)

    async def job(self, ticket: Ticket | Job | str) -> Job:
        """The job as it stands."""
        current = await self._status.read(_id(ticket))
        if current is None:
            raise JobNotFoundError(f"there is no job {_id(ticket)}")
        return current.value

    async def submitted(self, kind: Kind[Any] | None = None) -> list[Job]:
        """Every job that was submitted (of this kind), by whomever, in that order, as it stands now."""
        names = [name for name in self.blobs.names() if name.startswith("jobs/") and name.endswith("/status.json")]
        jobs = [await self.job(id_of(name)) for name in names]
        return [job for job in jobs if kind is None or job.kind == kind.name]

    def calls(self, ticket: Ticket | Job | str) -> int:
        """How many storage calls a job has cost so far: to submit it, and all its attempts, the engine's and its own."""
        return len(self.called(ticket))

    def called(self, ticket: Ticket | Job | str) -> list[str]:
        """The names of these calls in their order, such as ``blobs.create`` or ``jobs.put``."""
        return list(self._calls.get(_id(ticket), ()))

    async def process(self, delivery: Delivery) -> str:
        """Run a message, as the queue trigger does."""
        return await self._delivered(self.engine.process_or_put_back, delivery)

    async def record_or_put_back(self, delivery: Delivery) -> str:
        """Record a message of a poison queue, as its trigger does."""
        return await self._delivered(self.engine.record_or_put_back, delivery)

    async def sweep(self) -> Any:
        """Look for what fell between two writes, as its timer does."""
        return await self.engine.sweep()

    async def _delivered(self, act: Callable[[Delivery], Awaitable[str]], delivery: Delivery) -> str:
        with _counting() as calls:
            try:
                return await act(delivery)
            finally:
                self._calls[_job_of(delivery)] += calls


async def recover(host: Host, engine: Any, clock: FakeClock, rounds: int = 40) -> None:
    """Let time pass, with the host at work and the sweep on its schedule, until nothing is left to do.

    Raises:
        AssertionError: it never comes to rest.
    """
    for _ in range(rounds):
        delivered = await host.pump(engine)
        clock.advance(700)
        delivered += await host.pump(engine)
        report = await engine.sweep()
        delivered += await host.pump(engine)
        if host.queues.idle and not delivered and not (report.resent or report.projected):
            return
    raise AssertionError(f"no rest after {rounds} rounds; last messages: {host.deliveries[-5:]}")


class _Counted:
    """Notes each call for the job on whose behalf it is made."""

    def __init__(self, inner: Around) -> None:
        self._inner = inner

    async def around(self, name: str, call: Callable[[], Awaitable[T]]) -> T:
        calls = _CALLS.get()
        if calls is not None:
            calls.append(name)
        return await self._inner.around(name, call)


@contextmanager
def _counting() -> Iterator[list[str]]:
    calls: list[str] = []
    token = _CALLS.set(calls)
    try:
        yield calls
    finally:
        _CALLS.reset(token)


def _job_of(delivery: Delivery) -> str:
    try:
        return decode(delivery.body).job_id
    except UnreadableError:
        return ""


def _id(ticket: Ticket | Job | str) -> str:
    if isinstance(ticket, Ticket):
        return ticket.job.job_id
    return ticket if isinstance(ticket, str) else ticket.job_id
