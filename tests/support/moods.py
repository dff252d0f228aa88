"""Made-up items for the mood processor, and an embedder that tests watch and break."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.domains.items.model import Item, Origin, item_id_of
from shared.domains.items.store import ItemStore
from shared.domains.moods.ports import MoodServiceError
from shared.domains.moods.vectors import HashingEmbedder, vector_of
from shared.fetch.urls import key
from shared.ports import Clock, DocumentStore

NIGHT = (
    ("Cottagecore dresses are everywhere this spring", "Prairie dresses in gingham and linen, with straw hats."),
    ("How to wear a streetwear look", "An oversized hoodie, cargo pants and a bucket hat."),
    ("Dark academia outfits for autumn", "A tweed blazer, a turtleneck and brogues in brown and burgundy."),
    ("The market report", "Shares fell on Tuesday after a classic sell-off."),
)
"""Titles and texts of a night: three speak of a mood, and one does not."""


def item(title: str, text: str, at: datetime, *, url: str | None = None, tags: tuple[str, ...] = ()) -> Item:
    """An item that a feed brought."""
    url = url or f"https://mode.example/{'-'.join(title.lower().split())}"
    origin = Origin("feed", "rss", "a feed")
    return Item(item_id_of(key(url)), url, title, text, (origin,), at, at, tags=tags, published_at=at)


async def store_items(
    documents: DocumentStore,
    clock: Clock,
    texts: tuple[tuple[str, str], ...] = NIGHT,
    age: timedelta = timedelta(hours=5),
) -> None:
    """Store items of that age."""
    store = ItemStore(documents, clock)
    for title, text in texts:
        await store.put(item(title, text, clock.now() - age))


@dataclass
class WatchedEmbedder:
    """The embedded default, whose calls are remembered, and whose answers tests bend."""

    model: str = HashingEmbedder.model
    calls: list[list[str]] = field(default_factory=list)
    bend: Callable[[list[list[float]]], list[list[float]]] = lambda vectors: vectors

    async def embed_documents(self, texts: Sequence[str]) -> list[list[float]]:
        self.calls.append(list(texts))
        await asyncio.sleep(0)
        return self.bend([vector_of(text) for text in texts])


def unavailable(vectors: list[list[float]]) -> list[list[float]]:
    raise MoodServiceError("on purpose")
