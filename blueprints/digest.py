"""The weekly digest: its timer, and digests over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import azure.functions as func

from blueprints.http import api_url, endpoint
from shared.declarations import settings
from shared.domains.digests.settings import DigestSettings

if TYPE_CHECKING:
    from shared.web.answers import Answer

bp = func.Blueprint()
_USER = "digests/{user_id}"
_RUN = f"{_USER}/run"
_FEEDBACK = "digests/{digest_id}/feedback"


@bp.function_name("PluckItWeeklyDigest")
@bp.timer_trigger("timer", settings().of(DigestSettings).digest_schedule)
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
    from shared.domains.digests import api as digests

    return await digests.list_digests(app(), req.route_params["user_id"], req.params)


@bp.function_name("GetLatestDigest")
@bp.route(f"{_USER}/latest", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def get_latest_digest(req: func.HttpRequest) -> Answer:
    """A user's newest digest, as data or as a page."""
    from shared.bootstrap import app
    from shared.domains.digests import api as digests

    return await digests.show_latest(app(), req.route_params["user_id"], req.params, req.headers)


@bp.function_name("GetDigest")
@bp.route(f"{_USER}/{{week}}", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def get_digest(req: func.HttpRequest) -> Answer:
    """A user's digest of a week, as data or as a page."""
    from shared.bootstrap import app
    from shared.domains.digests import api as digests

    user_id, week = req.route_params["user_id"], req.route_params["week"]
    return await digests.show_week(app(), user_id, week, req.params, req.headers)


@bp.function_name("RunDigest")
@bp.route(_RUN, methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def run_digest(req: func.HttpRequest) -> Answer:
    """Make this week's digest of a user anew."""
    from shared.bootstrap import app
    from shared.domains.digests import api as digests

    return await digests.run(app(), req.route_params["user_id"], api_url(req, _RUN), req.headers.get("traceparent"))


@bp.function_name("PostDigestFeedback")
@bp.route(_FEEDBACK, methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def post_digest_feedback(req: func.HttpRequest) -> Answer:
    """Take a signal on a suggestion."""
    from shared.bootstrap import app
    from shared.domains.digests import api as digests

    name, trace = req.route_params["digest_id"], req.headers.get("traceparent")
    return await digests.take_feedback(app(), name, req.get_body(), api_url(req, _FEEDBACK), trace)
