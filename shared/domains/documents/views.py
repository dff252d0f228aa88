"""How documents look from outside."""

from __future__ import annotations

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from shared.api.schemas import Moment
from shared.domains.documents.model import Stored, Version
from shared.domains.documents.splitting import Chunk
from shared.storage import iso

_CLOSED = ConfigDict(extra="forbid")


@with_config(_CLOSED)
class DocumentVersion(TypedDict):
    """One upload."""

    number: int
    name: str
    bytes: int
    sha256: str
    uploaded_at: Moment


@with_config(_CLOSED)
class DocumentSummary(TypedDict):
    """A document in a list."""

    document_id: str
    name: str
    status: str
    outcome: str | None
    words: str
    format: str
    language: str | None
    title: str
    bytes: int
    pages: int
    characters: int
    reader: int
    job_id: str
    uploaded_at: Moment
    updated_at: Moment


@with_config(_CLOSED)
class DocumentEvent(TypedDict):
    """Something that happened to a document."""

    at: Moment
    event: str
    detail: str


@with_config(_CLOSED)
class DocumentView(DocumentSummary):
    """A document. `current` is the version whose text is served, `waiting` one that is not read yet, or could not be."""

    author: str
    created: str
    modified: str
    tables: int
    links: list[str]
    current: DocumentVersion | None
    waiting: DocumentVersion | None
    read_at: Moment | None
    events: list[DocumentEvent]


@with_config(_CLOSED)
class DocumentPage(TypedDict):
    """One page of documents, the newest first."""

    items: list[DocumentSummary]
    cursor: str | None


@with_config(_CLOSED)
class DocumentTicket(TypedDict):
    """A document that was taken in. `duplicate`: there was one with the same content already."""

    document_id: str
    status: str
    version: int
    duplicate: bool
    job_id: str
    href: str


@with_config(_CLOSED)
class UploadView(TypedDict):
    """Where the file is to be put (`PUT`, with these headers), until when, and what commits it."""

    upload_id: str
    url: str
    headers: dict[str, str]
    expires_at: Moment
    commit: str


@with_config(_CLOSED)
class ChunkView(TypedDict):
    """A stretch of a document's text: `text[start:end]`."""

    number: int
    start: int
    end: int
    page: int | None
    headings: list[str]
    text: str


@with_config(_CLOSED)
class ChunkPage(TypedDict):
    """One page of chunks."""

    items: list[ChunkView]
    total: int
    cursor: str | None


@with_config(_CLOSED)
class QueueStats(TypedDict):
    """How many items of the queue are in each state."""

    pending: int
    in_progress: int
    failed: int
    completed: int


@with_config(_CLOSED)
class ProcessedView(TypedDict):
    """What a look at the queue has done."""

    processed: int
    completed: int
    failed: int


@with_config(_CLOSED)
class ReprocessView(TypedDict):
    """How many documents are read again; the cursor of those that are older."""

    queued: int
    cursor: str | None


@with_config(_CLOSED)
class ClearedView(TypedDict):
    """How many documents were deleted; whether there are more."""

    deleted: int
    more: bool


def summary_view(stored: Stored) -> DocumentSummary:
    """A document in a list."""
    found, latest = stored.found, stored.latest
    return {
        "document_id": stored.id,
        "name": stored.name,
        "status": stored.status.value,
        "outcome": stored.outcome.value if stored.outcome else None,
        "words": stored.words,
        "format": stored.format,
        "language": found.language if found else None,
        "title": found.title if found else "",
        "bytes": latest.bytes if latest else 0,
        "pages": found.pages if found else 0,
        "characters": found.characters if found else 0,
        "reader": stored.reader,
        "job_id": stored.job_id,
        "uploaded_at": iso(stored.uploaded_at),
        "updated_at": iso(stored.updated_at),
    }


def document_view(stored: Stored) -> DocumentView:
    """A document with all that is known of it."""
    found = stored.found
    return {
        **summary_view(stored),
        "author": found.author if found else "",
        "created": found.created if found else "",
        "modified": found.modified if found else "",
        "tables": found.tables if found else 0,
        "links": list(found.links) if found else [],
        "current": _version(stored.current),
        "waiting": _version(stored.waiting),
        "read_at": iso(found.read_at) if found else None,
        "events": [{"at": iso(each.at), "event": each.event, "detail": each.detail} for each in stored.events],
    }


def ticket_view(stored: Stored, api_url: str, *, duplicate: bool = False) -> DocumentTicket:
    """A document that was taken in."""
    return {
        "document_id": stored.id,
        "status": stored.status.value,
        "version": stored.latest.number if stored.latest else 0,
        "duplicate": duplicate,
        "job_id": stored.job_id,
        "href": f"{api_url}/documents/{stored.id}",
    }


def chunk_view(chunk: Chunk) -> ChunkView:
    """A chunk."""
    return {
        "number": chunk.number,
        "start": chunk.start,
        "end": chunk.end,
        "page": chunk.page,
        "headings": list(chunk.headings),
        "text": chunk.text,
    }


def _version(version: Version | None) -> DocumentVersion | None:
    if version is None:
        return None
    return {
        "number": version.number,
        "name": version.name,
        "bytes": version.bytes,
        "sha256": version.sha256,
        "uploaded_at": iso(version.uploaded_at),
    }
