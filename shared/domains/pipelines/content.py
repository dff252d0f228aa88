"""The content item: what flows through a pipeline, from executor to executor, in the form that ContentFlow gave it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class ContentId(BaseModel):
    """Which content this is, and where it came from."""

    model_config = ConfigDict(extra="allow", defer_build=True)

    canonical_id: str
    """The same for every version of one thing: `azure_blob:account/container/path`."""
    unique_id: str
    """Another one for each version."""
    source_name: str | None = None
    source_type: str | None = None
    container: str | None = None
    path: str | None = None
    filename: str | None = None
    metadata: dict[str, Any] | None = None


class ExecutorLog(BaseModel):
    """What an executor did with the item."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    executor_id: str
    start_time: datetime
    end_time: datetime
    status: Literal["completed", "skipped", "failed"]
    details: dict[str, Any] = Field(default_factory=dict)
    errors: list[str] = Field(default_factory=list)


class Content(BaseModel):
    """One content item. All of it is JSON; bytes are kept beside it (`Files`)."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    id: ContentId
    data: dict[str, Any] = Field(default_factory=dict)
    """The fields: executors read some and add others."""
    summary_data: dict[str, Any] = Field(default_factory=dict)
    """Few and short ones, that lists show."""
    executor_logs: list[ExecutorLog] = Field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether an executor failed on it, and the pipeline went on."""
        return any(log.status == "failed" for log in self.executor_logs)

    def get(self, path: str, default: Any = None) -> Any:
        """A field by its path: ``excel_output.sheets.0.table``. A step into a list is a number, or a name in each of its elements."""
        found: Any = self.data
        for name in path.split("."):
            found = _step(found, name)
        return default if found is None else found

    def put(self, path: str, value: Any) -> None:
        """Set a field by its path; objects on the way are made.

        Raises:
            ValueError: there is something else on the way.
        """
        *way, last = path.split(".")
        place: Any = self.data
        for name in way:
            place = place.setdefault(name, {}) if isinstance(place, dict) else None
        if not isinstance(place, dict):
            raise ValueError(f"the field {path!r} cannot be set: a part of its path is no object")  # noqa: TRY004 - of the value, not the type
        place[last] = value

    def child(self, name: str, data: Mapping[str, Any], **about: Any) -> Content:
        """An item made of a part of this one: a chunk, a row. The same name makes the same ids."""
        known = {**(self.id.metadata or {}), "parent_id": self.id.canonical_id, **about}
        own = self.id.model_copy(
            update={
                "canonical_id": f"{self.id.canonical_id}#{name}",
                "unique_id": f"{self.id.unique_id}-{name}",
                "metadata": known,
            }
        )
        return Content(id=own, data=dict(data), summary_data=dict(self.summary_data))

    def scope(self) -> dict[str, Any]:
        """What the names in a condition stand for: the fields, and over them `NAMES`."""
        whole = self.model_dump(mode="json")
        path = PurePosixPath(self.id.filename or self.id.path or "")
        about = {
            "filename": path.name or None,
            "file_type": path.suffix.removeprefix(".").lower() or None,
            "extension": path.suffix.lower() or None,
        }
        given = self.data.get("metadata")
        metadata = {**about, **(self.id.metadata or {}), **(given if isinstance(given, dict) else {})}
        document = {**self.data, **whole, "metadata": metadata}
        return {**about, **self.data, **whole, "metadata": metadata, "document": document, "content": document}


NAMES = (
    "id",
    "data",
    "summary_data",
    "executor_logs",
    "metadata",
    "document",
    "content",
    "filename",
    "file_type",
    "extension",
)
"""The names that every condition may use. `metadata` is the source's, with what is known of the file and the field `metadata` over
it; `document` and `content` are the item with its fields beside its parts."""


def content_id(canonical_id: str, version: str = "", **about: Any) -> ContentId:
    """The id of a version of something, made of what tells it apart: an ETag, a time of change."""
    unique = hashlib.sha256(f"{canonical_id}\n{version}".encode()).hexdigest()[:32]
    return ContentId(canonical_id=canonical_id, unique_id=unique, **about)


def _step(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return value.get(name)
    if isinstance(value, list):
        if name.lstrip("-").isdigit():
            place = int(name)
            return value[place] if -len(value) <= place < len(value) else None
        found = [_step(each, name) for each in value]
        return found if any(each is not None for each in found) else None
    return None
