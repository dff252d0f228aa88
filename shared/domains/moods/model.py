"""A mood: what it is, which articles support it, and how much it is talked about.

The evidence of a mood is a set of articles, kept as the `MOST_COUNTED` that count most. That order does not depend on when
it is asked for: of two weights that decay with one half-life, the larger stays the larger. So joining two sets and keeping
the top is idempotent, commutative and associative, and an article that is met again, whenever, wherever and by however
many workers, changes nothing.
"""

from __future__ import annotations

import hashlib
import math
import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Literal

from shared.ports import Document

MOOD = "mood"
"""What these documents say that they are."""
MOST_COUNTED = 500
"""Articles of a mood that its trend score counts; each takes some 35 bytes of the document."""
MOST_ARTICLES = 20
"""Articles of a mood that are kept with title, address and what they named."""

Vector = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Signals:
    """What a mood looks like, in words; each facet with what the articles name most first."""

    palette: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()
    silhouettes: tuple[str, ...] = ()
    fabrics: tuple[str, ...] = ()
    key_pieces: tuple[str, ...] = ()

    def to_json(self) -> dict[str, list[str]]:
        """As it is stored and answered."""
        return {facet: list(self.of(facet)) for facet in FACETS}

    def of(self, facet: str) -> tuple[str, ...]:
        """One facet by its name."""
        values: tuple[str, ...] = getattr(self, facet)
        return values


FACETS = tuple(each.name for each in fields(Signals))


@dataclass(frozen=True, slots=True)
class Support:
    """An article that supports a mood."""

    key: str
    """A hash of its canonical address: what makes it the same article."""
    title: str
    url: str | None
    at: datetime
    """When it was published, or first seen."""
    weight: float
    """How clearly it speaks of the mood, over 0 and at most 1."""
    signals: Signals = field(default_factory=Signals)
    """What it names of the mood's look."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What the trend score needs of an article."""

    key: str
    at: int
    """Seconds since 1970."""
    weight: float

    def rank(self, half_life: timedelta) -> tuple[float, str]:
        """Its place among others, whenever one looks: the logarithm of the decayed weight, but for a term common to all."""
        return math.log2(self.weight) + self.at / half_life.total_seconds(), self.key


@dataclass(frozen=True, slots=True)
class Embedding:
    """Of what, and by which embedder, the vector was made."""

    model: str = ""
    text_hash: str = ""


@dataclass(frozen=True, slots=True)
class Mood:
    """One mood: a primary one, or a sub-mood (whose `primary` is another's name)."""

    id: str
    """The slug of its canonical name."""
    name: str
    primary: str
    """The name of its primary mood; of a primary mood, its own."""
    first_seen: datetime
    last_seen: datetime
    description: str = ""
    sub_moods: tuple[str, ...] = ()
    """Names of its sub-moods that the articles name."""
    signals: Signals = field(default_factory=Signals)
    articles: tuple[Support, ...] = ()
    """Those that count most, in this order."""
    counted: tuple[Counted, ...] = ()
    """Those that the trend score counts, `articles` among them, in this order."""
    vector: Vector = ()
    embedding: Embedding = field(default_factory=Embedding)
    version: int = 0
    """Grows with each change; 0: not stored yet."""

    def trend(self, now: datetime, half_life: timedelta) -> float:
        """The trend score: the sum of the articles' weights, each halved for every half-life since it appeared."""
        ages = ((max(0.0, now.timestamp() - one.at) / half_life.total_seconds(), one.weight) for one in self.counted)
        return math.fsum(weight * 2.0**-age for age, weight in ages)

    @property
    def is_primary(self) -> bool:
        """Whether it is one of the twelve."""
        return self.name == self.primary

    @property
    def text(self) -> str:
        """What its vector is made of. Sorted within a facet: the same look in another order is no change."""
        looks = [f"{facet.replace('_', ' ')}: {', '.join(sorted(self.signals.of(facet)))}" for facet in FACETS]
        subs = f"{', '.join(self.sub_moods)}. " if self.sub_moods else ""
        return f"{self.name} ({self.primary}). {self.description} {subs}{'. '.join(looks)}"

    def embedded_by(self, model: str) -> bool:
        """Whether the vector is that of the present text by this embedder."""
        return bool(self.vector) and self.embedding == Embedding(model, text_hash(self.text))

    @property
    def embedding_status(self) -> Literal["current", "stale", "missing"]:
        """How the vector stands to the present text."""
        if not self.vector:
            return "missing"
        return "current" if self.embedding.text_hash == text_hash(self.text) else "stale"

    def to_document(self) -> Document:
        """As it is stored; the status of the embedding is derived, and written for people and queries."""
        return {
            "id": self.id,
            "pk": self.id,
            "kind": MOOD,
            "version": self.version,
            "name": self.name,
            "primary": self.primary,
            "sub_moods": list(self.sub_moods),
            "description": self.description,
            "signals": self.signals.to_json(),
            "articles": [_article(one) for one in self.articles],
            "counted": [[one.key, one.at, one.weight] for one in self.counted],
            "first_seen": iso(self.first_seen),
            "last_seen": iso(self.last_seen),
            "vector": list(self.vector),
            "embedding": {
                "status": self.embedding_status,
                "model": self.embedding.model,
                "text_hash": self.embedding.text_hash,
            },
        }

    @classmethod
    def from_document(cls, document: Document) -> Mood:
        """Read what `to_document` wrote."""
        embedding = document["embedding"]
        return cls(
            id=document["id"],
            name=document["name"],
            primary=document["primary"],
            first_seen=datetime.fromisoformat(document["first_seen"]),
            last_seen=datetime.fromisoformat(document["last_seen"]),
            description=document["description"],
            sub_moods=tuple(document["sub_moods"]),
            signals=Signals(**{facet: tuple(document["signals"][facet]) for facet in FACETS}),
            articles=tuple(_support(one) for one in document["articles"]),
            counted=tuple(Counted(key, at, weight) for key, at, weight in document["counted"]),
            vector=tuple(document["vector"]),
            embedding=Embedding(embedding["model"], embedding["text_hash"]),
            version=document["version"],
        )


