"""A document as it is kept: what was uploaded, what became of it, and where it is in the queue."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from shared.domains.documents.text import Outcome
from shared.ports import Document
from shared.storage import iso

MOST_EVENTS = 50
PASSWORD_ID = "password"  # noqa: S105 - the id of a document
PASSWORD_SECONDS = 3600
"""How long a password that was given is kept, at most: it is deleted once it has opened its document."""


class QueueStatus(StrEnum):
    """Where a document is in the queue."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"


class Operation(StrEnum):
    """What is done with a document."""

    PROCESS = "process"
    REPROCESS = "reprocess"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Version(_Record):
    """One upload."""

    number: int
    name: str
    bytes: int
    sha256: str
    uploaded_at: datetime


class Event(_Record):
    """Something that happened to a document."""

    at: datetime
    event: str
    detail: str = ""


class Found(_Record):
    """What was read of the current version."""

    format: str
    language: str | None = None
    title: str = ""
    author: str = ""
    created: str = ""
    modified: str = ""
    characters: int = 0
    pages: int = 0
    tables: int = 0
    links: tuple[str, ...] = ()
    read_at: datetime


class Stored(_Record):
    """A document."""

    id: str
    name: str
    status: QueueStatus
    current: Version | None = None
    """The version whose text is served; None until one was read."""
    waiting: Version | None = None
    """The version that is to be read, or could not be."""
    found: Found | None = None
    outcome: Outcome | None = None
    """How the latest reading ended; None while there was none."""
    words: str = ""
    """Why it failed, for whoever uploaded it."""
    format: str = ""
    reader: int = 0
    """The version of the readers that read it, or refused it."""
    job_id: str = ""
    """The job that reads it, or read it last."""
    uploaded_at: datetime
    updated_at: datetime
    events: tuple[Event, ...] = ()

    @property
    def latest(self) -> Version | None:
        """The newest upload."""
        return self.waiting or self.current

    def with_event(self, at: datetime, event: str, detail: str = "", **changes: object) -> Stored:
        """This document after something happened."""
        events = (*self.events, Event(at=at, event=event, detail=detail))[-MOST_EVENTS:]
        return self.model_copy(update={"events": events, "updated_at": at, **changes})

    def to_document(self) -> Document:
        """As the document store has it, with what lists are filtered by."""
        return {
            **self.model_dump(mode="json"),
            "pk": self.id,
            "sort": f"{iso(self.uploaded_at)}~{self.id}",
            "language": self.found.language if self.found else None,
            "sha256": self.current.sha256 if self.current else None,
            "waiting_sha256": self.waiting.sha256 if self.waiting else None,
        }


def id_of(sha256: str, attempt: int = 0) -> str:
    """The id of a new document with this content: who uploads the same content twice means the same document.

    Args:
        sha256: of the content, in hexadecimal.
        attempt: how many such ids are taken by documents whose content has changed since.
    """
    number = int(sha256[:32], 16) + attempt
    return str(UUID(int=number % 2**128))


def file_name(document_id: str, version: Version) -> str:
    """The blob that holds an upload."""
    return f"files/{document_id}/{version.number}"


def text_name(document_id: str, version: Version) -> str:
    """The blob that holds what was read of an upload."""
    return f"texts/{document_id}/{version.number}.json"
