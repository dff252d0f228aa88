"""Between the host's timers and the ledger."""

from __future__ import annotations

import logging

import azure.functions as func

from blueprints import start

LOG = logging.getLogger("nightshift.timers")


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
