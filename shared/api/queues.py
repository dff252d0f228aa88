"""Queues over HTTP: how deep they are, how long the first in line has waited, and what lies on their poison queues."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from shared.web.answers import Answer, tagged_answer
from shared.web.routes import Api, Call
from shared.web.rules import READ

if TYPE_CHECKING:
    from shared.app import App
    from shared.jobs.engine import Engine
    from shared.monitor.queues import QueueFacts
    from shared.storage import Cached

FRESH = timedelta(seconds=5)
"""How long one look is shared by all who ask: however many dashboards are open, storage sees one."""
_cached: WeakKeyDictionary[Engine, Cached[str, list[QueueFacts]]] = WeakKeyDictionary()

api = Api(__name__, "queues")


@api.route("ListQueues", "GET queues", READ, {200: "queue_views:QueueList", 304: None})
async def list_queues(app: App, call: Call) -> Answer:
    """Every queue: its depth, the age of the oldest message, its poison queue.

    At most a few seconds old: two storage calls for each that is empty, once for all who ask.
    """
    from shared.api.queue_views import queue_view
    from shared.monitor.queues import read_queues
    from shared.storage import Cached

    engine = app.engine
    cached = _cached.setdefault(engine, Cached(app.clock, FRESH, lambda _: read_queues(engine)))
    facts = {each.name: each for each in await cached.get("queues")}
    items = [queue_view(facts[queue], facts[poison], kinds) for (queue, poison), kinds in _served(app).items()]
    return tagged_answer({"items": items}, call.if_none_match)


def _served(app: App) -> dict[tuple[str, str], list[str]]:
    """Every queue and its poison queue, with the kinds whose jobs travel on it; the general ones first."""
    from shared.monitor.queues import pairs

    found: dict[tuple[str, str], list[str]] = {pair: [] for pair in pairs(app.engine.deps)}
    for kind, queue, poison in app.engine.deps.kinds.routes():
        found[queue, poison].append(kind)
    return found
