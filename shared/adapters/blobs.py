"""Blobs in Azure Storage, or Azurite."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode

from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.core.rest import HttpRequest
from azure.storage.blob.aio import ContainerClient

from shared.adapters.closing import Closeable, close_all
from shared.adapters.errors import error_code, translated
from shared.adapters.listing import blob_page, tag_page
from shared.ports import (
    AlreadyExistsError,
    Blob,
    BlobInfo,
    BlobPage,
    PreconditionError,
    TagPage,
    TagsRefusedError,
    checked_tag,
    checked_tags,
)

Tags = Mapping[str, str] | None
Metadata = Mapping[str, str] | None

_PAGE = 5000
_REFUSALS = (400, 403)
_NO_TAGS = ("BlobTagsNotSupported", "FeatureNotYetSupportedForHierarchicalNamespace")
"""How the codes begin with which accounts say that they know no tags, whatever the status."""
_CLIENTS = 512
"""Clients of single blobs that are kept: making one takes a tenth of the time of a call, and a job's blob is used often."""


class AzureBlobs:
    """One container of blobs (`shared.ports.BlobStore`), made by the first write that finds it missing.

    Every read, create and replace is one storage call, and so is a page.
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

    async def create(self, name: str, data: bytes, metadata: Metadata = None, tags: Tags = None) -> str:
        """Create a blob and return its ETag; AlreadyExistsError if the name is taken, TagsRefusedError for its tags."""
        with translated("creating a blob"):
            try:
                return await self._create(name, data, metadata, tags)
            except ResourceExistsError as error:
                if error_code(error) != "BlobAlreadyExists":
                    raise
        raise AlreadyExistsError("the blob exists already")

    async def replace(self, name: str, data: bytes, etag: str, metadata: Metadata = None, tags: Tags = None) -> str:
        """Replace content, metadata and tags if the ETag still matches; return the new ETag, else PreconditionError."""
        condition = {"overwrite": True, "etag": etag, "match_condition": MatchConditions.IfNotModified}
        with translated("replacing a blob"), suppress(ResourceModifiedError, ResourceNotFoundError):
            return await self._put(name, data, metadata, tags, **condition)
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
        page = await self.list_page(prefix)
        while True:
            for info in page.items:
                yield info
            if page.cursor is None:
                return
            page = await self.list_page(prefix, page.cursor)

    async def list_page(self, prefix: str, cursor: str | None = None, limit: int = _PAGE) -> BlobPage:
        """Return up to `limit` (at most 5,000) of the blobs whose names start with the prefix, by name."""
        question = {"comp": "list", "include": "metadata", "prefix": prefix}
        with translated("listing blobs"):
            body = await self._ask(question, cursor, limit)
        return await asyncio.to_thread(blob_page, body) if body else BlobPage()

    async def find(self, tag: str, at_most: str, cursor: str | None = None, limit: int = _PAGE) -> TagPage:
        """Return up to `limit` (at most 5,000) of the blobs whose `tag` has a value of `at_most` or less, in any order."""
        checked_tag(tag, at_most)
        question = {"comp": "blobs", "where": f"\"{tag}\"<='{at_most}'"}
        with translated("finding blobs by a tag"), _tags_refused(question):
            body = await self._ask(question, cursor, limit)
        return await asyncio.to_thread(tag_page, body, tag) if body else TagPage()

    async def close(self) -> None:
        """Close the connections."""
        await close_all(self._container, *self._owned)

    async def _ask(self, question: dict[str, str], cursor: str | None, limit: int) -> bytes:
        """One page of what the container holds, as XML; empty where there is no container."""
        parameters = {"restype": "container", **question, "maxresults": str(limit)} | (
            {"marker": cursor} if cursor else {}
        )
        client: Any = self._container
        url = f"{client.url}{'&' if '?' in client.url else '?'}{urlencode(parameters, quote_via=quote)}"
        request = HttpRequest("GET", url, headers={"x-ms-version": client.api_version, "Accept": "application/xml"})
        response = (await client._pipeline.run(request, stream=True)).http_response  # noqa: SLF001  see `transport.lean`
        body: bytes = await response.read()
        if response.status_code == 404:
            return b""
        if response.status_code != 200:
            error: Any = HttpResponseError(response=response)
            error.error_code = response.headers.get("x-ms-error-code")
            raise error
        return body

    async def _create(self, name: str, data: bytes, metadata: Metadata, tags: Tags) -> str:
        try:
            return await self._put(name, data, metadata, tags, overwrite=False)
        except ResourceNotFoundError:
            with suppress(ResourceExistsError):
                await self._container.create_container()
            return await self._put(name, data, metadata, tags, overwrite=False)

    async def _put(self, name: str, data: bytes, metadata: Metadata, tags: Tags, **condition: Any) -> str:
        options = {"metadata": dict(metadata) if metadata else None, "tags": checked_tags(tags), **condition}
        with _tags_refused(tags):
            written = await self._blob(name).upload_blob(data, **options)
        return str(written["etag"])


@contextmanager
def _tags_refused(tags: object) -> Iterator[None]:
    """Tell a refusal that may be because of tags from the others."""
    try:
        yield
    except HttpResponseError as error:
        code = error_code(error)
        if tags and (error.status_code in _REFUSALS or code.startswith(_NO_TAGS)):
            raise TagsRefusedError(f"the service takes no tags: {error.status_code} {code}") from error
        raise
