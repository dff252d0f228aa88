"""Tickets: the status of jobs over HTTP, and the general queues."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
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


def _serve(name: str, queue: str, act: Callable[[func.QueueMessage, str], Awaitable[None]]) -> None:
    async def function(msg: func.QueueMessage) -> None:
        await act(msg, queue)

    function.__name__ = name
    bp.function_name(name)(bp.queue_trigger("msg", queue, queues.CONNECTION, data_type=func.DataType.BINARY)(function))


for _name, _queue in (("High", settings().queue_high), ("", settings().queue_normal), ("Low", settings().queue_low)):
    _serve(f"ProcessJobs{_name}", _queue, queues.process)
    _serve(f"ProcessJobs{_name}Dlq", f"{_queue}-poison", queues.record)
