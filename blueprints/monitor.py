"""Whether the app is well: health, status, metrics, statistics, alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING

import azure.functions as func

from blueprints.http import endpoint

if TYPE_CHECKING:
    from shared.web.answers import Answer

bp = func.Blueprint()


@bp.function_name("Health")
@bp.route("health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
async def health(req: func.HttpRequest) -> Answer:
    """Whether the app answers at all."""
    from shared.web.answers import json_answer

    del req
    return json_answer({"status": "alive"})


@bp.function_name("GetStatus")
@bp.route("status", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def get_status(req: func.HttpRequest) -> Answer:
    """Whether the app can do its work."""
    from shared.api.monitor import show_status
    from shared.bootstrap import app

    del req
    return await show_status(app())


@bp.function_name("GetMetrics")
@bp.route("metrics", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def get_metrics(req: func.HttpRequest) -> Answer:
    """Metrics in the text of OpenMetrics."""
    from shared.api.monitor import show_metrics
    from shared.bootstrap import app

    del req
    return await show_metrics(app())


@bp.function_name("GetStats")
@bp.route("stats", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def get_stats(req: func.HttpRequest) -> Answer:
    """What happened to jobs, hour by hour and kind by kind."""
    from shared.api.monitor import show_stats
    from shared.bootstrap import app

    return await show_stats(app(), req.params, req.headers.get("if-none-match"))


@bp.function_name("ListAlarms")
@bp.route("alarms", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def list_alarms(req: func.HttpRequest) -> Answer:
    """Every alarm, whether it is on, and why."""
    from shared.api.monitor import list_alarms
    from shared.bootstrap import app

    del req
    return await list_alarms(app())
