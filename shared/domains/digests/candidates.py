"""What all digests of a night choose from: the new items with what they look like, and the moods.

It is the same for every user, so a process reads it once a night and not once for each digest.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from shared.domains.digests.appearance import MOST_TEXT, appearance_of
from shared.domains.digests.model import Candidate, Mood
from shared.domains.digests.settings import DigestSettings
from shared.domains.items.public import Item, ItemStore
from shared.domains.moods.public import Mood as StoredMood
from shared.domains.moods.public import MoodSettings, MoodStore
from shared.domains.taste.public import Item as Words
from shared.domains.taste.public import lexicon
from shared.ports import Clock, DocumentStore

if TYPE_CHECKING:
    from shared.settings import Settings

_FACETS = {"colour", "pattern", "material", "garment", "style"}
_KEPT = 2
"""Shelves that a process keeps: that of the night, and that of a run by hand."""


@dataclass(frozen=True, slots=True)
class CandidatePool:
    """The new items, the newest first, and the moods, as they stand at a moment."""

    items: tuple[Candidate, ...]
    moods: tuple[Mood, ...]

    def since(self, moment: datetime) -> list[Candidate]:
        """Items first seen after a moment."""
        return [item for item in self.items if item.first_seen > moment]


class CandidatePools:
    """Shelves by the moment that they are for. Those who ask for one that is being read wait for it."""

    def __init__(self, documents: DocumentStore, clock: Clock, settings: Settings) -> None:
        self._items = ItemStore(documents, clock)
        self._moods = MoodStore(documents)
        self._settings = settings.of(DigestSettings)
        self._half_life = timedelta(days=settings.of(MoodSettings).half_life_days)
        self._lock = asyncio.Lock()
        self._known: dict[datetime, CandidatePool] = {}

    async def at(self, until: datetime) -> CandidatePool:
        """The shelf of a moment: a storage call for each hundred items or moods, the first time."""
        async with self._lock:
            if until not in self._known:
                candidates = await self._read(until)
                self._known = dict([*self._known.items(), (until, candidates)][-_KEPT:])
            return self._known[until]

    async def _read(self, until: datetime) -> CandidatePool:
        since = until - timedelta(days=self._settings.window_days)
        found = self._items.recent(since, self._settings.shelf, until=until)
        items = [item async for item in found]
        moods = await self._moods.current()
        return await asyncio.to_thread(_pool, items, moods, until, self._half_life)


def candidate_pools(documents: DocumentStore, clock: Clock, settings: Settings) -> CandidatePools:
    """The shelves of the process and its stores."""
    stores: Any = (documents, clock, settings)  # hashable, other than their ports say
    return _pools(*stores)


@lru_cache(maxsize=1)
def _pools(documents: Any, clock: Any, settings: Settings) -> CandidatePools:
    return CandidatePools(documents, clock, settings)


def candidate_of(item: Item) -> Candidate:
    """An item as a digest sees it."""
    return Candidate(
        item_id=item.item_id,
        title=item.title,
        url=item.url,
        source_id=item.source_id,
        source=item.source.label,
        first_seen=item.first_seen_at,
        appearance=appearance_of(_words(item)),
        text=item.text,
        image_url=item.image_url,
        price=f"{item.price.amount} {item.price.currency or ''}".strip() if item.price else None,
        tags=item.tags,
        reception=item.score,
        source_ids=frozenset(origin.source_id for origin in item.sources),
    )


def moods_of(stored: Iterable[StoredMood], now: datetime, half_life: timedelta) -> tuple[Mood, ...]:
    """Moods as digests see them, the strongest first: strength as a share of the strongest, signals as values of taste."""
    trends = [(mood.trend(now, half_life), mood) for mood in stored]
    strongest = max((trend for trend, _ in trends), default=0.0)
    if strongest <= 0:
        return ()
    order = sorted(trends, key=lambda pair: (-pair[0], pair[1].id))
    return tuple(_mood(mood, trend / strongest) for trend, mood in order)


def _pool(items: list[Item], moods: list[StoredMood], until: datetime, half_life: timedelta) -> CandidatePool:
    return CandidatePool(tuple(map(candidate_of, items)), moods_of(moods, until, half_life))


def _words(item: Item) -> Words:
    keywords = [tag[:100].strip() for tag in item.tags[:50]]
    return Words(
        title=item.title[:300], description=item.text[:MOST_TEXT], keywords=[word for word in keywords if word]
    )


def _mood(mood: StoredMood, strength: float) -> Mood:
    urls = frozenset(article.url for article in mood.articles if article.url)
    return Mood(mood.id, mood.name, mood.description, strength, _signals(mood), urls)


def _signals(mood: StoredMood) -> dict[str, tuple[str, ...]]:
    """What the mood looks like, in the words of taste; what those do not know is left out."""
    signals: dict[str, dict[str, None]] = {}
    for words in mood.signals.to_json().values():
        for facet, value in (found for word in words for found in lexicon().find(word)):
            if facet in _FACETS:
                signals.setdefault(facet, {})[value] = None
    return {facet: tuple(values) for facet, values in signals.items()}
