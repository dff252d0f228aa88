"""Documents: their routes, and the timer that looks after their queue."""

import azure.functions as func

from blueprints import http, timers
from shared.declarations import settings
from shared.domains.documents.api import api
from shared.domains.documents.settings import DocumentSettings

bp = func.Blueprint()
http.serve(bp, api)


@bp.function_name("TendDocuments")
@bp.timer_trigger("timer", settings().of(DocumentSettings).queue_schedule)
async def tend_documents(timer: func.TimerRequest) -> None:
    """Have seen to documents that wait without a job."""
    await timers.tick(timer, "TendDocuments")
