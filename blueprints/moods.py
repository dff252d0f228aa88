"""Moods: their routes, and the timer that keeps them up to date."""

import azure.functions as func

from blueprints import http, timers
from shared.declarations import settings
from shared.domains.moods.api import api
from shared.domains.moods.settings import MoodSettings

bp = func.Blueprint()
http.serve(bp, api)


@bp.function_name("PluckItMoodProcessor")
@bp.timer_trigger("timer", settings().of(MoodSettings).mood_schedule)
async def pluck_it_mood_processor(timer: func.TimerRequest) -> None:
    """Have moods brought up to date with what was gathered."""
    await timers.tick(timer, "PluckItMoodProcessor")
