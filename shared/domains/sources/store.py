"""Sources in the document store. Operators and the scraper write the same document, under its ETag."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime

from shared.domains.sources.containers import SOURCES
from shared.domains.sources.model import SOURCE, Health, Source
from shared.jobs import FencedError
from shared.ports import DocumentStore, PreconditionError, Query, Where
from shared.storage import Versioned, compare_and_swap, every, iso

_PAGE = 100
_SOURCES = Where("type", "=", SOURCE)


class SourceStore:
    """Sources by id, and those that are due."""

    def __init__(self, documents: DocumentStore) -> None:
        self._documents = documents

    async def create(self, source: Source) -> Versioned[Source]:
        """Store a new source; AlreadyExistsError where its address is scraped already."""
        return Versioned(source, await self._documents.create(SOURCES, source.to_document()))

    async def get(self, source_id: str) -> Versioned[Source] | None:
        """Return a source, or None."""
        found = await self._documents.read(SOURCES, source_id, source_id)
        return Versioned(Source.from_document(found.value), found.etag) if found else None

    async def replace(self, source: Source, etag: str) -> Versioned[Source]:
        """Write a source, unless somebody did since it was read: then PreconditionError."""
        return Versioned(source, await self._documents.replace(SOURCES, source.to_document(), etag))

    async def record(self, current: Versioned[Source], fence: int, change: Callable[[Source], Source]) -> Source | None:
        """Write what a run came to, whatever an operator changed meanwhile. One storage call if nobody did.

        Returns:
            The source as it is now; None where it was deleted.

        Raises:
            FencedError: a later holder of the source's lock has recorded a run.
            PreconditionError: it is being changed all the time.
        """
        try:
            return await self._recorded(current, fence, change)
        except PreconditionError:
            return await self._record_on_latest(current.value.id, fence, change)

    @compare_and_swap("the source")
    async def _record_on_latest(self, id: str, fence: int, change: Callable[[Source], Source]) -> Source | None:
        latest = await self.get(id)
        return await self._recorded(latest, fence, change) if latest else None

    async def _recorded(self, current: Versioned[Source], fence: int, change: Callable[[Source], Source]) -> Source:
        if current.value.fence > fence:
            raise FencedError
        changed = change(current.value).model_copy(update={"fence": fence})
        return (await self.replace(changed, current.etag)).value

    async def delete(self, source_id: str, etag: str | None = None) -> bool:
        """Delete a source; False where there was none, PreconditionError where the ETag given is stale."""
        return await self._documents.delete(SOURCES, source_id, source_id, etag)

    async def due(self, now: datetime) -> AsyncIterator[Source]:
        """Yield the active sources whose time has come, by id. One storage call for each hundred."""
        where = (_SOURCES, Where("active", "=", True), Where("due_at", "<=", iso(now)))
        async for document in every(self._documents, SOURCES, Query(where, limit=_PAGE)):
            yield Source.from_document(document)

    async def troubled(self, limit: int) -> list[Source]:
        """Sources that fail, or were switched off for it; at most so many. Two storage calls."""
        found: list[Source] = []
        for health in (Health.SWITCHED_OFF, Health.FAILING):
            page = await self._documents.query(SOURCES, Query((_SOURCES, _healthy(health)), limit=limit))
            found += [Source.from_document(each) for each in page.items]
        return found[:limit]

    async def page(
        self, limit: int, cursor: str | None = None, *, kind: str | None = None, health: str | None = None
    ) -> tuple[list[Source], str | None]:
        """One page of sources by id, and the cursor of the next."""
        where = [_SOURCES]
        where += [Where("kind", "=", kind)] if kind else []
        where += [Where("health", "=", health)] if health else []
        page = await self._documents.query(SOURCES, Query(tuple(where), limit=limit, after=cursor))
        return [Source.from_document(each) for each in page.items], page.cursor


def _healthy(health: Health) -> Where:
    return Where("health", "=", health.value)