def counting(mood: Mood, articles: Iterable[Support], half_life: timedelta, counted: Iterable[Counted] = ()) -> Mood:
    """The mood with more articles, each counted once; the mood itself where they are counted already."""
    details = {one.key: one for one in (*articles, *mood.articles)}  # of two versions the one that was first stays
    more = [*counted, *(Counted(one.key, int(one.at.timestamp()), one.weight) for one in details.values())]
    tally = _top({one.key: one for one in (*more, *mood.counted)}.values(), half_life, MOST_COUNTED)
    chosen = tuple(details[one.key] for one in tally if one.key in details)[:MOST_ARTICLES]
    if tally == mood.counted and chosen == mood.articles:
        return mood
    moments = [one.at for one in details.values()]
    first, last = min((mood.first_seen, *moments)), max((mood.last_seen, *moments))
    return replace(mood, articles=chosen, counted=tally, first_seen=first, last_seen=last)


def joined(mood: Mood, other: Mood, half_life: timedelta) -> Mood:
    """The mood with the evidence of another record of it."""
    merged = counting(mood, other.articles, half_life, other.counted)
    first, last = min(merged.first_seen, other.first_seen), max(merged.last_seen, other.last_seen)
    return replace(merged, first_seen=first, last_seen=last)


def _top(counted: Iterable[Counted], half_life: timedelta, limit: int) -> tuple[Counted, ...]:
    return tuple(sorted(counted, key=lambda one: one.rank(half_life), reverse=True)[:limit])


def text_hash(text: str) -> str:
    """A short hash of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def iso(moment: datetime) -> str:
    """A moment in UTC as it is stored."""
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def similarity(one: Sequence[float], other: Sequence[float]) -> float:
    """The cosine of the angle between two vectors; 0 where one is missing or they are not of one length."""
    if len(one) != len(other) or not one:
        return 0.0
    norm = math.hypot(*one) * math.hypot(*other)
    return math.fsum(map(operator.mul, one, other)) / norm if norm else 0.0


def _article(one: Support) -> Document:
    return {
        "key": one.key,
        "title": one.title,
        "url": one.url,
        "at": iso(one.at),
        "weight": one.weight,
        "signals": {facet: list(found) for facet in FACETS if (found := one.signals.of(facet))},
    }


def _support(document: Document) -> Support:
    signals = Signals(**{facet: tuple(found) for facet, found in document["signals"].items()})
    at = datetime.fromisoformat(document["at"])
    return Support(document["key"], document["title"], document["url"], at, document["weight"], signals)
