"""An article: an item that was collected, with what enriching made of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Self

from shared.domains.collect.public import Item
from shared.fetch.urls import key
from shared.ports import Document
from shared.storage import iso

_MOST_SOURCES = 50


@dataclass(frozen=True, slots=True)
class Source:
    """One place where an article was found."""

    name: str
    """`reddit`, `rss` or `web`."""
    topic: str
    """The subreddit, or the address of the feed or page."""
    item_id: str
    """The publisher's own id of it."""


@dataclass(frozen=True, slots=True)
class Article:
    """What the site knows of one thing that somebody published."""

    article_id: str
    title: str
    url: str | None
    at: str
    """When it was published, or collected where nobody says so: ISO 8601, UTC, microseconds."""
    author: str | None
    summary: str
    """Markdown."""
    topics: tuple[str, ...]
    minutes: int | None
    """How long reading takes; None where no more than a headline is known."""
    language: str | None
    """ISO 639-1."""
    image: str | None
    sources: tuple[Source, ...]
    """The first is the one whose words these are."""
    length: int
    """Characters of the item's own text: of two items about one page, the one that says more is shown."""
    fingerprint: str
    """Of what it was made, and by whom: equal, and nothing has to be made anew."""

    @property
    def sort(self) -> str:
        """Orders articles by time, each in a place of its own."""
        return f"{self.at}~{self.article_id}"

    def to_document(self) -> Document:
        """As the store keeps it."""
        return {"id": self.article_id, "pk": self.article_id, "sort": self.sort, **asdict(self)}

    @classmethod
    def from_document(cls, document: Document) -> Self:
        """As the store gave it back."""
        fields = {name: document[name] for name in cls.__dataclass_fields__}
        sources = tuple(Source(**each) for each in document["sources"])
        return cls(**{**fields, "topics": tuple(document["topics"]), "sources": sources})

    def covers(self, source: Source, fingerprint: str, length: int) -> bool:
        """Whether an item changes nothing but the sources: it is the same, or another's that says no more."""
        return self.fingerprint == fingerprint or (source.topic != self.sources[0].topic and length <= self.length)

    def found_in(self, *sources: Source) -> Self:
        """This article, found there too."""
        known = {(each.name, each.topic): each for each in self.sources}
        for each in sources:
            known.setdefault((each.name, each.topic), each)
        return replace(self, sources=tuple(known.values())[:_MOST_SOURCES])

    def beside(self, before: Article | None) -> Article:
        """What is to be kept of this article and the one that was there."""
        if before is None:
            return self
        if before.covers(self.sources[0], self.fingerprint, self.length):
            return before.found_in(*self.sources)
        return replace(self.found_in(*before.sources), at=min(self.at, before.at))


def article_id_of(item: Item) -> str:
    """The same for whatever is found under one address; of what has none, for the same words."""
    said = key(item.url) if item.url else f"{item.title}\n{item.text}"
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def fingerprint_of(item: Item, enricher: str) -> str:
    """What of an item an article is made of, and by which enricher; scores and comments are not."""
    said = [item.title, item.url, item.author, item.published, item.text, item.image, list(item.tags), enricher]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def moment_of(item: Item, collected: datetime) -> str:
    """When an item was published, as far as that can be: not after it was collected. A day is its beginning."""
    try:
        published = datetime.fromisoformat(item.published or "")
    except ValueError:
        return iso(collected)
    if published.tzinfo is None:
        published = published.replace(tzinfo=UTC)
    return iso(min(published, collected))
