"""Collection: the route that starts one and tells how it stands, and the timer of hot topics."""

import azure.functions as func

from blueprints import http, start
from shared.declarations import settings
from shared.domains.collect.api import api, collect_hot_topics
from shared.domains.collect.settings import CollectSettings

bp = func.Blueprint()
http.serve(bp, api)


@bp.function_name("GetHotTopics")
@bp.timer_trigger("timer", settings().of(CollectSettings).hot_topics_schedule)
async def get_hot_topics(timer: func.TimerRequest) -> None:
    """Have hot topics collected, look at the job once, and go on."""
    await collect_hot_topics(start.app(), past_due=timer.past_due)
