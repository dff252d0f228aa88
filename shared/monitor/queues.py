"""How the queues stand, those of jobs and those of dead letters."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.app import App


@dataclass(frozen=True, slots=True)
class QueueFacts:
    """A queue. Numbers of messages are about right, and include those that are hidden. Ages are seconds."""

    name: str
    poison: bool
    messages: int
    oldest_seconds: float | None = None
    """For how long a message has been due (a dead letter: has lain there) that nobody has taken; None: there is none."""


async def read_queues(app: App) -> list[QueueFacts]:
    """Every queue that the app serves. One storage call for each, and one more for each that is not empty."""
    return await asyncio.gather(*(_job_queue(app, name) for name in sorted(_served(app))),
                                *(_poison_queue(app, name) for name in sorted(_poisoned(app))))  # fmt: skip


async def _job_queue(app: App, name: str) -> QueueFacts:
    messages = await app.queues.depth(name)
    return QueueFacts(name, False, messages, await app.engine.estimates.age(name) if messages else None)


async def _poison_queue(app: App, name: str) -> QueueFacts:
    messages = await app.queues.depth(name)
    visible = await app.queues.peek(name) if messages else []
    since = min((message.inserted_at for message in visible), default=None)
    return QueueFacts(name, True, messages, (app.clock.now() - since).total_seconds() if since else None)


def _served(app: App) -> set[str]:
    return {queue for queue, _ in pairs(app)}


def _poisoned(app: App) -> set[str]:
    return {poison for _, poison in pairs(app)}


def pairs(app: App) -> Iterator[tuple[str, str]]:
    """Every queue of jobs with its poison queue, the general ones first; some more than once."""
    for queue in (app.settings.queue_high, app.settings.queue_normal, app.settings.queue_low):
        yield queue, f"{queue}-poison"
    kinds = app.engine.deps.kinds
    for kind in kinds:
        priority = kinds.policy(kind.name).priority
        yield kinds.queue(kind.name, priority), kinds.poison_queue(kind.name, priority)
