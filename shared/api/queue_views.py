"""How queues look from outside."""

from __future__ import annotations

from typing import NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from shared.monitor.queues import QueueFacts

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


def queue_view(queue: QueueFacts, poison: QueueFacts, kinds: list[str]) -> QueueDepthView:
    """A queue, its poison queue, and the kinds whose jobs travel on it."""
    view: QueueDepthView = {
        "name": queue.name, "kinds": kinds, "messages": queue.messages,
        "poison": {"name": poison.name, "messages": poison.messages},
    }  # fmt: skip
    if queue.oldest_seconds is not None:
        view["oldest_seconds"] = round(queue.oldest_seconds, 1)
    return view
