"""Tickets: the status of jobs over HTTP, and the general queues."""

from __future__ import annotations

from typing import TYPE_CHECKING

import azure.functions as func

from blueprints import queues
from blueprints.http import api_url, endpoint
from shared.settings import settings

if TYPE_CHECKING:
    from shared.web.answers import Answer

bp = func.Blueprint()
_SUBMIT = "jobs/{kind}"
_RETRY = "jobs/{job_id}/retry"


@bp.function_name("GetJob")
@bp.route("jobs/{job_id}", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def get_job(req: func.HttpRequest) -> Answer:
    """A job's status."""
    from shared.bootstrap import app
    from shared.web.tickets import show_job

    return await show_job(app(), req.route_params["job_id"], req.headers)


@bp.function_name("ListJobs")
@bp.route("jobs", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def list_jobs(req: func.HttpRequest) -> Answer:
    """Jobs, newest first, filtered and paged."""
    from shared.bootstrap import app
    from shared.web.tickets import list_jobs

    return await list_jobs(app(), req.params)


@bp.function_name("SubmitJob")
@bp.route(_SUBMIT, methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def submit_job(req: func.HttpRequest) -> Answer:
    """Take in a job of a public kind: 202 with a ticket."""
    from shared.bootstrap import app
    from shared.web.submission import submit

    kind = req.route_params["kind"]
    return await submit(app(), kind, req.get_body(), req.headers, api_url(req, _SUBMIT))


@bp.function_name("GetJobHistory")
@bp.route("jobs/{job_id}/history", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def get_job_history(req: func.HttpRequest) -> Answer:
    """What has happened to a job."""
    from shared.bootstrap import app
    from shared.web.tickets import show_history

    return await show_history(app(), req.route_params["job_id"], req.headers)


@bp.function_name("ExplainJob")
@bp.route("jobs/{job_id}/explain", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def explain_job(req: func.HttpRequest) -> Answer:
    """Why a job is not running, and what to do about it."""
    from shared.bootstrap import app
    from shared.web.tickets import explain_job

    return await explain_job(app(), req.route_params["job_id"])


@bp.function_name("RetryJob")
@bp.route(_RETRY, methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def retry_job(req: func.HttpRequest) -> Answer:
    """Put a failed job back."""
    from shared.bootstrap import app
    from shared.web.tickets import retry

    job_id = req.route_params["job_id"]
    return await retry(app(), job_id, api_url(req, _RETRY))


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
for _queue in sorted({queue for _, queue in settings().kind_queues}):
    _serve(f"ProcessQueue_{_queue.replace('-', '_')}", _queue)
