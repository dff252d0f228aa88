"""Moods in the document store. Readers take all of them: there are some sixty, and never more than a few hundred."""

from __future__ import annotations

import asyncio

from shared.domains.moods.containers import MOODS
from shared.domains.moods.model import MOOD, Mood
from shared.ports import DocumentStore, Query, Where
from shared.storage import Versioned, pages

_PAGE = 100


class MoodStore:
    """The moods; every write has a condition."""

    def __init__(self, documents: DocumentStore) -> None:
        self._documents = documents

    async def current(self) -> list[Mood]:
        """Every mood by id, with signals, articles and vector; a storage call for each hundred."""
        moods: list[Mood] = []
        query = Query((Where("kind", "=", MOOD),), limit=_PAGE)
        async for page in pages(self._documents, MOODS, query):
            moods += await asyncio.to_thread(lambda found: [Mood.from_document(each) for each in found], page)
        return moods

    async def read(self, id: str) -> Versioned[Mood] | None:
        """The mood and its ETag, or None."""
        found = await self._documents.read(MOODS, id, id)
        return Versioned(Mood.from_document(found.value), found.etag) if found else None

    async def put_newer(self, mood: Mood) -> bool:
        """Write the mood unless the stored one has its version, or a higher one; say if it wrote."""
        return await self._documents.put_newer(MOODS, mood.to_document())

    async def delete(self, id: str, etag: str) -> bool:
        """Delete the mood; PreconditionError where it was written since."""
        return await self._documents.delete(MOODS, id, id, etag)
