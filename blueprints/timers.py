"""Between the host's timers and the ledger: a timer's trigger is made of its declaration."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING

import azure.functions as func

from blueprints import start
from shared.declarations import settings

if TYPE_CHECKING:
    from shared.jobs import Timer

LOG = logging.getLogger("nightshift.timers")


def triggers(timers: Iterable[Timer]) -> func.Blueprint:
    """A function for each timer, of its name, which the host fires by its schedule."""
    made = func.Blueprint()
    for timer in timers:
        trigger = made.timer_trigger("timer", timer.schedule(settings()))
        made.function_name(timer.name)(trigger(_function_of(timer)))
    return made


def _function_of(timer: Timer) -> Callable[[func.TimerRequest], Awaitable[None]]:
    name = timer.name

    async def function(timer: func.TimerRequest) -> None:
        await tick(timer, name)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = timer.meaning
    return function


async def tick(timer: func.TimerRequest, name: str) -> None:
    """Have the occurrence begun that a timer fires for. Where none is due, say why, and how to run the timer at will.

    That is so where somebody has the host run it between two occurrences (`POST /admin/functions/{name}`).
    """
    app = start.app()
    if await app.ledger.tick(name, past_due=timer.past_due) is None:
        latest = app.ledger.schedule(name).latest(app.clock.now())
        LOG.info(
            "nothing is due: timer=%s latest=%s (over, and not made up by itself); POST /api/timers/%s/run runs it at will",
            name, latest and latest.isoformat(), name,
        )  # fmt: skip
