"""The prior: what all users like, and what those like who like the same.

Made of profiles, each user counting alike whatever their zeal. A value is in it only if several users share it: what
but a few said about themselves is shown to nobody else.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from shared.domains.taste.facets import FACETS
from shared.domains.taste.lexicon import lexicon
from shared.ports import Document

if TYPE_CHECKING:
    from shared.domains.taste.profile import Profile, Tally

PRIOR_ID = "prior"
PRIOR_PK = "~prior"
"""No user id: those begin with a letter or a digit."""

MIN_USERS = 5
MAX_VALUES = 60
"""Values of a facet that the prior keeps."""
MAX_COMPANIONS = 12
"""Values kept for each, of those that its users like as well."""
MAX_COUNT = 30
"""Signals after which more of them from one user change nothing."""
DOUBT = 5.0
"""Pairs of signals that the shares of all users weigh among a value's companions."""

Shares = dict[str, float]


@dataclass(frozen=True, slots=True)
class Prior:
    """For each facet, the share of each value among all users' signals, and among those of users who have another."""

    users: int = 0
    shares: dict[str, Shares] = field(default_factory=dict)
    companions: dict[str, dict[str, Shares]] = field(default_factory=dict)
    """By facet and value: what else its users like. A row adds up to less than 1; the rest goes by `shares`."""

    def expected(self, facet: str, masses: Mapping[str, float]) -> Shares:
        """What to expect of somebody with these masses of evidence: the mean over the companions of what they have."""
        shares = self.shares.get(facet, {})
        rows = self.companions.get(facet, {})
        total = sum(masses[value] for value in sorted(masses))
        expected: defaultdict[str, float] = defaultdict(float)
        rest = 1.0
        for value in sorted(masses):
            part = masses[value] / total if total else 0.0
            for companion, share in rows.get(value, {}).items():
                expected[companion] += part * share
                rest -= part * share
        for value, share in shares.items():
            expected[value] += max(rest, 0.0) * share
        return dict(expected)

    def to_document(self) -> Document:
        """The document, in a partition of its own."""
        return {"id": PRIOR_ID, "pk": PRIOR_PK, "kind": PRIOR_ID, "sort": PRIOR_ID, **asdict(self)}

    @classmethod
    def from_document(cls, document: Document) -> Prior:
        """Read back what `to_document` made."""
        return cls(document["users"], document["shares"], document["companions"])


def default_prior() -> Prior:
    """Where nothing is known of anybody: every value of the lexicons is as likely as any other."""
    values = lexicon().values
    return Prior(
        shares={facet: dict.fromkeys(values[facet], 1 / len(values[facet])) for facet in FACETS if facet in values}
    )


class PriorBuilder:
    """Adds up profiles, one at a time, into a prior. The order does not matter but for the last digit."""

    def __init__(self) -> None:
        self._users = 0
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._supporters: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._pairs: defaultdict[str, defaultdict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))

    def add(self, profile: Profile) -> None:
        """Count one user in."""
        if not profile.facets:
            return
        self._users += 1
        for facet, tallies in profile.facets.items():
            if facet in FACETS:
                self._add_facet(facet, _counts(facet, tallies))

    def build(self) -> Prior:
        """Make the prior of what was added; of a facet that too few users spoke about, the default."""
        shares, companions = dict(default_prior().shares), {}
        for facet in FACETS:
            kept = self._kept(facet)
            if kept:
                shares[facet] = _shares(kept)
                companions[facet] = self._companions(facet, shares[facet])
        return Prior(self._users, shares, companions)

    def _add_facet(self, facet: str, counts: Mapping[str, float]) -> None:
        total = sum(counts.values())
        scale = min(1.0, MAX_COUNT / total) if total else 0.0
        for value, count in counts.items():
            self._counts[facet][value] += count * scale  # type: ignore[assignment]
            self._supporters[facet][value] += 1
        if total > 1:
            self._add_pairs(self._pairs[facet], counts, scale / (total - 1))

    @staticmethod
    def _add_pairs(pairs: defaultdict[str, Counter[str]], counts: Mapping[str, float], scale: float) -> None:
        """Count, for each signal, what the same user's other signals were."""
        for one, n in counts.items():
            for other, m in counts.items():
                seen = n * (m - (one == other)) * scale
                if seen > 0:
                    pairs[one][other] += seen  # type: ignore[assignment]

    def _kept(self, facet: str) -> dict[str, float]:
        supporters = self._supporters[facet]
        shared = [(value, n) for value, n in self._counts[facet].items() if supporters[value] >= MIN_USERS]
        return dict(sorted(shared, key=lambda pair: (-pair[1], pair[0]))[:MAX_VALUES])

    def _companions(self, facet: str, shares: Shares) -> dict[str, Shares]:
        return {value: _row(self._pairs[facet][value], shares) for value in shares if self._pairs[facet][value]}


def _counts(facet: str, tallies: Mapping[str, Tally]) -> dict[str, float]:
    """How often a user met each value; of likings, only what they liked."""
    need = FACETS[facet].need
    counts = {value: float(tally.n_up + (tally.n_down if need else 0)) for value, tally in tallies.items()}
    return {value: count for value, count in counts.items() if count}


def _shares(counts: Mapping[str, float]) -> Shares:
    total = sum(counts.values())
    return {value: round(count / total, 6) for value, count in counts.items()}


def _row(pairs: Counter[str], shares: Shares) -> Shares:
    total = pairs.total() + DOUBT
    known = [(value, n / total) for value, n in pairs.items() if value in shares]
    return {value: round(share, 5) for value, share in sorted(known, key=lambda p: (-p[1], p[0]))[:MAX_COMPANIONS]}
