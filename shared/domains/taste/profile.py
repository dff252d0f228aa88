"""The profile: the fold of a user's evidence.

It is pure. A stored profile depends on the user's evidence alone: not on the time of the fold, not on the order in
which signals were processed, not on other users. What others like comes in when it is read (`shared.domains.taste.ranking`).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field

from shared.domains.taste.evidence import Evidence
from shared.domains.taste.facets import FACETS
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
