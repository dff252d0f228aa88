"""The content collection's own route: one POST that hands out a ticket, or with `action: status` answers for one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal, NotRequired

from pydantic import BaseModel, ConfigDict, Field, JsonValue, with_config
from typing_extensions import TypedDict

from shared.api.schemas import Moment, ProgressView, Uuid
from shared.domains.collect import hot_topics
from shared.domains.collect.payload import CollectJob
from shared.domains.collect.timers import HOT_TOPICS
from shared.jobs import Job, Status
from shared.jobs.model import iso
from shared.web.answers import Answer, json_answer, quoted
from shared.web.requests import read_json, read_uuid, validating

if TYPE_CHECKING:
    from shared.app import App

KIND = "collect-content"
ROUTE = "summarywomble"
_CLOSED = ConfigDict(extra="forbid")


class CollectRequest(CollectJob):
    """The body that starts a collection."""

    action: Literal["start"] = "start"


class StatusRequest(BaseModel):
    """The body that asks how a collection stands."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["status"]
    job_id: str = Field(json_schema_extra={"format": "uuid"})


Body = Annotated[CollectRequest | StatusRequest, Field(union_mode="left_to_right")]
"""What the route takes."""


@with_config(_CLOSED)
class StatusBody(TypedDict):
    """The body to send for the status."""

    action: Literal["status"]
    job_id: Uuid


@with_config(_CLOSED)
class StatusExample(TypedDict):
    """How to ask for the status."""

    method: Literal["POST"]
    url: str
    body: StatusBody


@with_config(_CLOSED)
class StartedView(TypedDict):
    """The ticket."""

    job_id: Uuid
    status: Status
    message: str
    timestamp: Moment
    status_check_example: StatusExample


@with_config(_CLOSED)
class StatusView(TypedDict):
    """How a collection stands."""

    job_id: Uuid
    status: Status
    updated_at: Moment
    progress: NotRequired[ProgressView]
    results: NotRequired[JsonValue]
    error: NotRequired[str]


async def answer(app: App, body: bytes, api_url: str, trace: str | None = None) -> Answer:
    """202 with a ticket, or 200 with the status of an earlier one.

    Raises:
        Problem: the body does not fit; each field that does not is named, and no job is made.
        JobNotFoundError: there is no such job.
    """
    content = read_json(body)
    if content.get("action", "start") != "start":
        with validating():
            asked = StatusRequest.model_validate(content)
        return json_answer(await status(app, asked.job_id), headers={"Cache-Control": "no-cache"})
    with validating():
        wanted = CollectRequest.model_validate(content)
    return await _started(app, wanted, api_url, trace)


async def status(app: App, job_id: str) -> StatusView:
    """How a job stands; the reply of the route, as a value."""
    return _status((await app.engine.get(read_uuid(job_id, "job_id"))).value)


async def collect_hot_topics(app: App, *, past_due: bool) -> None:
    """Run the timer of hot topics; then look at its job once, as a client of the route does."""

    async def submit() -> Mapping[str, Any] | None:
        occurrence = await app.ledger.tick(HOT_TOPICS.name, past_due=past_due)
        return {"job_id": occurrence.job_id, "status": occurrence.state} if occurrence else None

    await hot_topics.collect_hot_topics(app.settings, app.clock, submit, partial(status, app))


async def _started(app: App, wanted: CollectRequest, api_url: str, trace: str | None) -> Answer:
    payload = CollectJob(**wanted.model_dump(exclude={"action"}))
    ticket = await app.engine.submit(KIND, payload, trace=trace)
    headers = {
        "Location": f"{api_url}/jobs/{ticket.job.job_id}",
        "Retry-After": str(app.settings.retry_after_seconds),
        "ETag": quoted(ticket.etag),
    }
    return json_answer(_ticket(ticket.job, api_url), 202, headers)


def _ticket(job: Job, api_url: str) -> StartedView:
    return {
        "job_id": job.job_id,
        "status": job.status,
        "message": "Content processing started. Use job_id to check status.",
        "timestamp": iso(job.created_at),
        "status_check_example": {
            "method": "POST",
            "url": f"{api_url}/{ROUTE}",
            "body": {"action": "status", "job_id": job.job_id},
        },
    }


def _status(job: Job) -> StatusView:
    view: StatusView = {"job_id": job.job_id, "status": job.status, "updated_at": iso(job.updated_at)}
    if job.progress:
        view["progress"] = {
            "step": job.progress.step, "completed": job.progress.completed, "total": job.progress.total
        }  # fmt: skip
    if job.status is Status.COMPLETED:
        view["results"] = job.results
    if job.status is Status.FAILED and job.error:
        view["error"] = job.error.message
    return view
