"""Items in the document store: one document for each canonical address, however many sources and runs find it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domains.items.containers import ITEMS
from shared.domains.items.model import Item, source_flag
from shared.ports import AlreadyExistsError, Clock, Document, DocumentStore, Query, Where
from shared.storage import compare_and_swap, every, iso, write

_PAGE = 100
KEEP = timedelta(days=90)
"""How long items are kept after their last write, where no setting says otherwise."""


class Put(StrEnum):
    """What became of an item that was put."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"


class ItemStore:
    """Items by address, and the newest first."""

    def __init__(self, documents: DocumentStore, clock: Clock, keep: timedelta = KEEP) -> None:
        self._documents = documents
        self._clock = clock
        self._keep = keep

    async def put(self, item: Item, *, known: bool = False) -> Put:
        """Store an item, unless what is there says the same. Safe to repeat, and against any number of others.

        The content is that of the source which found it first; a further source is added to its sources, and changes
        nothing else. One storage call for a new item, two or three for one that is there.

        Args:
            item: the item as one source (`item.source`) shows it now.
            known: whether it is thought to be there already, which saves a call if so.

        Raises:
            PreconditionError: others kept overtaking this write.
        """
        if not known and await self._created(item):
            return Put.NEW
        return await self._put(item)

    @compare_and_swap("the item")
    async def _put(self, item: Item) -> Put:
        found = await self._documents.read(ITEMS, item.item_id, item.item_id)
        put, merged = self._merged(found.value, item) if found else (Put.NEW, item)
        if merged is not None:
            await write(self._documents, ITEMS, self._document(merged), found)
        return put

    async def get(self, item_id: str) -> Item | None:
        """Return an item, or None."""
        found = await self._documents.read(ITEMS, item_id, item_id)
        return Item.from_document(found.value) if found and self._alive(found.value) else None

    async def recent(
        self,
        since: datetime | None = None,
        limit: int | None = None,
        source_id: str | None = None,
        *,
        until: datetime | None = None,
    ) -> AsyncIterator[Item]:
        """Yield items first seen from one moment up to another, newest first. One storage call for each hundred."""
        query = replace(self._recent(since, _PAGE, source_id), after=f"{iso(until)}~" if until else None)
        async for document in every(self._documents, ITEMS, query, limit):
            if self._alive(document):
                yield Item.from_document(document)

    async def page(
        self, since: datetime | None, limit: int, cursor: str | None = None, source_id: str | None = None
    ) -> tuple[list[Item], str | None]:
        """One page of `recent`, and the cursor of the next. It may be shorter than `limit` and yet not the last one."""
        query = replace(self._recent(since, limit, source_id), after=cursor)
        page = await self._documents.query(ITEMS, query)
        return [Item.from_document(each) for each in page.items if self._alive(each)], page.cursor

    def _recent(self, since: datetime | None, limit: int, source_id: str | None) -> Query:
        where = [Where("sort", ">=", iso(since))] if since else []
        where += [Where(source_flag(source_id), "=", True)] if source_id is not None else []
        return Query(tuple(where), order_by="sort", descending=True, limit=limit)

    async def _created(self, item: Item) -> bool:
        try:
            await self._documents.create(ITEMS, self._document(item))
        except AlreadyExistsError:
            return False
        return True

    def _merged(self, stored: Document, item: Item) -> tuple[Put, Item | None]:
        """What the item amounts to beside the stored one, and what is to be written, if anything."""
        if not self._alive(stored):
            return Put.NEW, item
        known = Item.from_document(stored)
        if item.source_id not in {origin.source_id for origin in known.sources}:
            return Put.SAME, replace(known, sources=(*known.sources, item.source))
        if item.source_id != known.source_id or item.content_hash == known.content_hash:
            return Put.SAME, None
        since, version = known.first_seen_at, known.version + 1
        return Put.CHANGED, replace(item, sources=known.sources, first_seen_at=since, version=version)

    def _document(self, item: Item) -> Document:
        expires_at = self._clock.now() + self._keep
        return item.to_document() | {"ttl": int(self._keep.total_seconds()), "expires_at": iso(expires_at)}

    def _alive(self, document: Document) -> bool:
        return str(document["expires_at"]) > iso(self._clock.now())
