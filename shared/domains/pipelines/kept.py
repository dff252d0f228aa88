"""Content items and files of executions, in blobs beside the jobs: what goes from one executor to the next goes by reference."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import to_json

from shared.domains.pipelines.containers import ITEMS
from shared.domains.pipelines.content import Content
from shared.domains.pipelines.executing import ContentError
from shared.jobs import FinalError
from shared.ports import AlreadyExistsError, BlobStore

SMALL = 1024
"""Bytes of items that need no blob."""
_LARGE = 256 * 1024
"""Items of so many bytes are written and read beside the event loop."""
Reference = dict[str, Any]
"""Where items are: `items` (they are here), or `blob`, `sha256` and `bytes`."""


class UnkeepableError(FinalError):
    """An executor gave back what is no JSON."""


async def keep(blobs: BlobStore, execution: str, name: str, items: Sequence[Content]) -> Reference:
    """Keep items and return where they are. One storage call where they are not small.

    The name of the blob has the hash of its content: what an attempt writes that was overtaken is in nobody's way.

    Raises:
        UnkeepableError: an item holds what JSON cannot say.
    """
    try:
        dumped = [item.model_dump(mode="json", exclude_defaults=True) for item in items]
        data = to_json(dumped) if len(items) < 100 else await asyncio.to_thread(to_json, dumped)
    except ValueError as error:
        raise UnkeepableError(f"an item of {name} holds what JSON cannot say ({type(error).__name__})") from None
    if len(data) <= SMALL:
        return {"items": dumped}
    digest = hashlib.sha256(data).hexdigest()
    blob = f"{ITEMS}{execution}/{name}-{digest[:16]}.json"
    with suppress(AlreadyExistsError):
        await blobs.create(blob, data)
    return {"blob": blob, "sha256": digest, "bytes": len(data)}


async def load(blobs: BlobStore, reference: Mapping[str, Any] | None) -> list[Content]:
    """Return items; FinalError where their blob is gone."""
    if not reference:
        return []
    if "items" in reference:
        return _items().validate_python(reference["items"])
    blob = await blobs.read(str(reference["blob"]))
    if blob is None:
        raise FinalError("the items are gone: an execution's content is kept for RETENTION_ARTIFACT_DAYS")
    if len(blob.data) < _LARGE:
        return _items().validate_json(blob.data)
    return await asyncio.to_thread(_items().validate_json, blob.data)


def _items() -> TypeAdapter[list[Content]]:
    global _adapter  # noqa: PLW0603 - made when it is first needed
    if _adapter is None:
        _adapter = TypeAdapter(list[Content])
    return _adapter


_adapter: TypeAdapter[list[Content]] | None = None


class BlobFiles:
    """The bytes of an execution's content (`shared.domains.pipelines.executing.Files`)."""

    def __init__(self, blobs: BlobStore, execution: str) -> None:
        self._blobs = blobs
        self._folder = f"{ITEMS}{execution}/files/"

    async def save(self, data: bytes, name: str) -> str:
        """Keep bytes, under their hash."""
        suffix = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in name.rpartition("/")[2])[
            -100:
        ]
        reference = f"{self._folder}{hashlib.sha256(data).hexdigest()[:32]}/{suffix or 'file'}"
        with suppress(AlreadyExistsError):
            await self._blobs.create(reference, data)
        return reference

    async def load(self, reference: str) -> bytes:
        """Return the bytes. What is not this execution's is not there."""
        blob = (
            await self._blobs.read(reference) if reference.startswith(self._folder) and ".." not in reference else None
        )
        if blob is None:
            raise ContentError("the file is gone, or was never retrieved")
        return blob.data


class MemoryFiles:
    """The bytes of content for as long as a dry run takes."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    async def save(self, data: bytes, name: str) -> str:
        """Keep bytes."""
        reference = f"{len(self._kept)}/{name.rpartition('/')[2]}"
        self._kept[reference] = data
        return reference

    async def load(self, reference: str) -> bytes:
        """Return the bytes."""
        if reference not in self._kept:
            raise ContentError("the file was never retrieved")
        return self._kept[reference]
