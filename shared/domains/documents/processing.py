"""Reading one document of the queue: from its file to its text, or to words that say why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.domains.documents.model import Found, QueueStatus, Stored, Version
from shared.domains.documents.reader import DocumentReader, document_reader
from shared.domains.documents.store import DocumentFiles, DocumentMissingError
from shared.domains.documents.text import READER, Outcome, Refusal, Text
from shared.jobs import FinalError

if TYPE_CHECKING:
    from shared.jobs import JobContext

_GIVEN_UP = "This document could not be read: it was tried several times, and given up."


class DocumentRefusedError(FinalError):
    """A document cannot be read. No retry mends that: `reprocess` does, once the cause is gone."""


class DocumentTimedOutError(Exception):
    """Reading a document took too long; it is tried again, since the machine may have been busy."""


async def process_document_content(
    document_id: str, number: int, job: JobContext, reader: DocumentReader | None = None
) -> dict[str, Any]:
    """Read a version of a document and keep its text. Safe to run twice.

    Raises:
        DocumentRefusedError: it cannot be read; the document says why.
        DocumentTimedOutError: it took too long.
    """
    files = DocumentFiles(job.documents, job.containers, job.clock, job.settings)
    version = await _begin(files, document_id, number, job)
    if version is None:
        return {"outcome": "superseded"}
    data = await files.file(document_id, version)
    if data is None:
        raise DocumentRefusedError("the file is gone")
    password = await files.password(document_id)
    found = await (reader or document_reader(job.settings)).read(data, version.name, password)
    await job.checkpoint()
    if isinstance(found, Text):
        return await _keep(files, document_id, version, found, job)
    if found.outcome is Outcome.TIMED_OUT and not job.last_attempt:
        raise DocumentTimedOutError(found.words)
    stored = await _refuse(files, document_id, version, found, job)
    if _has_text(stored, version.number):
        return {"outcome": "kept"}
    raise DocumentRefusedError(found.words)


async def give_up(document_id: str, number: int, job: JobContext) -> None:
    """Say of a document whose job gives up that it failed, unless it says so, and why, itself."""
    files = DocumentFiles(job.documents, job.containers, job.clock, job.settings)
    now = job.clock.now()

    def failed(stored: Stored) -> Stored | None:
        if not _is_about(stored, number) or stored.status is QueueStatus.FAILED:
            return None
        changes = {"status": QueueStatus.FAILED, "outcome": Outcome.TIMED_OUT, "words": _GIVEN_UP, "reader": READER}
        return stored.with_event(now, "failed", _GIVEN_UP, **changes)

    try:
        await files.change(document_id, failed)
    except DocumentMissingError:
        return


async def _begin(files: DocumentFiles, document_id: str, number: int, job: JobContext) -> Version | None:
    """Mark the document as in progress; None where this version is not to be read any more."""
    now = job.clock.now()

    def started(stored: Stored) -> Stored | None:
        if not _is_about(stored, number):
            return None
        return stored.model_copy(update={"status": QueueStatus.IN_PROGRESS, "job_id": job.job_id, "updated_at": now})

    try:
        stored = await files.change(document_id, started)
    except DocumentMissingError:
        return None
    return stored.latest if _is_about(stored, number) else None


async def _keep(
    files: DocumentFiles, document_id: str, version: Version, text: Text, job: JobContext
) -> dict[str, Any]:
    await files.put_text(document_id, version, text)
    now = job.clock.now()
    found = Found(
        format=text.format, language=text.language, title=text.title, author=text.author, created=text.created,
        modified=text.modified, characters=len(text.text), pages=len(text.pages), tables=len(text.tables),
        links=text.links[:100], read_at=now,
    )  # fmt: skip
    before: list[Version] = []

    def read(stored: Stored) -> Stored | None:
        before.clear()
        if not _is_about(stored, version.number):
            return None
        if stored.current and stored.current.number != version.number:
            before.append(stored.current)
        changes = {
            "status": QueueStatus.COMPLETED, "current": version, "waiting": None, "name": version.name, "found": found,
            "outcome": Outcome.TEXT, "words": "", "format": text.format, "reader": READER,
        }  # fmt: skip
        return stored.with_event(now, "read", f"{found.characters} characters", **changes)

    await files.change(document_id, read)
    for old in before:  # replaced only now that the new one was read
        await files.drop(document_id, old)
    await files.forget_password(document_id)
    return {"outcome": Outcome.TEXT.value, "characters": found.characters, "pages": found.pages}


async def _refuse(
    files: DocumentFiles, document_id: str, version: Version, refusal: Refusal, job: JobContext
) -> Stored:
    """Say why it cannot be read. A text that was read of it before stays: it may want a password that nobody gave again."""
    now = job.clock.now()

    def refused(stored: Stored) -> Stored | None:
        if not _is_about(stored, version.number):
            return None
        if _has_text(stored, version.number):
            return stored.with_event(now, "not read anew", refusal.words, status=QueueStatus.COMPLETED)
        changes = {
            "status": QueueStatus.FAILED, "outcome": refusal.outcome, "words": refusal.words, "format": refusal.format or stored.format,
            "reader": READER,
        }  # fmt: skip
        return stored.with_event(now, "failed", refusal.words, **changes)

    stored = await files.change(document_id, refused)
    await files.forget_password(document_id)
    return stored


def _has_text(stored: Stored, number: int) -> bool:
    """Whether a text of this version is there already."""
    return stored.found is not None and stored.current is not None and stored.current.number == number


def _is_about(stored: Stored, number: int) -> bool:
    return stored.latest is not None and stored.latest.number == number
