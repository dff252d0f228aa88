"""What a callback tells: the outcome of a job, as it was when the job ended."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, JsonValue

from shared.api.views import job_view
from shared.jobs import Job
from shared.storage import iso


class WebhookJob(BaseModel):
    """The payload of a callback's job. All but `url` is the body that is sent."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    url: str
    type: str
    """`job.completed`, `job.failed` or `job.cancelled`."""
    timestamp: str
    """When the job ended."""
    data: dict[str, JsonValue]
    """The job, as `GET /api/jobs/{job_id}` showed it then."""

    def body(self) -> bytes:
        """What is sent: the same bytes at every attempt."""
        return self.model_dump_json(exclude={"url"}).encode()


def callback_of(job: Job) -> dict[str, Any]:
    """The payload of the job that tells the outcome of a job."""
    return {
        "url": job.callback_url,
        "type": f"job.{job.status}",
        "timestamp": iso(job.due_at),
        "data": job_view(job),
    }
