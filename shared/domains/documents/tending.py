"""What fell between two writes: a document that waits without a job, an upload that nobody committed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from shared.containers import JOBS
from shared.domains.documents.containers import DOCUMENTS, FILES
from shared.domains.documents.kinds import ReadDocument, read_document
from shared.domains.documents.model import QueueStatus, Stored
from shared.ports import Query, Where
from shared.storage import every, iso

if TYPE_CHECKING:
    from shared.jobs import JobContext

_PATIENCE = timedelta(minutes=10)
_MOST = 1_000
UPLOAD_HOURS = 24
"""How long an upload may wait to be committed."""


async def tend(job: JobContext) -> dict[str, int]:
    """Submit anew what waits without a job, and delete uploads that nobody committed. Safe to run twice."""
    submitted = 0
    for status in (QueueStatus.PENDING, QueueStatus.IN_PROGRESS):
        async for document in every(
            job.documents, DOCUMENTS, Query((Where("status", "=", status.value),), order_by="sort", limit=200), _MOST
        ):
            stored = Stored.model_validate(document)
            if stored.latest and stored.updated_at < job.clock.now() - _PATIENCE and not await _has_job(stored, job):
                payload = ReadDocument(document_id=stored.id, version=stored.latest.number)
                await job.submit(read_document, payload, key=iso(stored.updated_at))
                submitted += 1
    return {"submitted": submitted, "uploads_deleted": await _drop_uploads(job)}


async def _has_job(stored: Stored, job: JobContext) -> bool:
    found = await job.documents.read(JOBS, stored.job_id, stored.job_id) if stored.job_id else None
    return found is not None and found.value.get("status") in ("queued", "running")


async def _drop_uploads(job: JobContext) -> int:
    blobs, dropped = job.containers(FILES), 0
    oldest = iso(job.clock.now() - timedelta(hours=UPLOAD_HOURS))
    async for blob in blobs.list("uploads/"):
        if blob.name.removeprefix("uploads/") < oldest:  # ids begin with the moment until which one may write
            dropped += await blobs.delete(blob.name)
    return dropped
