"""Digests: their routes, and the timer that has those of a week made."""

import azure.functions as func

from blueprints import http, timers
from shared.declarations import settings
from shared.domains.digests.api import api
from shared.domains.digests.settings import DigestSettings

bp = func.Blueprint()
http.serve(bp, api)


@bp.function_name("PluckItWeeklyDigest")
@bp.timer_trigger("timer", settings().of(DigestSettings).digest_schedule)
async def weekly_digest(timer: func.TimerRequest) -> None:
    """Have every user's digest of the week made."""
    await timers.tick(timer, "PluckItWeeklyDigest")
