"""Vaults: each has a pipeline fed from a source, at its own pace; and how far the look for content has come."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.domains.pipelines.settings import PipelineSettings
from shared.jobs import FencedError, FinalError
from shared.ports import DocumentStore, Page, Query, Where
from shared.settings import Settings
from shared.storage import Versioned, compare_and_swap, every, write


class Vault(BaseModel):
    """A vault."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    name: str
    description: str = ""
    pipeline_id: str
    enabled: bool = True
    input: dict[str, Any] = {}
    """Settings of the pipeline's input executor that are others for this vault."""
    generation: int = 1
    """Raised by whatever changes when it is looked at: the crawls of an older one end."""
    created_at: datetime
    updated_at: datetime


class Checkpoint(BaseModel):
    """How far the look for a vault's content has come."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    fence: int = 0
    """Of the lock under which it was written: an earlier holder writes no more."""
    source: str = ""
    """What was looked at: the settings of the input. Of others nothing is known."""
    position: datetime | None = None
    """Everything that changed before this was found, but for what became visible late."""
    seen: dict[str, str | None] = {}
    """What was found at or after the position less the overlap, and what has no time: each with its time of change."""
    generation: int = 0
    sequence: int = 0
    """The crawl of the vault that wrote this."""
    looked_at: datetime | None = None
    next_at: datetime | None = None
    found: int = 0
    """Items that the source had, when it was last looked at."""
    new: int = 0
    """Those of them that were new."""
    error: str | None = None
    """Why the last look failed, in words."""
    failures: int = 0
    """How many looks have failed since one did not."""


class VaultStore:
    """Vaults by id."""

    def __init__(self, documents: DocumentStore, settings: Settings) -> None:
        self._documents = documents
        self._own = settings.of(PipelineSettings)

    async def get(self, id: str) -> Versioned[Vault] | None:
        """A vault, or None."""
        found = await self._documents.read(self._own.vaults, id, id)
        return Versioned(Vault.model_validate(found.value), found.etag) if found else None

    async def write(self, vault: Vault, before: Versioned[Vault] | None) -> Versioned[Vault]:
        """Create a vault, or replace the one that was read; PreconditionError where somebody else wrote meanwhile."""
        document = {"pk": vault.id, "type": "vault", **vault.model_dump(mode="json")}
        return Versioned(vault, await write(self._documents, self._own.vaults, document, before))

    async def delete(self, id: str, etag: str | None = None) -> bool:
        """Delete a vault; its executions stay."""
        return await self._documents.delete(self._own.vaults, id, id, etag)

    async def page(self, limit: int, cursor: str | None, pipeline_id: str | None = None) -> Page:
        """Vaults in the order of their ids."""
        where = (Where("pipeline_id", "=", pipeline_id),) if pipeline_id else ()
        return await self._documents.query(self._own.vaults, Query(where, limit=limit, after=cursor))

    async def every(self, pipeline_id: str | None = None) -> AsyncIterator[Vault]:
        """All vaults, or those of a pipeline."""
        where = (Where("pipeline_id", "=", pipeline_id),) if pipeline_id else ()
        async for document in every(self._documents, self._own.vaults, Query(where)):
            yield Vault.model_validate(document)

    @compare_and_swap("the vault")
    async def renew(self, id: str, now: datetime) -> Vault | None:
        """Raise a vault's generation; None where there is no vault."""
        current = await self.get(id)
        if current is None:
            return None
        changed = current.value.model_copy(update={"generation": current.value.generation + 1, "updated_at": now})
        return (await self.write(changed, current)).value

    async def checkpoint(self, id: str) -> Versioned[Checkpoint] | None:
        """How far the crawls of a vault have come, or None where there was none.

        Raises:
            FinalError: it cannot be read. It is not taken for none, since then everything would be found anew.
        """
        found = await self._documents.read(self._own.checkpoints, id, id)
        if found is None:
            return None
        try:
            return Versioned(Checkpoint.model_validate(found.value), found.etag)
        except ValidationError:
            raise FinalError(
                f"the checkpoint of the vault {id} cannot be read; delete it to have everything looked at"
            ) from None

    async def move(self, id: str, checkpoint: Checkpoint, before: Versioned[Checkpoint] | None) -> None:
        """Write a checkpoint.

        Raises:
            FencedError: a later holder of the lock has.
        """
        current = before
        if current is not None and current.value.fence > checkpoint.fence:
            raise FencedError
        document = {"id": id, "pk": id, **checkpoint.model_dump(mode="json")}
        await write(self._documents, self._own.checkpoints, document, current)

    async def forget(self, id: str) -> bool:
        """Delete a checkpoint: everything is looked at anew."""
        return await self._documents.delete(self._own.checkpoints, id, id)
