"""Queues over HTTP: how deep they are, how long the first in line has waited, and what lies on their poison queues."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NotRequired
from weakref import WeakKeyDictionary

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from shared.web.answers import Answer, cached_answer

if TYPE_CHECKING:
    from shared.bootstrap import App
    from shared.jobs.engine import Engine

FRESH = timedelta(seconds=5)
"""How long one look is shared by all who ask: however many dashboards are open, storage sees one."""
_CLOSED = ConfigDict(extra="forbid")


@with_config(_CLOSED)
class PoisonView(TypedDict):
    """The poison queue that belongs to a queue."""

    name: str
    messages: int


@with_config(_CLOSED)
class QueueDepthView(TypedDict):
    """A queue; `messages` is about, delayed and running ones included. `oldest_seconds`: where one is waiting."""

    name: str
    kinds: list[str]
    messages: int
    oldest_seconds: NotRequired[float]
    poison: PoisonView


@with_config(_CLOSED)
class QueueList(TypedDict):
    """Every queue that the app serves."""

    items: list[QueueDepthView]


_looks: WeakKeyDictionary[Engine, _Look] = WeakKeyDictionary()


async def list_queues(app: App, if_none_match: str | None) -> Answer:
    """Every queue, at most a few seconds old. Two storage calls for each that is empty, three for each that is not."""
    look = _looks.setdefault(app.engine, _Look(app))
    content: QueueList = {"items": await look.taken()}
    etag = hashlib.sha256(json.dumps(content).encode()).hexdigest()[:24]
    return cached_answer(content, etag, if_none_match)


class _Look:
    """The last look at all queues."""

    def __init__(self, app: App) -> None:
        self._parts, self._pace, self._settings = app.engine.parts, app.engine.pace, app.settings
        self._items: list[QueueDepthView] = []
        self._at: datetime | None = None
        self._lock = asyncio.Lock()

    async def taken(self) -> list[QueueDepthView]:
        async with self._lock:
            now = self._parts.clock.now()
            if self._at is None or now - self._at >= FRESH:
                self._items = await asyncio.gather(*(self._view(*each) for each in self._served()))
                self._at = now
            return self._items

    async def _view(self, queue: str, poison: str, kinds: list[str]) -> QueueDepthView:
        queues = self._parts.queues
        messages, poisoned = await asyncio.gather(queues.depth(queue), queues.depth(poison))
        view: QueueDepthView = {
            "name": queue, "kinds": kinds, "messages": messages, "poison": {"name": poison, "messages": poisoned}
        }  # fmt: skip
        age = await self._pace.age(queue) if messages else None
        if age is not None:
            view["oldest_seconds"] = round(age, 1)
        return view

    def _served(self) -> Iterator[tuple[str, str, list[str]]]:
        """Every queue with its poison queue and the kinds whose jobs travel on it; the general ones first."""
        kinds = self._parts.kinds
        found: dict[tuple[str, str], list[str]] = {}
        general = (self._settings.queue_high, self._settings.queue_normal, self._settings.queue_low)
        for name in general:
            found[name, f"{name}-poison"] = []
        for kind in kinds:
            policy = kinds.policy(kind.name)
            pair = kinds.queue(kind.name, policy.priority), kinds.poison_queue(kind.name, policy.priority)
            found.setdefault(pair, []).append(kind.name)
        for (queue, poison), names in found.items():
            yield queue, poison, names
