"""Pausing kinds: no attempt of theirs is spent, and their jobs wait.

A message of a paused kind is taken off its queue, once: its job stays queued by its record, as if the message had been lost, and
the sweep leaves it alone. So a pause costs nothing that grows with its length. A resume, and then the sweep, send the
messages anew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from shared.containers import KINDS
from shared.jobs.log import LOG
from shared.ports import Clock, Document, DocumentStore, Query
from shared.storage import Cached, compare_and_swap, iso, write

FRESH = timedelta(seconds=5)
"""How long what was read is believed: a pause reaches every process within this time."""


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
        self._known: Cached[str, Pause] = Cached(clock, FRESH, self._read, Pause, "pauses")
        self.of = self._known.get
        """The state of a kind, at most a few seconds old. Where the store does not answer, the last one known."""

    async def all(self) -> dict[str, Pause]:
        """Every kind that was ever paused."""
        page = await self._documents.query(KINDS, Query(limit=1000))
        return {item["id"]: _pause(item) for item in page.items}

    @compare_and_swap("the pause")
    async def set(self, kind: str, *, paused: bool, reason: str | None = None) -> Pause:
        """Pause a kind, or let it go on. Saying so twice changes nothing but the reason."""
        found = await self._documents.read(KINDS, kind, kind)
        before = _pause(found.value) if found else Pause()
        since = before.since if paused and before.paused else self._clock.now()
        pause = replace(before, paused=paused, since=since, reason=reason)
        await write(self._documents, KINDS, _document(kind, pause, found.value["version"] + 1 if found else 1), found)
        LOG.warning("kind %s: kind=%s", "paused" if paused else "resumed", kind)
        return self._known.put(kind, pause)

    async def _read(self, kind: str) -> Pause:
        found = await self._documents.read(KINDS, kind, kind)
        return _pause(found.value) if found else Pause()


def _pause(document: Document) -> Pause:
    since = document.get("since")
    return Pause(bool(document["paused"]), datetime.fromisoformat(since) if since else None, document.get("reason"))


def _document(kind: str, pause: Pause, version: int) -> dict[str, Any]:
    since = {"since": iso(pause.since)} if pause.since else {}
    reason = {"reason": pause.reason} if pause.reason else {}
    return {"id": kind, "pk": kind, "version": version, "paused": pause.paused, **since, **reason}
