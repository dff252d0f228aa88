"""Collection: the route that starts one and tells how it stands, and the timer of hot topics."""

from __future__ import annotations

from typing import TYPE_CHECKING

import azure.functions as func

from blueprints.http import api_url, endpoint
from shared.declarations import settings
from shared.domains.collect.settings import CollectSettings

if TYPE_CHECKING:
    from shared.web.answers import Answer

bp = func.Blueprint()
_ROUTE = "summarywomble"


@bp.function_name("SummaryWomble")
@bp.route(_ROUTE, methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def summary_womble(req: func.HttpRequest) -> Answer:
    """Start a collection: 202 with a ticket; with `action: status`, how one stands."""
    from shared.bootstrap import app
    from shared.domains.collect.api import answer

    return await answer(app(), req.get_body(), api_url(req, _ROUTE), req.headers.get("traceparent"))


@bp.function_name("GetHotTopics")
@bp.timer_trigger("timer", settings().of(CollectSettings).hot_topics_schedule)
async def get_hot_topics(timer: func.TimerRequest) -> None:
    """Have hot topics collected, look at the job once, and go on."""
    from shared.bootstrap import app
    from shared.domains.collect.api import collect_hot_topics

    await collect_hot_topics(app(), past_due=timer.past_due)
