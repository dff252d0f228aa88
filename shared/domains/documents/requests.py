"""What clients send about documents."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from shared.domains.documents.model import QueueStatus
from shared.domains.documents.text import Outcome
from shared.jobs.model import Priority

Name = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
Password = Annotated[str, StringConstraints(min_length=1, max_length=1000)]
DocumentId = Annotated[
    str, StringConstraints(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class UploadCommit(_Request):
    """What is said of a file that was put to an upload's address."""

    name: Name = Field(description="The file's name: its ending may say what it is.")
    document_id: DocumentId | None = Field(None, description="The document of which it is a new version.")
    password: Password | None = Field(None, description="Opens it, where it is protected.")
    priority: Priority | None = None


class Reprocess(_Request):
    """Why a document is read again."""

    password: Password | None = Field(None, description="Opens it, where it is protected. Kept for an hour at most.")
    priority: Priority | None = None


class ReprocessMany(_Request):
    """Which documents are read again: those that fit all that is given."""

    status: QueueStatus | None = None
    outcome: Outcome | None = None
    format: Annotated[str, StringConstraints(max_length=50)] | None = None
    reader_before: int | None = Field(
        None, ge=1, le=1_000_000, description="Read, or refused, by readers older than this version."
    )
    limit: int = Field(100, ge=1, le=500)
    cursor: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        None, description="The `cursor` of the answer before."
    )
    priority: Priority | None = None
