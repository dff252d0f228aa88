"""What a digest is made from, and what it is made of. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from shared.fetch import FetchRefusedError
from shared.fetch.addresses import require_http

Facets = Mapping[str, Mapping[str, float]]
"""Facet (`colour`, `garment`, ...) and value with its weight from 0 to 1, as `shared.domains.taste` finds them."""


@dataclass(frozen=True, slots=True)
class Appearance:
    """What something looks like: its facets, and the group of clothes it belongs to (`shared.domains.digests.appearance`)."""

    facets: Facets = field(default_factory=dict)
    group: str | None = None

    def values(self) -> frozenset[tuple[str, str]]:
        """Every facet and value."""
        return frozenset((facet, value) for facet, values in self.facets.items() for value in values)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An item that may be suggested."""

    item_id: str
    title: str
    url: str | None
    source_id: str
    source: str
    """The source in words."""
    first_seen: datetime
    appearance: Appearance = Appearance()
    text: str = ""
    image_url: str | None = None
    price: str | None = None
    """In words, such as `49.90 EUR`."""
    tags: tuple[str, ...] = ()
    reception: float = 0.0
    """How well it was received at its source, 0 to 1."""
    source_ids: frozenset[str] = frozenset()
    """Every source that has it."""


@dataclass(frozen=True, slots=True)
class Mood:
    """A mood as digests see it."""

    id: str
    name: str
    description: str
    strength: float
    """Its trend score, as a share of the strongest mood's."""
    signals: Mapping[str, tuple[str, ...]]
    """Values by facet of taste."""
    urls: frozenset[str] = frozenset()
    """The articles that support it."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What a user said of an item that a digest suggested."""

    item_id: str
    title: str
    up: bool
    values: frozenset[tuple[str, str]]
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """Something that the user owns."""

    item_id: str
    title: str
    appearance: Appearance


@dataclass(frozen=True, slots=True)
class Leaning:
    """How a user leans towards a value of a facet."""

    lift: float
    """From -1 to 1: how much more (or less) it is to be expected of this user than of anybody."""
    n_up: int
    n_down: int
    need: bool = False
    """A need (size, occasion, ...), of which a down says nothing bad; else a liking."""


@dataclass(frozen=True, slots=True)
class Reader:
    """The user that a digest is made for."""

    leanings: Mapping[str, Mapping[str, Leaning]] = field(default_factory=dict)
    wardrobe: tuple[Piece, ...] = ()
    follows: frozenset[str] = frozenset()
    opinions: tuple[Opinion, ...] = ()
    """The newest first, one for each item."""
    turned_down: frozenset[str] = frozenset()
    """Ids of items that are never to be suggested."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """One part of a suggestion's score, and what it says in words."""

    of: str
    """`taste`, `mood`, `wardrobe`, `source`, `feedback`, `reception` or `new`."""
    points: float
    text: str

    def to_json(self) -> dict[str, Any]:
        """As it is written."""
        return {"of": self.of, "points": round(self.points, 4), "text": self.text}


@dataclass(frozen=True, slots=True)
class Scored:
    """A candidate and what its score is made of."""

    candidate: Candidate
    contributions: tuple[Contribution, ...]

    @property
    def score(self) -> float:
        """The sum of its parts."""
        return sum(part.points for part in self.contributions)


def web_url(url: str | None) -> str | None:
    """The address if it is one of the web (absolute, http or https, no user name), else None: nothing else gets onto a page."""
    try:
        require_http(url or "")
    except FetchRefusedError:
        return None
    return url
