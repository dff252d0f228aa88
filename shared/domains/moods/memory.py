"""Which articles were read already: what a model has read once it need not be asked, and paid for, again.

One document, forgotten day by day as articles leave the window. It is written after the moods are, so that a crash between
the two has articles read again, which changes nothing, and never has one passed over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from shared.domains.moods.articles import content_key
from shared.domains.moods.containers import MOODS
from shared.domains.moods.ports import Article
from shared.ports import DocumentStore, PreconditionError
from shared.storage import compare_and_swap

_ID = "~read"
"""No name of a mood folds to this id."""
_KEY = 12
MOST_KEYS = 60_000
"""Keys that are kept, the latest days': 720 KB, where a document may have 2 MB."""


@dataclass(frozen=True, slots=True)
class Memory:
    """The keys of articles that were read, packed, by the day on which each was published."""

    days: dict[str, str] = field(default_factory=dict)
    version: int = 0

    @property
    def keys(self) -> frozenset[str]:
        """Every key."""
        return frozenset(key for packed in self.days.values() for key in _unpacked(packed))

    def with_read(self, articles: Iterable[Article], since: datetime) -> Memory:
        """The memory with more articles, under their addresses and their words; without days before the window.

        What does not fit is forgotten, the oldest first. To read an article again costs time, and counts nothing twice.
        """
        known, days = self.keys, {day: set(_unpacked(packed)) for day, packed in self.days.items()}
        for article in articles:
            keys = {article.key, content_key(article.title, article.text)} - known
            days.setdefault(article.at.date().isoformat(), set()).update(keys)
        first, room = since.date().isoformat(), MOST_KEYS
        packed: dict[str, str] = {}
        for day in sorted((day for day in days if day >= first and days[day]), reverse=True):
            kept = sorted(days[day])[:room]
            room -= len(kept)
            packed |= {day: "".join(kept)} if kept else {}
        return Memory(packed, self.version)


async def recall(documents: DocumentStore) -> Memory:
    """What was read. One storage call."""
    found = await documents.read(MOODS, _ID, _ID)
    return Memory(found.value["days"], found.value["version"]) if found else Memory()


async def remember(documents: DocumentStore, memory: Memory, articles: Iterable[Article], since: datetime) -> None:
    """Add articles to the memory, of which `memory` is what was last known. One storage call; none without articles.

    Raises:
        PreconditionError: others kept overtaking this write.
    """
    read = list(articles)
    if not await _add(documents, memory, read, since):
        await _add_to_latest(documents, read, since)


@compare_and_swap("what was read")
async def _add_to_latest(documents: DocumentStore, read: list[Article], since: datetime) -> None:
    if not await _add(documents, await recall(documents), read, since):
        raise PreconditionError


async def _add(documents: DocumentStore, memory: Memory, read: list[Article], since: datetime) -> bool:
    """Whether the memory has them now; not where somebody else wrote it meanwhile."""
    if not read or {article.key for article in read} <= memory.keys:
        return True
    memory = await asyncio.to_thread(memory.with_read, read, since)
    document = {"id": _ID, "pk": _ID, "kind": "read-articles", "version": memory.version + 1, "days": memory.days}
    return await documents.put_newer(MOODS, document)


def _unpacked(packed: str) -> Iterable[str]:
    return (packed[at : at + _KEY] for at in range(0, len(packed), _KEY))
