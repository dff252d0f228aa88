"""The profile: the fold of a user's evidence, and its ranking against what all users like.

Both are pure. A stored profile depends on the user's evidence alone: not on the time of the fold, not on the order in
which signals were processed, not on other users. What others like comes in when it is read (`rank`).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

from shared.domains.taste.evidence import Evidence
from shared.domains.taste.facets import FACETS, Facet
from shared.domains.taste.prior import Prior
from shared.ports import Document

PROFILE_ID = "profile"
PROFILE = "profile"
"""What these documents say that they are."""
MAX_EVIDENCE = 500
"""The newest signals, of which a profile is made."""
MAX_VALUES = 50
"""Values of one facet that a profile keeps: those with the most evidence."""
DECAY = 0.95
"""What each newer signal takes from the weight of an older one: half is left after 13. By rank, not by the clock, so that
the same evidence always makes the same profile."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What speaks for and against one value: decayed weights, and plain counts of signals."""

    up: float = 0.0
    down: float = 0.0
    n_up: int = 0
    n_down: int = 0


_NOTHING = Tally()


@dataclass(frozen=True, slots=True)
class Profile:
    """What a user's evidence says, facet by facet, and what evidence that is."""

    facets: dict[str, dict[str, Tally]] = field(default_factory=dict)
    ups: int = 0
    downs: int = 0
    items: int = 0
    oldest: str | None = None
    newest: str | None = None
    fingerprint: str = ""
    """Changes when the evidence does, and only then."""

    def to_document(self, user_id: str) -> Document:
        """The document, in the partition of its user."""
        return {
            "id": PROFILE_ID,
            "pk": user_id,
            "kind": PROFILE,
            # Unique, and spread evenly: the first thousand by this are a fair sample of all users.
            "sort": f"p-{hashlib.sha256(user_id.encode()).hexdigest()[:32]}",
            **asdict(self),
        }

    @classmethod
    def from_document(cls, document: Document) -> Profile:
        """Read back what `to_document` made."""
        plain = {name: document[name] for name in ("ups", "downs", "items", "oldest", "newest", "fingerprint")}
        facets = {
            facet: {value: Tally(**tally) for value, tally in values.items()}
            for facet, values in document["facets"].items()
        }
        return cls(facets=facets, **plain)


@dataclass(frozen=True, slots=True)
class Ranked:
    """One value of a ranking. The weights of a facet add up to at most 1."""

    value: str
    weight: float
    n_up: int
    n_down: int


def fold(evidence: Iterable[Evidence]) -> Profile:
    """Fold evidence, in any order, into a profile."""
    latest = {one.id: one for one in sorted(evidence, key=_moment)}
    kept = sorted(latest.values(), key=_moment, reverse=True)[:MAX_EVIDENCE]
    if not kept:
        return Profile()
    return Profile(
        facets=_tallies(kept),
        ups=sum(one.signal == "up" for one in kept),
        downs=sum(one.signal == "down" for one in kept),
        items=len({one.item_id for one in kept}),
        oldest=kept[-1].occurred_at.isoformat(),
        newest=kept[0].occurred_at.isoformat(),
        fingerprint=_fingerprint(kept),
    )


def rank(
    profile: Profile, prior: Prior, limit: int = 10, facets: Iterable[str] = tuple(FACETS)
) -> dict[str, list[Ranked]]:
    """Rank the values of facets, the most liked first, `limit` of each.

    A value's weight is the user's own evidence for it plus the opinion of others, which counts as much as
    `Facet.strength` signals; evidence against a liking divides it (see `_weight`). Others are those whose evidence shares
    values with this user's, so far as the prior knows them, else everybody: with no evidence, the ranking is the prior.
    """
    ranked = {}
    for name in facets:
        facet, tallies = FACETS[name], profile.facets.get(name, {})
        values = _rank_facet(facet, tallies, prior.expected(name, _masses(facet, tallies)), limit)
        if values:
            ranked[name] = values
    return ranked


def _moment(one: Evidence) -> str:
    return one.sort


def _tallies(newest_first: list[Evidence]) -> dict[str, dict[str, Tally]]:
    facets: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(lambda: [0.0, 0.0, 0, 0]))
    for age, one in enumerate(newest_first):
        against = one.signal == "down"
        for facet, values in one.findings.facets.items():
            for value, weight in values.items():
                sums = facets[facet][value]
                sums[against] += weight * DECAY**age
                sums[2 + against] += 1
    return {facet: _heaviest(facets[facet]) for facet in FACETS if facet in facets}


def _heaviest(values: Mapping[str, list[float]]) -> dict[str, Tally]:
    heaviest = sorted(values.items(), key=lambda pair: (-(pair[1][0] + pair[1][1]), pair[0]))[:MAX_VALUES]
    return {value: Tally(round(s[0], 6), round(s[1], 6), int(s[2]), int(s[3])) for value, s in heaviest}


def _fingerprint(kept: list[Evidence]) -> str:
    named = "\n".join(f"{one.id} {one.version}" for one in kept)
    return hashlib.sha256(named.encode()).hexdigest()[:16]


def _masses(facet: Facet, tallies: Mapping[str, Tally]) -> dict[str, float]:
    return {value: _mass(facet, tally) for value, tally in tallies.items()}


def _mass(facet: Facet, tally: Tally) -> float:
    return tally.up + facet.down_counts * tally.down


def _rank_facet(facet: Facet, tallies: Mapping[str, Tally], expected: Mapping[str, float], limit: int) -> list[Ranked]:
    weights = {
        value: _weight(facet, tallies.get(value, _NOTHING), expected.get(value, 0.0))
        for value in tallies.keys() | expected.keys()
    }
    order = sorted(((-weight, value) for value, weight in weights.items() if weight))
    total = -sum(weight for weight, _ in order)
    return [_ranked(value, -weight / total, tallies.get(value, _NOTHING)) for weight, value in order[:limit]]


def _weight(facet: Facet, tally: Tally, expected: float) -> float:
    """Shrunk evidence for a value, times the part of the opinions on it that are not against it.

    The product stays above 0 and keeps the order among values that are all disliked; a difference would not.
    """
    mass = _mass(facet, tally) + facet.strength * expected
    return mass * mass / (mass + facet.aversion * tally.down) if mass else 0.0


def _ranked(value: str, weight: float, tally: Tally) -> Ranked:
    return Ranked(value, round(weight, 6), tally.n_up, tally.n_down)
