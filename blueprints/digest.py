"""The weekly digest: its timer, and digests over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import azure.functions as func

from blueprints.http import endpoint
from shared.settings import settings

if TYPE_CHECKING:
    from shared.web.answers import Answer

bp = func.Blueprint()
_USER = "digests/{user_id}"


@bp.function_name("PluckItWeeklyDigest")
@bp.timer_trigger("timer", settings().digest_schedule)
async def weekly_digest(timer: func.TimerRequest) -> None:
    """Have every user's digest of the week made."""
    from shared.bootstrap import app

    await app().ledger.tick("PluckItWeeklyDigest", past_due=timer.past_due)


@bp.function_name("ListDigests")
@bp.route(_USER, methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def list_digests(req: func.HttpRequest) -> Answer:
    """A user's digests, the newest first."""
    from shared.bootstrap import app
    from shared.web import digests

    return await digests.list_digests(app(), req.route_params["user_id"], req.params)


@bp.function_name("GetLatestDigest")
@bp.route(f"{_USER}/latest", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def get_latest_digest(req: func.HttpRequest) -> Answer:
    """A user's newest digest, as data or as a page."""
    from shared.bootstrap import app
    from shared.web import digests

    return await digests.show_latest(app(), req.route_params["user_id"], req.params, req.headers)


@bp.function_name("GetDigest")
@bp.route(f"{_USER}/{{week}}", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def get_digest(req: func.HttpRequest) -> Answer:
    """A user's digest of a week, as data or as a page."""
    from shared.bootstrap import app
    from shared.web import digests

    user_id, week = req.route_params["user_id"], req.route_params["week"]
    return await digests.show_week(app(), user_id, week, req.params, req.headers)


@bp.function_name("RunDigest")
@bp.route(f"{_USER}/run", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def run_digest(req: func.HttpRequest) -> Answer:
    """Make this week's digest of a user anew."""
    from shared.bootstrap import app
    from shared.web import digests

    return await digests.run(app(), req.route_params["user_id"], _api_url(req), req.headers.get("traceparent"))


@bp.function_name("PostDigestFeedback")
@bp.route("digests/{digest_id}/feedback", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def post_digest_feedback(req: func.HttpRequest) -> Answer:
    """Take a signal on a suggestion."""
    from shared.bootstrap import app
    from shared.web import digests

    name, trace = req.route_params["digest_id"], req.headers.get("traceparent")
    return await digests.take_feedback(app(), name, req.get_body(), _api_url(req), trace)


def _api_url(req: func.HttpRequest) -> str:
    """The address of the API, three segments above the request's: ids may be spelled in more than one way."""
    parts = urlsplit(req.url)
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/').rsplit('/', 3)[0]}"
