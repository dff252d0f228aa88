"""Moods: their timer, and moods over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import azure.functions as func

from blueprints.http import endpoint
from shared.declarations import settings
from shared.domains.moods.settings import MoodSettings

if TYPE_CHECKING:
    from shared.web.answers import Answer

bp = func.Blueprint()


@bp.function_name("PluckItMoodProcessor")
@bp.timer_trigger("timer", settings().of(MoodSettings).mood_schedule)
async def pluck_it_mood_processor(timer: func.TimerRequest) -> None:
    """Have moods brought up to date with what was gathered."""
    from shared.bootstrap import app

    await app().ledger.tick("PluckItMoodProcessor", past_due=timer.past_due)


@bp.function_name("ListMoods")
@bp.route("moods", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def list_moods(req: func.HttpRequest) -> Answer:
    """The moods, those first that are talked about most."""
    from shared.bootstrap import app
    from shared.domains.moods.api import show_all

    return await show_all(app(), req.params, req.headers.get("if-none-match"))


@bp.function_name("GetMood")
@bp.route("moods/{mood_id}", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def get_mood(req: func.HttpRequest) -> Answer:
    """One mood, with its look and the articles that support it."""
    from shared.bootstrap import app
    from shared.domains.moods.api import show_one

    return await show_one(app(), req.route_params["mood_id"], req.headers.get("if-none-match"))


@bp.function_name("ListSimilarMoods")
@bp.route("moods/{mood_id}/similar", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def list_similar_moods(req: func.HttpRequest) -> Answer:
    """The moods that are most like one."""
    from shared.bootstrap import app
    from shared.domains.moods.api import show_similar

    return await show_similar(app(), req.route_params["mood_id"], req.params, req.headers.get("if-none-match"))
