"""The app as a value: everything that a function of it works with. `shared.bootstrap` makes it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol, Self, Unpack

from shared.calls import Calls
from shared.jobs.engine import Engine
from shared.jobs.kinds import Kind, P
from shared.jobs.ticket import Options, Ticket
from shared.jobs.timers.ledger import Ledger
from shared.monitor.monitor import Monitor
from shared.monitor.stats import Stats
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
    monitor: Monitor
    calls: Calls
    _closing: tuple[Closeable, ...] = ()

    def closing(self, *more: Closeable) -> Self:
        """This app, which closes more things when it is closed."""
        return replace(self, _closing=(*self._closing, *more))

    async def submit(self, kind: Kind[P], payload: P, **options: Unpack[Options]) -> Ticket:
        """Take a job in and return its ticket; see `shared.jobs.submit.Submitter.submit`."""
        return await self.engine.submit(kind, payload, **options)

    async def close(self) -> None:
        """Close the connections; for tests and tools, since the host keeps a process until it ends it."""
        for each in self._closing:
            await each.close()
