"""Timers: how they do, what became of their occurrences, and running one by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import azure.functions as func

from blueprints.http import api_url, endpoint

if TYPE_CHECKING:
    from shared.web.answers import Answer

bp = func.Blueprint()
_RUN = "timers/{name}/run"


@bp.function_name("ListTimers")
@bp.route("timers", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def list_timers(req: func.HttpRequest) -> Answer:
    """Every timer: its schedule, its last and next occurrence, and whether it is healthy."""
    from shared.api.timers import list_timers
    from shared.bootstrap import app

    return await list_timers(app(), req.headers.get("if-none-match"))


@bp.function_name("ListOccurrences")
@bp.route("timers/{name}/occurrences", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def list_occurrences(req: func.HttpRequest) -> Answer:
    """What became of a timer's occurrences, newest first."""
    from shared.api.timers import list_occurrences
    from shared.bootstrap import app

    return await list_occurrences(app(), req.route_params["name"], req.params)


@bp.function_name("RunTimer")
@bp.route(_RUN, methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def run_timer(req: func.HttpRequest) -> Answer:
    """Run a timer by hand, or make up a missed occurrence: 202 with a ticket."""
    from shared.api.timers import run
    from shared.bootstrap import app

    return await run(app(), req.route_params["name"], req.get_body(), api_url(req, _RUN))
