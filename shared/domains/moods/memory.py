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

_ID = "~read"
"""No name of a mood folds to this id."""
_KEY = 12
MOST_KEYS = 60_000
"""Keys that are kept, the latest days': 720 KB, where a document may have 2 MB."""
_MAX_TRIES = 8


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
    return Memory(found[0]["days"], found[0]["version"]) if found else Memory()


async def remember(documents: DocumentStore, memory: Memory, articles: Iterable[Article], since: datetime) -> None:
    """Add articles to the memory, of which `memory` is what was last known. One storage call; none without articles.

    Raises:
        PreconditionError: others kept overtaking this write.
    """
    read = list(articles)
    for _ in range(_MAX_TRIES):
        if not read or {article.key for article in read} <= memory.keys:
            return
        memory = await asyncio.to_thread(memory.with_read, read, since)
        document = {"id": _ID, "pk": _ID, "kind": "read-articles", "version": memory.version + 1, "days": memory.days}
        if await documents.put_newer(MOODS, document):
            return
        memory = await recall(documents)
    raise PreconditionError("what was read is being written too often")


def _unpacked(packed: str) -> Iterable[str]:
    return (packed[at : at + _KEY] for at in range(0, len(packed), _KEY))
