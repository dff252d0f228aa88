"""Items in the document store: one document for each canonical address, however many sources and runs find it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domains.items.containers import ITEMS
from shared.domains.items.model import Item, source_flag
from shared.jobs.model import iso
from shared.ports import AlreadyExistsError, Clock, Document, DocumentStore, PreconditionError, Query, Where

_PAGE = 100
_MAX_TRIES = 8
"""How often a write that others overtake is tried before the caller's own retry has to do it."""
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
        for _ in range(_MAX_TRIES):
            found = await self._documents.read(ITEMS, item.item_id, item.item_id)
            if found is None:
                if await self._created(item):
                    return Put.NEW
                continue
            put, merged = self._merged(found[0], item)
            if merged is None:
                return put
            try:
                await self._documents.replace(ITEMS, self._document(merged), found[1])
            except PreconditionError:
                continue
            return put
        raise PreconditionError("the item is being written too often")

    async def get(self, item_id: str) -> Item | None:
        """Return an item, or None."""
        found = await self._documents.read(ITEMS, item_id, item_id)
        return Item.from_document(found[0]) if found and self._alive(found[0]) else None

    async def recent(
        self,
        since: datetime | None = None,
        limit: int | None = None,
        source_id: str | None = None,
        *,
        until: datetime | None = None,
    ) -> AsyncIterator[Item]:
        """Yield items first seen from one moment up to another, newest first. One storage call for each hundred."""
        left, cursor = limit, f"{iso(until)}~" if until else None
        while left is None or left > 0:
            items, cursor = await self.page(since, min(_PAGE, left or _PAGE), cursor, source_id)
            for item in items:
                yield item
            left = None if left is None else left - len(items)
            if cursor is None:
                return

    async def page(
        self, since: datetime | None, limit: int, cursor: str | None = None, source_id: str | None = None
    ) -> tuple[list[Item], str | None]:
        """One page of `recent`, and the cursor of the next. It may be shorter than `limit` and yet not the last one."""
        where = [Where("sort", ">=", iso(since))] if since else []
        where += [Where(source_flag(source_id), "=", True)] if source_id is not None else []
        query = Query(tuple(where), order_by="sort", descending=True, limit=limit, after=cursor)
        page = await self._documents.query(ITEMS, query)
        return [Item.from_document(each) for each in page.items if self._alive(each)], page.cursor

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
