"""From a profile to what somebody likes: the user's own evidence, with the opinion of others where that is thin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.domains.taste.facets import FACETS, Facet
from shared.domains.taste.prior import Prior
from shared.domains.taste.profile import Profile, Tally

_NOTHING = Tally()


@dataclass(frozen=True, slots=True)
class Ranked:
    """One value of a ranking. The weights of a facet add up to at most 1."""

    value: str
    weight: float
    n_up: int
    n_down: int


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
