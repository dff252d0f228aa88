"""Forgetting a user: what containers and artifacts hold of them."""

from __future__ import annotations

from collections.abc import Iterable

from shared.containers import Artifacts, Container
from shared.ports import BlobStore, DocumentStore, Query
from shared.storage import every

_PAGE = 200


async def erase(
    documents: DocumentStore, blobs: BlobStore, user_id: str, held: Iterable[Container | Artifacts]
) -> None:
    """Delete a user's partition of containers, and their folder of artifacts. Safe to repeat; if it fails, repeat it."""
    for each in held:
        if isinstance(each, Container):
            await _partition(documents, each, user_id)
        else:
            for name in [blob.name async for blob in blobs.list(f"{each}{user_id}/")]:
                await blobs.delete(name)


async def _partition(documents: DocumentStore, container: Container, user_id: str) -> None:
    async for document in every(documents, container, Query(limit=_PAGE, partition=user_id)):
        await documents.delete(container, user_id, document["id"])
