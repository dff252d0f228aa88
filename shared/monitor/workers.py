"""Workers outside of Functions, as their heartbeats tell of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from shared.containers import OPERATIONS
from shared.ports import Clock, DocumentStore, Query, Where
from shared.storage import iso

Role = Literal["processing", "source"]
ROLES: tuple[Role, ...] = ("processing", "source")
BEAT = 15.0
"""Seconds from one heartbeat to the next."""
_ALIVE = timedelta(seconds=BEAT * 3)
_TTL = 3600


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that was alive a moment ago."""

    role: Role
    number: int
    instance: str
    """The machine, and the supervisor on it."""
    pid: int


class Heartbeats:
    """Writes heartbeats, and finds who has one."""

    def __init__(self, documents: DocumentStore, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock

    async def beat(self, worker: Worker) -> None:
        """Say that a process is alive. One storage call."""
        now = self._clock.now()
        id = f"worker-{worker.instance}-{worker.role}-{worker.number}"  # noqa: A001 - the document's
        document = {
            "id": id, "pk": id, "type": "worker", "role": worker.role, "number": worker.number, "instance": worker.instance,
            "pid": worker.pid, "beat_at": iso(now), "version": int(now.timestamp() * 1000), "ttl": _TTL,
        }  # fmt: skip
        await self._documents.put_newer(OPERATIONS, document)

    async def alive(self) -> list[Worker]:
        """The processes that were alive within three beats, of all machines."""
        since: datetime = self._clock.now() - _ALIVE
        query = Query((Where("type", "=", "worker"), Where("beat_at", ">=", iso(since))), limit=1000)
        found = (await self._documents.query(OPERATIONS, query)).items
        return [Worker(each["role"], each["number"], each["instance"], each["pid"]) for each in found]
