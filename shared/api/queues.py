"""Queues over HTTP: how deep they are, how long the first in line has waited, and what lies on their poison queues."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NotRequired
from weakref import WeakKeyDictionary

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from shared.monitor.queues import QueueFacts, pairs, read_queues
from shared.monitor.remembered import Remembered
from shared.web.answers import Answer, tagged_answer

if TYPE_CHECKING:
    from shared.app import App
    from shared.jobs.engine import Engine

FRESH = timedelta(seconds=5)
"""How long one look is shared by all who ask: however many dashboards are open, storage sees one."""
_cached: WeakKeyDictionary[Engine, Remembered[list[QueueFacts]]] = WeakKeyDictionary()
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


async def list_queues(app: App, if_none_match: str | None) -> Answer:
    """Every queue, at most a few seconds old. Two storage calls for each that is empty, once for all who ask."""
    cached = _cached.setdefault(app.engine, Remembered(app.clock, FRESH))
    facts = {each.name: each for each in await cached.of(lambda: read_queues(app.engine))}
    items = [_view(facts[queue], facts[poison], kinds) for (queue, poison), kinds in _served(app).items()]
    return tagged_answer({"items": items}, if_none_match)


def _view(queue: QueueFacts, poison: QueueFacts, kinds: list[str]) -> QueueDepthView:
    view: QueueDepthView = {
        "name": queue.name, "kinds": kinds, "messages": queue.messages,
        "poison": {"name": poison.name, "messages": poison.messages},
    }  # fmt: skip
    if queue.oldest_seconds is not None:
        view["oldest_seconds"] = round(queue.oldest_seconds, 1)
    return view


def _served(app: App) -> dict[tuple[str, str], list[str]]:
    """Every queue and its poison queue, with the kinds whose jobs travel on it; the general ones first."""
    kinds = app.engine.deps.kinds
    found: dict[tuple[str, str], list[str]] = {pair: [] for pair in pairs(app.engine.deps)}
    for kind in kinds:
        priority = kinds.policy(kind.name).priority
        found[kinds.queue(kind.name, priority), kinds.poison_queue(kind.name, priority)].append(kind.name)
    return found
