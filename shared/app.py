"""The app as a value: everything that a function of it works with. `shared.bootstrap` makes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol, Unpack

from shared.adapters.calls import Calls
from shared.jobs.engine import Engine
from shared.jobs.kinds import Kind, P
from shared.jobs.ticket import Options, Ticket
from shared.jobs.timers.ledger import Ledger
from shared.monitor.monitor import Monitor
from shared.monitor.stats import Stats
from shared.monitor.telemetry import Telemetry
from shared.ports import BlobStore, Clock, DocumentStore, MessageQueues
from shared.settings import Settings


class Closeable(Protocol):
    """What holds connections."""

    async def close(self) -> None:
        """Close them."""
        ...


@dataclass(frozen=True, eq=False)
class App:
    """Everything that a function of the app works with."""

    settings: Settings
    engine: Engine
    blobs: BlobStore
    queues: MessageQueues
    documents: DocumentStore
    clock: Clock
    ledger: Ledger
    stats: Stats
    telemetry: Telemetry | None = None
    calls: Calls = field(default_factory=Calls)
    _closing: tuple[Closeable, ...] = ()

    async def submit(self, kind: Kind[P], payload: P, **options: Unpack[Options]) -> Ticket:
        """Take a job in and return its ticket; see `shared.jobs.submit.Submitter.submit`."""
        return await self.engine.submit(kind, payload, **options)

    @cached_property
    def monitor(self) -> Monitor:
        """What watches this app."""
        return Monitor(self)

    async def close(self) -> None:
        """Close the connections; for tests and tools, since the host keeps a process until it ends it."""
        for each in self._closing:
            await each.close()
