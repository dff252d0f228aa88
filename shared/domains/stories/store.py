"""Adventures and their entries in the document store. What two write at once is written one after the other."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

from shared.domains.stories.containers import ADVENTURES, AUDIO
from shared.domains.stories.model import Adventure, Entry, EntryStatus, Trouble
from shared.ports import AlreadyExistsError, BlobStore, Document, DocumentStore, Query, Where
from shared.storage import Versioned, compare_and_swap, iso

ADVENTURE, ENTRY = "adventure", "entry"
"""What the documents say that they are (`kind`)."""


class AdventureStore:
    """The adventures of all users."""

    def __init__(self, documents: DocumentStore) -> None:
        self._documents = documents

    async def create(self, adventure: Adventure) -> None:
        """Keep a new adventure; AlreadyExistsError where there is one of its id."""
        await self._documents.create(ADVENTURES, _adventure_document(adventure))

    async def find(self, adventure_id: str) -> Adventure | None:
        """An adventure, whoever's it is."""
        query = Query(where=(Where("id", "=", adventure_id), Where("kind", "=", ADVENTURE)), limit=1)
        page = await self._documents.query(ADVENTURES, query)
        return Adventure.model_validate(page.items[0]) if page.items else None

    async def read(self, user_id: str, adventure_id: str) -> Versioned[Adventure] | None:
        """A user's adventure, with its version."""
        found = await self._documents.read(ADVENTURES, user_id, adventure_id)
        if found is None or found.value.get("kind") != ADVENTURE:
            return None
        return Versioned(Adventure.model_validate(found.value), found.etag, found.written_at)

    @compare_and_swap("the adventure")
    async def change(
        self, user_id: str, adventure_id: str, change: Callable[[Adventure], Adventure]
    ) -> Adventure | None:
        """Change an adventure, if it is there. The function is called anew where somebody else wrote meanwhile."""
        found = await self.read(user_id, adventure_id)
        if found is None:
            return None
        changed = change(found.value)
        if changed != found.value:
            await self._documents.replace(ADVENTURES, _adventure_document(changed), found.etag)
        return changed

    async def page(self, user_id: str, limit: int, cursor: str | None) -> tuple[list[Adventure], str | None]:
        """A user's adventures, the newest first."""
        query = Query(
            (Where("kind", "=", ADVENTURE),), "at", descending=True, limit=limit, partition=user_id, after=cursor
        )
        found = await self._documents.query(ADVENTURES, query)
        return [Adventure.model_validate(each) for each in found.items], found.cursor

    async def count(self, user_id: str, most: int) -> int:
        """How many adventures a user has, counted up to `most`."""
        query = Query((Where("kind", "=", ADVENTURE),), limit=most, partition=user_id, fields=("id",))
        return len((await self._documents.query(ADVENTURES, query)).items)

    async def entry(self, user_id: str, entry_id: str) -> Entry | None:
        """An entry."""
        found = await self._documents.read(ADVENTURES, user_id, entry_id)
        return Entry.model_validate(found.value) if found and found.value.get("kind") == ENTRY else None

    async def ensure_entry(self, entry: Entry) -> None:
        """Keep a new entry, if it is not there."""
        with suppress(AlreadyExistsError):
            await self._documents.create(ADVENTURES, _entry_document(entry))

    @compare_and_swap("the entry")
    async def change_entry(self, user_id: str, entry_id: str, change: Callable[[Entry], Entry]) -> Entry | None:
        """Change an entry, if it is there."""
        found = await self._documents.read(ADVENTURES, user_id, entry_id)
        if found is None:
            return None
        entry = Entry.model_validate(found.value)
        changed = change(entry)
        if changed != entry:
            await self._documents.replace(ADVENTURES, _entry_document(changed), found.etag)
        return changed

    async def fail(
        self, user_id: str, adventure_id: str, entry_id: str, trouble: Trouble, now: datetime, fence: int | None = None
    ) -> None:
        """Write into entry and adventure that the entry could not be made; not where it is complete, or `fence` is an old one."""

        def failed(entry: Entry) -> Entry:
            if entry.status is EntryStatus.COMPLETE or (fence is not None and entry.fence > fence):
                return entry
            return entry.model_copy(update={"status": EntryStatus.ERROR, "error": trouble, "updated_at": now})

        entry = await self.change_entry(user_id, entry_id, failed)
        if entry and entry.status is EntryStatus.ERROR:
            await self.change(user_id, adventure_id, lambda each: each.failed(now))

    async def delete(self, adventure: Adventure, blobs: BlobStore) -> None:
        """Delete an adventure with its entries and their audio; the adventure last, so that what was begun can be repeated."""
        user_id = adventure.user_id
        async for blob in blobs.list(f"{AUDIO}{user_id}/{adventure.adventure_id}/"):
            await blobs.delete(blob.name)
        for branch in adventure.branches:
            await self._documents.delete(ADVENTURES, user_id, branch.entry_id)
        await self._documents.delete(ADVENTURES, user_id, adventure.adventure_id)


def audio_name(user_id: str, adventure_id: str, entry_id: str) -> str:
    """The blob that holds an entry's audio."""
    return f"{AUDIO}{user_id}/{adventure_id}/{entry_id}"


def _adventure_document(adventure: Adventure) -> Document:
    content = adventure.model_dump(mode="json") | {"at": f"{iso(adventure.created_at)}|{adventure.adventure_id}"}
    return _document(ADVENTURE, adventure.adventure_id, adventure.user_id, content)


def _entry_document(entry: Entry) -> Document:
    return _document(ENTRY, entry.entry_id, entry.user_id, entry.model_dump(mode="json"))


def _document(kind: str, id: str, user_id: str, content: dict[str, Any]) -> Document:
    return {**content, "id": id, "pk": user_id, "kind": kind}
