"""Pipelines and their versions, in the document store."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from shared.domains.pipelines.definition import Definition
from shared.domains.pipelines.settings import PipelineSettings
from shared.jobs import FinalError
from shared.ports import AlreadyExistsError, DocumentStore, Page, PreconditionError, Query, Where
from shared.settings import Settings
from shared.storage import Versioned, iso

_REMEMBERED = 200


class StoredPipeline(BaseModel):
    """A pipeline as it is now."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    name: str
    description: str = ""
    text: str
    """The file, as it was given."""
    main: str
    """Which of the file's pipelines is run."""
    enabled: bool = True
    version: int
    definition: str
    """The hash of its definition."""
    input_executor: str | None = None
    """The executor that finds content, if its first is one."""
    created_at: datetime
    updated_at: datetime


class Version(BaseModel):
    """A pipeline as it was."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    number: int
    text: str
    definition: Definition
    created_at: datetime


class PipelineStore:
    """Pipelines by id, and their versions, which do not change."""

    def __init__(self, documents: DocumentStore, settings: Settings) -> None:
        self._documents = documents
        self._container = settings.of(PipelineSettings).pipelines

    async def get(self, id: str) -> Versioned[StoredPipeline] | None:
        """A pipeline, or None."""
        found = await self._documents.read(self._container, id, id)
        return Versioned(StoredPipeline.model_validate(found.value), found.etag) if found else None

    async def page(self, limit: int, cursor: str | None) -> Page:
        """Pipelines in the order of their ids."""
        query = Query((Where("type", "=", "pipeline"),), limit=limit, after=cursor)
        return await self._documents.query(self._container, query)

    async def save(
        self, pipeline: StoredPipeline, definition: Definition, before: Versioned[StoredPipeline] | None
    ) -> Versioned[StoredPipeline]:
        """Write a pipeline; where its text is another one, as its next version, which is written first.

        Raises:
            AlreadyExistsError: a new one has the id of one that is there.
            PreconditionError: somebody else wrote meanwhile.
        """
        if before is None or before.value.text != pipeline.text or before.value.main != pipeline.main:
            number = await self._add(pipeline, definition, before.value.version + 1 if before else 1)
            pipeline = pipeline.model_copy(update={"version": number, "definition": definition.hash})
        document = {"pk": pipeline.id, "type": "pipeline", **pipeline.model_dump(mode="json")}
        if before is None:
            return Versioned(pipeline, await self._documents.create(self._container, document))
        return Versioned(pipeline, await self._documents.replace(self._container, document, before.etag))

    async def version(self, id: str, number: int) -> Version | None:
        """A version, or None."""
        found = await self._documents.read(self._container, id, f"{id}@{number}")
        return Version.model_validate(found.value) if found else None

    async def versions(self, id: str, limit: int = 100) -> list[dict[str, Any]]:
        """The numbers and times of a pipeline's versions, the newest first."""
        fields = ("id", "number", "created_at", "hash")
        query = Query((Where("type", "=", "version"),), "id", limit=1000, partition=id, fields=fields)
        found = (await self._documents.query(self._container, query)).items
        return sorted(found, key=lambda each: -each["number"])[:limit]

    async def delete(self, id: str, etag: str | None = None) -> bool:
        """Delete a pipeline; its versions stay, since executions are pinned to them."""
        return await self._documents.delete(self._container, id, id, etag)

    async def definition(self, id: str, number: int, digest: str) -> Definition:
        """The definition of a version; FinalError where it is gone. Definitions do not change, and the last ones are remembered."""
        if digest not in _known:
            found = await self.version(id, number)
            if found is None or found.definition.hash != digest:
                raise FinalError(f"version {number} of the pipeline {id} is gone")
            for old in list(_known)[: max(0, len(_known) - _REMEMBERED + 1)]:
                _known.pop(old, None)
            _known[digest] = found.definition
        return _known[digest]

    async def _add(self, pipeline: StoredPipeline, definition: Definition, number: int) -> int:
        """Add a version. One that was written by an edit that then lost stays as it is, unless it is the same."""
        while True:
            document = {
                "id": f"{pipeline.id}@{number}", "pk": pipeline.id, "type": "version", "number": number, "hash": definition.hash,
                "text": pipeline.text, "definition": definition.model_dump(mode="json"), "created_at": iso(pipeline.updated_at),
            }  # fmt: skip
            try:
                await self._documents.create(self._container, document)
                return number
            except AlreadyExistsError:
                found = await self.version(pipeline.id, number)
                if found and found.definition.hash == definition.hash and found.text == pipeline.text:
                    return number
                number += 1


_known: dict[str, Definition] = {}

__all__ = ["PipelineStore", "PreconditionError", "StoredPipeline", "Version"]
