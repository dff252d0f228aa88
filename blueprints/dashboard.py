"""The dashboard, and what only it asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import azure.functions as func

from blueprints.http import endpoint

if TYPE_CHECKING:
    from shared.web.answers import Answer

bp = func.Blueprint()


@bp.function_name("Dashboard")
@bp.route("dashboard", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
async def dashboard(req: func.HttpRequest) -> Answer:
    """The page. It holds no data: it asks for a key, and with it for the rest."""
    from shared.api.dashboard import show_page

    return show_page(req.url, req.headers.get("if-none-match"))


@bp.function_name("DashboardPart")
@bp.route("dashboard/{name}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@endpoint
async def dashboard_part(req: func.HttpRequest) -> Answer:
    """A style sheet, a script or an image of the page."""
    from shared.api.dashboard import show_asset

    return show_asset(req.route_params["name"], req.headers.get("if-none-match"))


@bp.function_name("ListQueues")
@bp.route("queues", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def list_queues(req: func.HttpRequest) -> Answer:
    """Every queue: its depth, the age of the oldest, its poison queue."""
    from shared.api.queues import list_queues
    from shared.bootstrap import app

    return await list_queues(app(), req.headers.get("if-none-match"))


@bp.function_name("ListDeadLetterGroups")
@bp.route("dead-letters/groups", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def list_dead_letter_groups(req: func.HttpRequest) -> Answer:
    """Dead letters by fingerprint."""
    from shared.api.letter_groups import list_groups
    from shared.bootstrap import app

    return await list_groups(app(), req.params, req.headers.get("if-none-match"))


@bp.function_name("GetJobPayload")
@bp.route("jobs/{job_id}/payload", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def get_job_payload(req: func.HttpRequest) -> Answer:
    """What a job was given to work on."""
    from shared.api.jobs import show_payload
    from shared.bootstrap import app

    return await show_payload(app(), req.route_params["job_id"])
