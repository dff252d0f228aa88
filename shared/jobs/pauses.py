"""Pausing kinds: their messages wait, and no attempt is spent."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from shared.containers import KINDS
from shared.jobs.log import LOG
from shared.jobs.model import iso
from shared.ports import Clock, Document, DocumentStore, Query, StorageError

_FRESH = timedelta(seconds=5)
"""How long what was read is believed: a pause reaches every process within this time."""
_TRIES = 10


@dataclass(frozen=True, slots=True)
class Pause:
    """Whether a kind is paused, since when, and why."""

    paused: bool = False
    since: datetime | None = None
    reason: str | None = None


class Pauses:
    """Which kinds are paused."""

    def __init__(self, documents: DocumentStore, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock
        self._known: dict[str, tuple[Pause, datetime]] = {}
        self._lock = asyncio.Lock()

    async def of(self, kind: str) -> Pause:
        """The state of a kind, at most a few seconds old. Where the store does not answer, the last one known."""
        known = self._known.get(kind)
        if known and self._fresh(known[1]):
            return known[0]
        async with self._lock:
            known = self._known.get(kind)
            if known is None or not self._fresh(known[1]):
                self._remember(kind, await self._read_or(kind, known[0] if known else Pause()))
            return self._known[kind][0]

    async def all(self) -> dict[str, Pause]:
        """Every kind that was ever paused."""
        page = await self._documents.query(KINDS, Query(limit=1000))
        return {item["id"]: _pause(item) for item in page.items}

    async def set(self, kind: str, *, paused: bool, reason: str | None = None) -> Pause:
        """Pause a kind, or let it go on. Saying so twice changes nothing but the reason."""
        for _ in range(_TRIES):
            found = await self._documents.read(KINDS, kind, kind)
            before = _pause(found[0]) if found else Pause()
            since = before.since if paused and before.paused else self._clock.now()
            pause = replace(before, paused=paused, since=since, reason=reason)
            version = found[0]["version"] + 1 if found else 1
            if await self._documents.put_newer(KINDS, _document(kind, pause, version)):
                self._remember(kind, pause)
                LOG.warning("kind %s: kind=%s", "paused" if paused else "resumed", kind)
                return pause
        raise StorageError("a pause is changed by others without end")

    async def _read_or(self, kind: str, known: Pause) -> Pause:
        try:
            found = await self._documents.read(KINDS, kind, kind)
        except StorageError as error:
            LOG.warning("pauses not read: kind=%s cause=%s", kind, type(error).__name__)
            return known
        return _pause(found[0]) if found else Pause()

    def _remember(self, kind: str, pause: Pause) -> None:
        self._known[kind] = (pause, self._clock.now())

    def _fresh(self, read_at: datetime) -> bool:
        return self._clock.now() - read_at < _FRESH


def _pause(document: Document) -> Pause:
    since = document.get("since")
    return Pause(bool(document["paused"]), datetime.fromisoformat(since) if since else None, document.get("reason"))


def _document(kind: str, pause: Pause, version: int) -> dict[str, Any]:
    since = {"since": iso(pause.since)} if pause.since else {}
    reason = {"reason": pause.reason} if pause.reason else {}
    return {"id": kind, "pk": kind, "version": version, "paused": pause.paused, **since, **reason}
