"""The job that reads a document, and the one that looks after the queue."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict

from shared.domains.documents.model import Operation
from shared.domains.documents.settings import DocumentSettings
from shared.jobs import JobContext, Policy, job
from shared.jobs.model import Failure
from shared.settings import Settings

READ_DOCUMENT = "read-document"


class ReadDocument(BaseModel):
    """The payload of reading a document."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    document_id: str
    version: int
    operation: Operation = Operation.PROCESS


class TendDocuments(BaseModel):
    """The payload of a look at what was left behind."""

    model_config = ConfigDict(extra="forbid", defer_build=True)


def _policy(settings: Settings) -> Policy:
    return Policy(
        max_attempts=4,
        base_backoff_seconds=30,
        max_backoff_seconds=1800,
        timeout_seconds=settings.of(DocumentSettings).seconds + 60,
    )


async def _on_abort(payload: ReadDocument, job: JobContext, failure: Failure) -> None:  # noqa: ARG001 - the words are the document's
    from shared.domains.documents.processing import give_up

    await give_up(payload.document_id, payload.version, job)


@job(READ_DOCUMENT, policy=_policy, on_abort=_on_abort)
async def read_document(payload: ReadDocument, job: JobContext) -> dict[str, Any]:
    """Read a document of the queue. Safe to run twice."""
    from shared.domains.documents.processing import process_document_content

    return await process_document_content(payload.document_id, payload.version, job)


@job("tend-documents", max_attempts=2, timeout_seconds=300)
async def tend_documents(payload: TendDocuments, job: JobContext) -> dict[str, int]:  # noqa: ARG001 - nothing to say
    """See to what fell between two writes: documents that wait without a job, uploads that nobody committed. Safe to run twice."""
    from shared.domains.documents.tending import drop_uploads, waiting_without_job
    from shared.storage import iso

    submitted = 0
    async for stored, version in waiting_without_job(job):
        again = ReadDocument(document_id=stored.id, version=version.number)
        await job.submit(read_document, again, key=iso(stored.updated_at))
        submitted += 1
    return {"submitted": submitted, "uploads_deleted": await drop_uploads(job)}
