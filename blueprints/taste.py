"""Taste: its routes, and the queue of its jobs."""

import azure.functions as func

from blueprints import http, queues
from shared.declarations import settings
from shared.domains.taste.api import api
from shared.domains.taste.settings import TasteSettings

bp = func.Blueprint()
http.serve(bp, api)
_SETTINGS = settings().of(TasteSettings)
_QUEUE, _POISON = _SETTINGS.job_queue, _SETTINGS.poison_queue


@bp.function_name("ProcessTasteAnalysisJob")
@bp.queue_trigger("msg", _QUEUE, queues.CONNECTION, data_type=func.DataType.BINARY)
async def process_taste_analysis_job(msg: func.QueueMessage) -> None:
    """Analyse an item that somebody liked, or not, and fold it into their profile."""
    await queues.process(msg, _QUEUE)


@bp.function_name("ProcessTasteAnalysisJobDlq")
@bp.queue_trigger("msg", _POISON, queues.CONNECTION, data_type=func.DataType.BINARY)
async def process_taste_analysis_job_dlq(msg: bytes) -> None:
    """Record what gave up, or could not be read."""
    await queues.record(msg, _POISON)


if f"{_QUEUE}-poison" != _POISON:
    # The host has a name of its own for the poison queue. What it moves there must reach the vault too.
    @bp.function_name("ProcessTasteAnalysisJobHostDlq")
    @bp.queue_trigger("msg", f"{_QUEUE}-poison", queues.CONNECTION, data_type=func.DataType.BINARY)
    async def process_taste_analysis_job_host_dlq(msg: bytes) -> None:
        """Record what the host moved to the poison queue of its own naming."""
        await queues.record(msg, f"{_QUEUE}-poison")
