"""Tickets over HTTP: the status of a job, and cancelling it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.web.answers import Answer, cached_answer, json_answer
from shared.web.requests import read_uuid
from shared.web.views import job_view

if TYPE_CHECKING:
    from shared.bootstrap import App


async def show_job(app: App, job_id: str, if_none_match: str | None) -> Answer:
    """A job's status with its ETag; one storage call."""
    held = await app.engine.get(read_uuid(job_id, "job_id"))
    headers = {} if held.job.status.final else {"Retry-After": str(app.settings.retry_after_seconds)}
    return cached_answer(job_view(held.job), held.etag, if_none_match, headers)


async def cancel(app: App, job_id: str) -> Answer:
    """Cancel a job: 200 where it is cancelled now, 202 where it will stop at its next checkpoint, 409 where it ended."""
    held = await app.engine.cancel(read_uuid(job_id, "job_id"))
    return json_answer(job_view(held.job), 200 if held.job.status.final else 202)
