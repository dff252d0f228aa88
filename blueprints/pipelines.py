"""Pipelines: their routes, the queue of tasks from elsewhere, and the timer that sees to it that vaults are looked at."""

import azure.functions as func

from blueprints import http, queues, timers
from shared.declarations import settings
from shared.domains.pipelines.api import api
from shared.domains.pipelines.settings import PipelineSettings

bp = func.Blueprint()
_TASKS = settings().of(PipelineSettings).task_queue
http.serve(bp, api)


@bp.function_name("ProcessContentTasks")
@bp.queue_trigger("msg", _TASKS, queues.CONNECTION, data_type=func.DataType.BINARY)
async def process_content_tasks(msg: func.QueueMessage) -> None:
    """Take in a task from elsewhere as a job; what is none is recorded in the vault."""
    from shared.domains.pipelines.intake import take_in

    await queues.hand_over(msg, _TASKS, take_in)


@bp.function_name("ProcessContentTasksDlq")
@bp.queue_trigger("msg", f"{_TASKS}-poison", queues.CONNECTION, data_type=func.DataType.BINARY)
async def process_content_tasks_dlq(msg: bytes) -> None:
    """Record a task that the host set aside."""
    await queues.record(msg, f"{_TASKS}-poison")


@bp.function_name("PipelineVaults")
@bp.timer_trigger("timer", settings().of(PipelineSettings).watch_schedule)
async def pipeline_vaults(timer: func.TimerRequest) -> None:
    """See to it that every vault is looked at."""
    await timers.tick(timer, "PipelineVaults")
