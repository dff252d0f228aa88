"""Tickets: the status of jobs over HTTP, and the general queues."""

from __future__ import annotations

from typing import TYPE_CHECKING

import azure.functions as func

from blueprints import queues
from blueprints.http import endpoint
from shared.settings import settings

if TYPE_CHECKING:
    from shared.web.answers import Answer

bp = func.Blueprint()


@bp.function_name("GetJob")
@bp.route("jobs/{job_id}", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def get_job(req: func.HttpRequest) -> Answer:
    """A job's status."""
    from shared.bootstrap import app
    from shared.web.tickets import show_job

    return await show_job(app(), req.route_params["job_id"], req.headers.get("if-none-match"))


@bp.function_name("CancelJob")
@bp.route("jobs/{job_id}/cancel", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def cancel_job(req: func.HttpRequest) -> Answer:
    """Stop a job: at once while it is queued, at its next checkpoint while it runs."""
    from shared.bootstrap import app
    from shared.web.tickets import cancel

    return await cancel(app(), req.route_params["job_id"])


def _serve(name: str, queue: str) -> None:
    """Make the two functions of a general queue: for its jobs, and for its poison queue."""

    async def process(msg: func.QueueMessage) -> None:
        await queues.process(msg, queue)

    async def record(msg: bytes) -> None:
        await queues.record(msg, f"{queue}-poison")

    for suffix, function in (("", process), ("Dlq", record)):
        source = queue if function is process else f"{queue}-poison"
        trigger = bp.queue_trigger("msg", source, queues.CONNECTION, data_type=func.DataType.BINARY)
        bp.function_name(f"{name}{suffix}")(trigger(function))


_serve("ProcessJobsHigh", settings().queue_high)
_serve("ProcessJobs", settings().queue_normal)
_serve("ProcessJobsLow", settings().queue_low)
