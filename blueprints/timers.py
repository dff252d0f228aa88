"""Between the host's timers and the ledger."""

from __future__ import annotations

import logging

import azure.functions as func

from blueprints import start

LOG = logging.getLogger("nightshift.timers")


async def tick(timer: func.TimerRequest, name: str) -> None:
    """Have the occurrence begun that a timer fires for; where there is none, say so, and how to run the timer at will."""
    if await start.app().ledger.tick(name, past_due=timer.past_due) is None:
        LOG.info("nothing is due: timer=%s; to run it now: POST /api/timers/%s/run", name, name)
