"""Blobs in Azure Storage, or Azurite."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError
from azure.storage.blob import BlobProperties
from azure.storage.blob.aio import ContainerClient

from shared.adapters.closing import Closeable, close_all
from shared.adapters.errors import error_code, translated
from shared.ports import AlreadyExistsError, Blob, BlobInfo, PreconditionError

_PAGE = 5000
_CLIENTS = 512
"""Clients of single blobs that are kept: making one takes a tenth of the time of a call, and a job's blob is used often."""


class AzureBlobs:
    """One container of blobs (`shared.ports.BlobStore`), made by the first write that finds it missing.

    Every read, create and replace is one storage call.
    """

    def __init__(self, container: ContainerClient, *owned: Closeable) -> None:
        """Take over a container's client, and what is to be closed with it (a credential)."""
        self._container = container
        self._owned = owned
        self._blob = lru_cache(_CLIENTS)(container.get_blob_client)

    async def read(self, name: str) -> Blob | None:
        """Return the blob, or None where there is none."""
        with translated("reading a blob"):
            try:
                stream = await self._blob(name).download_blob()
                data = await stream.readall()
            except ResourceNotFoundError:
                return None
        return Blob(data, str(stream.properties.etag), stream.properties.last_modified)

    async def create(self, name: str, data: bytes, metadata: Mapping[str, str] | None = None) -> str:
        """Create a blob and return its ETag; AlreadyExistsError if the name is taken."""
        with translated("creating a blob"):
            try:
                return await self._create(name, data, metadata)
            except ResourceExistsError as error:
                if error_code(error) != "BlobAlreadyExists":
                    raise
        raise AlreadyExistsError("the blob exists already")

    async def replace(self, name: str, data: bytes, etag: str, metadata: Mapping[str, str] | None = None) -> str:
        """Replace content and metadata if the ETag still matches; return the new ETag, else PreconditionError."""
        condition = {"overwrite": True, "etag": etag, "match_condition": MatchConditions.IfNotModified}
        with translated("replacing a blob"), suppress(ResourceModifiedError, ResourceNotFoundError):
            return await self._put(name, data, metadata, **condition)
        raise PreconditionError("the blob has changed, or is gone")

    async def delete(self, name: str, etag: str | None = None) -> bool:
        """Delete a blob; False where there was none. With an ETag: if it still matches, else PreconditionError."""
        condition: dict[str, Any] = {"etag": etag, "match_condition": MatchConditions.IfNotModified} if etag else {}
        with translated("deleting a blob"):
            try:
                await self._blob(name).delete_blob(**condition)
                return True
            except (ResourceNotFoundError, ResourceModifiedError):
                if not etag:
                    return False
        raise PreconditionError("the blob has changed, or is gone")

    async def list(self, prefix: str) -> AsyncIterator[BlobInfo]:
        """Yield every blob whose name starts with the prefix, by name, one storage call for each 5,000."""
        with translated("listing blobs"), suppress(ResourceNotFoundError):
            rows = self._container.list_blobs(name_starts_with=prefix, include=["metadata"], results_per_page=_PAGE)
            async for row in rows:
                yield _info(row)

    async def close(self) -> None:
        """Close the connections."""
        await close_all(self._container, *self._owned)

    async def _create(self, name: str, data: bytes, metadata: Mapping[str, str] | None) -> str:
        try:
            return await self._put(name, data, metadata, overwrite=False)
        except ResourceNotFoundError:
            with suppress(ResourceExistsError):
                await self._container.create_container()
            return await self._put(name, data, metadata, overwrite=False)

    async def _put(self, name: str, data: bytes, metadata: Mapping[str, str] | None, **condition: Any) -> str:
        written = await self._blob(name).upload_blob(data, metadata=dict(metadata) if metadata else None, **condition)
        return str(written["etag"])


def _info(row: BlobProperties) -> BlobInfo:
    """A listing's ETags come without the quotes that belong to them."""
    etag = row.etag if row.etag.startswith('"') else f'"{row.etag}"'
    return BlobInfo(row.name, etag, row.last_modified, row.metadata or {})
