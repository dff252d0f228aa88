"""What flows through a pipeline: an item of content, with what its steps found out about it. JSON throughout: bytes travel by reference."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Data = dict[str, Any]
"""A JSON object."""


class ContentId(BaseModel):
    """Which content it is, and where it came from."""

    model_config = ConfigDict(defer_build=True)

    canonical_id: str = Field(description="The same for the same content, whenever it is found: an address, as a rule.")
    unique_id: str = Field(description="A hash: safe in names of files and keys of an index.")
    source_name: str | None = Field(default=None, description="Which source found it.")
    source_type: str | None = Field(
        default=None, description="`azure_blob`, `local_file`, `webpage`, `feed` and the like."
    )
    container: str | None = Field(default=None, description="Container, or folder.")
    path: str | None = Field(default=None, description="Where in its container.")
    filename: str | None = None
    metadata: Data | None = Field(default=None, description="What its source says of it.")


class LogEntry(BaseModel):
    """What became of an item in one step."""

    model_config = ConfigDict(defer_build=True)

    executor_id: str
    start_time: datetime
    end_time: datetime
    status: Literal["completed", "skipped", "failed"]
    details: Data = Field(default_factory=dict)
    errors: list[str] = Field(default_factory=list)


class Content(BaseModel):
    """An item of content."""

    model_config = ConfigDict(defer_build=True)

    id: ContentId
    summary_data: Data = Field(default_factory=dict, description="Counts and the like, by which an item is looked at.")
    data: Data = Field(default_factory=dict, description="What the steps found out; each writes its output field.")
    executor_logs: list[LogEntry] = Field(default_factory=list)

    def names(self) -> Data:
        """What conditions and templates may name: its fields, `id`, `metadata`, and the item as `document` and `content`.

        Where a field is in its data and in its summary, the data goes first. `metadata` is what the source said of it, with the
        suffix of its name as `file_type`, under what a step wrote of that name.
        """
        told = {"file_type": _suffix(self.id.filename or self.id.path or ""), **(self.id.metadata or {})}
        own = self.data.get("metadata")
        whole = {
            "id": self.id.model_dump(mode="json"),
            "metadata": {**told, **own} if isinstance(own, dict) else told,
            "data": self.data,
            "summary_data": self.summary_data,
        }
        fields = {"filename": self.id.filename, "document_id": self.id.canonical_id, **self.summary_data, **self.data}
        return {"content": whole, **fields, **whole, "document": {**fields, **whole}}


def content_id(canonical_id: str, **known: Any) -> ContentId:
    """An id whose hash derives from its canonical id: found twice, the same content has the same."""
    return ContentId(canonical_id=canonical_id, unique_id=hashed(canonical_id), **known)


def hashed(text: str) -> str:
    """A hash that is safe in names and keys."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:40]


def _suffix(name: str) -> str:
    return name.rsplit("/", 1)[-1].rpartition(".")[2].lower() if "." in name else ""
