"""How the queues stand, those of jobs and those of dead letters."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from shared.jobs.dependencies import Dependencies
from shared.jobs.engine import Engine


@dataclass(frozen=True, slots=True)
class QueueFacts:
    """A queue. Numbers of messages are about right, and include those that are hidden. Ages are seconds."""

    name: str
    poison: bool
    messages: int
    oldest_seconds: float | None = None
    """For how long a message has been due (a dead letter: has lain there) that nobody has taken; None: there is none."""


async def read_queues(engine: Engine) -> list[QueueFacts]:
    """Every queue that the app serves. One storage call for each, and one more for each that is not empty."""
    served = dict(pairs(engine.deps))
    return await asyncio.gather(
        *(_job_queue(engine, name) for name in sorted(served)),
        *(_poison_queue(engine.deps, name) for name in sorted(set(served.values()))),
    )


async def _job_queue(engine: Engine, name: str) -> QueueFacts:
    messages = await engine.deps.queues.depth(name)
    return QueueFacts(name, False, messages, await engine.estimates.age(name) if messages else None)


async def _poison_queue(deps: Dependencies, name: str) -> QueueFacts:
    messages = await deps.queues.depth(name)
    visible = await deps.queues.peek(name) if messages else []
    since = min((message.inserted_at for message in visible), default=None)
    return QueueFacts(name, True, messages, (deps.clock.now() - since).total_seconds() if since else None)


def pairs(deps: Dependencies) -> Iterator[tuple[str, str]]:
    """Every queue of jobs with its poison queue, the general ones first; some more than once."""
    yield from deps.settings.queues().items()
    yield from ((queue, poison) for _, queue, poison in list(deps.kinds.routes()))
