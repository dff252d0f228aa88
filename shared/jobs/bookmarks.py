"""Bookmarks: where a long look stopped for want of time, so that the next one goes on there, in whatever process."""

from __future__ import annotations

from shared.containers import OPERATIONS
from shared.jobs.log import LOG
from shared.ports import Document, DocumentStore, StorageError
from shared.storage import Versioned, write


class Bookmark:
    """One place that is remembered. Nothing depends on it: where it cannot be read or kept, the look starts anew."""

    def __init__(self, documents: DocumentStore, name: str) -> None:
        self._documents = documents
        self._id = f"bookmark-{name}"
        self._found: Versioned[Document] | None = None

    async def read(self) -> str | None:
        """The place; None for the beginning."""
        try:
            self._found = await self._documents.read(OPERATIONS, self._id, self._id)
        except StorageError as error:
            LOG.warning("bookmark not read: id=%s cause=%s", self._id, type(error).__name__)
            return None
        return self._place

    async def put(self, place: str | None) -> None:
        """Remember a place; None for the beginning. The place where it is already costs no call."""
        if place == self._place:
            return
        document = {"id": self._id, "pk": self._id} | ({} if place is None else {"place": place})
        try:
            etag = await write(self._documents, OPERATIONS, document, self._found)
        except StorageError as error:
            LOG.warning("bookmark not kept: id=%s cause=%s", self._id, type(error).__name__)
        else:
            self._found = Versioned(document, etag)

    @property
    def _place(self) -> str | None:
        return self._found.value.get("place") if self._found else None
