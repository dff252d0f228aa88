"""The one model of what was gathered, whichever source it came from."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from shared.ports import Document
from shared.storage import iso


@dataclass(frozen=True, slots=True)
class Price:
    """What something costs."""

    amount: Decimal
    currency: str | None = None
    """ISO 4217, such as `EUR`; None where the page does not say."""

    def to_json(self) -> dict[str, str | None]:
        """As it is stored and answered: the amount as text, so that no digit is lost."""
        return {"amount": str(self.amount), "currency": self.currency}


@dataclass(frozen=True, slots=True)
class Origin:
    """A source that an item was found at."""

    source_id: str
    """Letters, digits and underscores."""
    kind: str
    """`reddit`, `rss`, `sitemap` or `brand_site`."""
    label: str
    """The source in words."""

    def to_json(self) -> dict[str, str]:
        """As it is stored and answered."""
        return {"source_id": self.source_id, "kind": self.kind, "label": self.label}


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that somebody published or sells. Texts are plain: no markup, no control characters."""

    item_id: str
    """A hash of the canonical address; see `item_id_of`."""
    url: str | None
    """The canonical address; None where the source gives none of the item's own."""
    title: str
    text: str
    """An excerpt of at most 2,000 characters; empty where there is none."""
    sources: tuple[Origin, ...]
    """Every source that it was found at, the first finder first. Its word on the content is the one that stands."""
    first_seen_at: datetime
    updated_at: datetime
    """When the content last changed."""
    image_url: str | None = None
    price: Price | None = None
    tags: tuple[str, ...] = ()
    """Lower case, distinct."""
    score: float = 0.0
    """How well it was received at its source, 0 to 1, when its content was last written; 0 where that says nothing."""
    published_at: datetime | None = None
    version: int = 1
    """Grows by one with each change of the content."""

    @property
    def source(self) -> Origin:
        """The source that found it first."""
        return self.sources[0]

    @property
    def source_id(self) -> str:
        """The id of the source that found it first."""
        return self.source.source_id

    @property
    def content_hash(self) -> str:
        """What changes with the content, and with nothing else: neither with the score nor with who found it."""
        price = self.price.to_json() if self.price else None
        published = iso(self.published_at) if self.published_at else None
        content = (self.url, self.title, self.text, self.image_url, price, self.tags, published)
        return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]

    @property
    def sort(self) -> str:
        """Sorts by the time of the first sight, and is unique."""
        return f"{iso(self.first_seen_at)}|{self.item_id}"

    def to_document(self) -> Document:
        """As it is stored. Each source is a property of its own, so that a query by source needs no function of arrays."""
        return {
            "id": self.item_id,
            "pk": self.item_id,
            "sort": self.sort,
            **{source_flag(origin.source_id): True for origin in self.sources},
            **self.to_json(),
        }

    def to_json(self) -> dict[str, Any]:
        """As it is answered."""
        return {
            "item_id": self.item_id,
            "url": self.url,
            "title": self.title,
            "text": self.text,
            "image_url": self.image_url,
            "price": self.price.to_json() if self.price else None,
            "tags": list(self.tags),
            "score": self.score,
            "sources": [origin.to_json() for origin in self.sources],
            "content_hash": self.content_hash,
            "first_seen_at": iso(self.first_seen_at),
            "updated_at": iso(self.updated_at),
            "published_at": iso(self.published_at) if self.published_at else None,
            "version": self.version,
        }

    @classmethod
    def from_document(cls, document: Document) -> Item:
        """Read what `to_document` wrote."""
        price = document["price"]
        published = document["published_at"]
        return cls(
            item_id=document["item_id"],
            url=document["url"],
            title=document["title"],
            text=document["text"],
            image_url=document["image_url"],
            price=Price(Decimal(price["amount"]), price["currency"]) if price else None,
            tags=tuple(document["tags"]),
            score=document["score"],
            sources=tuple(Origin(**origin) for origin in document["sources"]),
            first_seen_at=_moment(document["first_seen_at"]),
            updated_at=_moment(document["updated_at"]),
            published_at=_moment(published) if published else None,
            version=document["version"],
        )


def item_id_of(address: str) -> str:
    """The id of what is found at an address, given in the form that all spellings of it share."""
    return hashlib.sha256(address.encode(errors="surrogatepass")).hexdigest()[:32]


def source_flag(source_id: str) -> str:
    """The property that items of a source have."""
    return f"from_{source_id}"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
