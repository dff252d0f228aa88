"""What fell between two writes: a document that waits without a job, an upload that nobody committed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import TYPE_CHECKING

from shared.containers import JOBS
from shared.domains.documents.containers import DOCUMENTS
from shared.domains.documents.model import QueueStatus, Stored, Version
from shared.domains.documents.settings import DocumentSettings
from shared.ports import Query, Where
from shared.storage import every, iso

if TYPE_CHECKING:
    from shared.jobs import JobContext

_PATIENCE = timedelta(minutes=10)
_MOST = 1_000
UPLOAD_HOURS = 24
"""How long an upload may wait to be committed."""


async def waiting_without_job(job: JobContext) -> AsyncIterator[tuple[Stored, Version]]:
    """The documents that have waited for some time, and have no job that would read them; each with its newest version."""
    for status in (QueueStatus.PENDING, QueueStatus.IN_PROGRESS):
        async for document in every(
            job.documents, DOCUMENTS, Query((Where("status", "=", status.value),), order_by="sort", limit=200), _MOST
        ):
            stored = Stored.model_validate(document)
            if stored.latest and stored.updated_at < job.clock.now() - _PATIENCE and not await _has_job(stored, job):
                yield stored, stored.latest


async def _has_job(stored: Stored, job: JobContext) -> bool:
    found = await job.documents.read(JOBS, stored.job_id, stored.job_id) if stored.job_id else None
    return found is not None and found.value.get("status") in ("queued", "running")


async def drop_uploads(job: JobContext) -> int:
    """Delete uploads that nobody committed; return how many."""
    blobs, dropped = job.containers(job.settings.of(DocumentSettings).files_container), 0
    oldest = iso(job.clock.now() - timedelta(hours=UPLOAD_HOURS))
    async for blob in blobs.list("uploads/"):
        if blob.name.removeprefix("uploads/") < oldest:  # ids begin with the moment until which one may write
            dropped += await blobs.delete(blob.name)
    return dropped
