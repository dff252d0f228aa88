"""Blobs in Azure Storage, or Azurite."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from azure.core.exceptions import HttpResponseError, ResourceExistsError
from azure.core.rest import HttpRequest
from azure.storage.blob.aio import ContainerClient

from shared.adapters.closing import Closeable, close_all
from shared.adapters.errors import translated
from shared.adapters.listing import blob_page, moment, tag_page
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
_SKEW = timedelta(minutes=5)
"""By so much the clock of the service may be behind ours."""
_OK, _CREATED, _ACCEPTED = 200, 201, 202
_NOT_FOUND, _CONFLICT, _CHANGED = 404, 409, 412
_REFUSALS = (400, 403)
_TYPES = {
    "css": "text/css; charset=utf-8", "html": "text/html; charset=utf-8", "json": "application/json", "txt": "text/plain; charset=utf-8",
    "xml": "application/xml",
}  # fmt: skip
"""What a blob is by the end of its name: who opens it in a browser, or in the portal, sees it as that."""
_NO_TAGS = ("BlobTagsNotSupported", "FeatureNotYetSupportedForHierarchicalNamespace")
"""How the codes begin with which accounts say that they know no tags, whatever the status."""


class AzureBlobs:
    """One container of blobs (`shared.ports.BlobStore`), made by the first write that finds it missing.

    Every read, create and replace is one storage call, and so is a page. Requests are written here and go through the
    pipeline of the SDK's client, which signs and repeats them: the SDK's own methods, made for blobs of any size, cost
    more than twice the rest of a small call.
    """

    def __init__(self, container: ContainerClient, *owned: Closeable) -> None:
        """Take over a container's client, and what is to be closed with it (a credential)."""
        self._container = container
        self._owned = owned
        self._address, _, self._signature = container.url.partition("?")

    async def read(self, name: str) -> Blob | None:
        """Return the blob, or None where there is none."""
        with translated("reading a blob"):
            answer = await self._send("GET", name)
            if answer.status_code == _NOT_FOUND:
                return None
            headers = _expected(_OK, answer).headers
        return Blob(answer.content, headers["ETag"], moment(headers["Last-Modified"]))

    async def create(self, name: str, data: bytes, metadata: Metadata = None, tags: Tags = None) -> str:
        """Create a blob and return its ETag; AlreadyExistsError if the name is taken, TagsRefusedError for its tags."""
        with translated("creating a blob"):
            answer = await self._put(name, data, metadata, tags, {"If-None-Match": "*"})
            if answer.status_code == _NOT_FOUND:
                with suppress(ResourceExistsError):
                    await self._container.create_container()
                answer = await self._put(name, data, metadata, tags, {"If-None-Match": "*"})
            if answer.status_code == _CONFLICT and _code(answer) == "BlobAlreadyExists":
                raise AlreadyExistsError("the blob exists already")
            return str(_expected(_CREATED, answer).headers["ETag"])

    async def replace(self, name: str, data: bytes, etag: str, metadata: Metadata = None, tags: Tags = None) -> str:
        """Replace content, metadata and tags if the ETag still matches; return the new ETag, else PreconditionError."""
        with translated("replacing a blob"):
            answer = await self._put(name, data, metadata, tags, {"If-Match": etag})
            if answer.status_code in (_NOT_FOUND, _CHANGED):
                raise PreconditionError("the blob has changed, or is gone")
            return str(_expected(_CREATED, answer).headers["ETag"])

    async def delete(self, name: str, etag: str | None = None) -> bool:
        """Delete a blob; False where there was none. With an ETag: if it still matches, else PreconditionError."""
        with translated("deleting a blob"):
            answer = await self._send("DELETE", name, {"If-Match": etag} if etag else {})
            if answer.status_code in (_NOT_FOUND, _CHANGED):
                if etag:
                    raise PreconditionError("the blob has changed, or is gone")
                return False
            _expected(_ACCEPTED, answer)
        return True

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
        with translated("listing blobs"):
            answer = await self._ask({"comp": "list", "include": "metadata", "prefix": prefix}, cursor, limit)
            if answer.status_code == _NOT_FOUND:
                return BlobPage()
            body = _expected(_OK, answer).content
        return await asyncio.to_thread(blob_page, body)

    async def find(self, tag: str, at_most: str, cursor: str | None = None, limit: int = _PAGE) -> TagPage:
        """Return up to `limit` (at most 5,000) of the blobs whose `tag` has a value of `at_most` or less, in any order."""
        checked_tag(tag, at_most)
        with translated("finding blobs by a tag"):
            answer = await self._ask({"comp": "blobs", "where": f"\"{tag}\"<='{at_most}'"}, cursor, limit)
            if answer.status_code == _NOT_FOUND:
                return TagPage()
            _raise_if_tags_are_refused(answer)
            body = _expected(_OK, answer).content
        return await asyncio.to_thread(tag_page, body, tag)

    async def upload_address(self, name: str, until: datetime) -> str:
        """An address with a shared access signature: by the account's key, or, without one, by the identity's delegation."""
        from azure.storage.blob import BlobSasPermissions, generate_blob_sas

        client: Any = self._container
        signed: dict[str, Any] = {}
        with translated("signing an address"):
            with suppress(ResourceExistsError):
                await self._container.create_container()
            key = getattr(client.credential, "account_key", None)
            if key:
                signed["account_key"] = key
            else:
                service = client._get_blob_service_client()  # noqa: SLF001 - the delegation is the account's to give
                start = datetime.now(UTC) - _SKEW
                signed["user_delegation_key"] = await service.get_user_delegation_key(start, until)
            signature = generate_blob_sas(
                client.account_name, client.container_name, name,
                permission=BlobSasPermissions(create=True, write=True), expiry=until, **signed,
            )  # fmt: skip
        return f"{self._address}/{quote(name, safe='~/')}?{signature}"

    async def close(self) -> None:
        """Close the connections."""
        await close_all(self._container, *self._owned)

    async def _put(self, name: str, data: bytes, metadata: Metadata, tags: Tags, condition: dict[str, str]) -> Any:
        headers = {"x-ms-blob-type": "BlockBlob", "Content-Type": _type_of(name), **condition}
        headers |= {f"x-ms-meta-{key}": value for key, value in (metadata or {}).items()}
        if named := checked_tags(tags):
            headers["x-ms-tags"] = urlencode(named, quote_via=quote)
        answer = await self._send("PUT", name, headers, data)
        if named:
            _raise_if_tags_are_refused(answer)
        return answer

    async def _ask(self, question: dict[str, str], cursor: str | None, limit: int) -> Any:
        """One page of what the container holds, as XML."""
        parameters = {"restype": "container", **question, "maxresults": str(limit)} | (
            {"marker": cursor} if cursor else {}
        )
        return await self._send("GET", "", query=urlencode(parameters, quote_via=quote))

    async def _send(
        self,
        method: str,
        name: str,
        headers: Mapping[str, str] | None = None,
        data: bytes | None = None,
        query: str = "",
    ) -> Any:
        """Send a request for a blob, or for the container where the name is empty; the answer's body is read with it."""
        path = f"{self._address}/{quote(name, safe='~/')}" if name else self._address
        address = "?".join(filter(None, (path, "&".join(filter(None, (query, self._signature))))))
        client: Any = self._container
        request = HttpRequest(
            method, address, headers={"x-ms-version": client.api_version, **(headers or {})}, content=data
        )
        return (await client._pipeline.run(request, stream=False)).http_response  # noqa: SLF001  see `pipeline.py`


def _expected(status: int, answer: Any) -> Any:
    if answer.status_code != status:
        error: Any = HttpResponseError(response=answer)
        error.error_code = _code(answer)
        raise error
    return answer


def _type_of(name: str) -> str:
    return _TYPES.get(name.rpartition(".")[2], "application/octet-stream")


def _code(answer: Any) -> str:
    """The service's own code for what went wrong (``BlobAlreadyExists``), empty where there is none."""
    return answer.headers.get("x-ms-error-code") or ""


def _raise_if_tags_are_refused(answer: Any) -> None:
    """Tell a refusal that may be because of tags from the others."""
    status, code = answer.status_code, _code(answer)
    if status in _REFUSALS or code.startswith(_NO_TAGS):
        raise TagsRefusedError(f"the service takes no tags: {status} {code}")
