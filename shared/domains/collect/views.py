"""What the collection's route takes and answers."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import BaseModel, ConfigDict, Field, JsonValue, with_config
from typing_extensions import TypedDict

from shared.api.schemas import Moment, ProgressView, Uuid
from shared.domains.collect.payload import CollectJob
from shared.jobs.model import Job, Status
from shared.storage import iso

ROUTE = "summarywomble"
CHAIN = "content-site"
"""The workflow that goes on from a collection to a published site; its first step is `COLLECT`."""
COLLECT = "collect"
_CLOSED = ConfigDict(extra="forbid")


class CollectRequest(CollectJob):
    """The body that starts a collection."""

    action: Literal["start"] = "start"
    then: Literal["publish"] | None = Field(
        None, description="`publish`: enrich what was collected, and publish it; the ticket is that of the whole chain."
    )


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
class CollectionView(TypedDict):
    """How a collection stands."""

    job_id: Uuid
    status: Status
    updated_at: Moment
    progress: NotRequired[ProgressView]
    results: NotRequired[JsonValue]
    error: NotRequired[str]


def started_view(job: Job, api_url: str) -> StartedView:
    """The ticket of a collection."""
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


def collection_view(job: Job, collected: JsonValue = None) -> CollectionView:
    """How a collection stands; of a chain, with what was `collected` as its results."""
    # A run holds no worker while its steps are at work: for its client it runs all the same.
    at_work = job.kind == CHAIN and job.status is Status.QUEUED and job.attempt > 0
    status = Status.RUNNING if at_work else job.status
    view: CollectionView = {"job_id": job.job_id, "status": status, "updated_at": iso(job.updated_at)}
    if job.progress:
        view["progress"] = {
            "step": job.progress.step, "completed": job.progress.completed, "total": job.progress.total
        }  # fmt: skip
    if job.status is Status.COMPLETED:
        view["results"] = collected if job.kind == CHAIN else job.results
    if job.status is Status.FAILED and job.error:
        view["error"] = job.error.message
    return view
