"""Taste: feedback in, profiles out, and the queue between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import azure.functions as func

from blueprints import queues
from blueprints.http import api_url, endpoint
from shared.declarations import settings
from shared.domains.taste.settings import TasteSettings

if TYPE_CHECKING:
    from shared.web.answers import Answer

bp = func.Blueprint()
_SETTINGS = settings().of(TasteSettings)
_FEEDBACK = "taste/feedback"


@bp.function_name("PostTasteFeedback")
@bp.route(_FEEDBACK, methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def post_taste_feedback(req: func.HttpRequest) -> Answer:
    """Take a signal on an item: 202 with a ticket."""
    from shared.bootstrap import app
    from shared.domains.taste.api import take_feedback

    return await take_feedback(app(), req.get_body(), api_url(req, _FEEDBACK), req.headers.get("traceparent"))


@bp.function_name("GetTasteProfile")
@bp.route("taste/{user_id}", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def get_taste_profile(req: func.HttpRequest) -> Answer:
    """A user's ranked tastes, with what they stand on."""
    from shared.bootstrap import app
    from shared.domains.taste.api import show_profile

    return await show_profile(app(), req.route_params["user_id"], req.headers.get("if-none-match"))


@bp.function_name("DeleteTaste")
@bp.route("taste/{user_id}", methods=["DELETE"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def delete_taste(req: func.HttpRequest) -> Answer:
    """Forget a user: evidence and profile."""
    from shared.bootstrap import app
    from shared.domains.taste.api import forget_user

    return await forget_user(app(), req.route_params["user_id"])


@bp.function_name("ProcessTasteAnalysisJob")
@bp.queue_trigger("msg", _SETTINGS.job_queue, queues.CONNECTION, data_type=func.DataType.BINARY)
async def process_taste_analysis_job(msg: func.QueueMessage) -> None:
    """Analyse an item that somebody liked, or not, and fold it into their profile."""
    await queues.process(msg, _SETTINGS.job_queue)


@bp.function_name("ProcessTasteAnalysisJobDlq")
@bp.queue_trigger("msg", _SETTINGS.poison_queue, queues.CONNECTION, data_type=func.DataType.BINARY)
async def process_taste_analysis_job_dlq(msg: bytes) -> None:
    """Record what gave up, or could not be read."""
    await queues.record(msg, _SETTINGS.poison_queue)


if _SETTINGS.poison_queue != f"{_SETTINGS.job_queue}-poison":
    # The host has a name of its own for the poison queue. What it moves there must reach the vault too.
    @bp.function_name("ProcessTasteAnalysisJobHostDlq")
    @bp.queue_trigger("msg", f"{_SETTINGS.job_queue}-poison", queues.CONNECTION, data_type=func.DataType.BINARY)
    async def process_taste_analysis_job_host_dlq(msg: bytes) -> None:
        """Record what the host moved to the poison queue of its own naming."""
        await queues.record(msg, f"{_SETTINGS.job_queue}-poison")


@bp.function_name("RefreshTastePrior")
@bp.timer_trigger("timer", _SETTINGS.prior_schedule)
async def refresh_taste_prior(timer: func.TimerRequest) -> None:
    """Have what all users like worked out anew."""
    from shared.bootstrap import app

    await app().ledger.tick("RefreshTastePrior", past_due=timer.past_due)
