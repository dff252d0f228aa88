"""What an analysis found in an item."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.domains.taste.facets import FACETS

MAX_VALUES = 20
"""Values of one facet that an item can have; the strongest are kept."""


@dataclass(frozen=True, slots=True)
class Findings:
    """The values found for each facet, each with a weight from 0 (not at all) to 1 (surely), and who found any."""

    facets: dict[str, dict[str, float]] = field(default_factory=dict)
    sources: dict[str, list[str]] = field(default_factory=dict)


def found(source: str, values: Iterable[tuple[str, str, float]]) -> Findings:
    """Make findings of (facet, value, weight); of a value found twice, the stronger counts."""
    facets: dict[str, dict[str, float]] = {}
    for facet, value, weight in values:
        if facet in FACETS and value:
            known = facets.setdefault(facet, {})
            known[value] = max(known.get(value, 0.0), round(min(max(weight, 0.0), 1.0), 3))
    return Findings(facets, {facet: [source] for facet in facets})


def merge(many: Iterable[Findings]) -> Findings:
    """Put together what several analysers found: of a value found twice, the stronger counts."""
    facets: dict[str, dict[str, float]] = {}
    sources: dict[str, set[str]] = {}
    for one in many:
        for facet, values in one.facets.items():
            known = facets.setdefault(facet, {})
            for value, weight in values.items():
                known[value] = max(known.get(value, 0.0), weight)
            sources.setdefault(facet, set()).update(one.sources.get(facet, ()))
    return Findings(
        {facet: _strongest(facets[facet]) for facet in FACETS if facet in facets},
        {facet: sorted(sources[facet]) for facet in FACETS if facet in sources},
    )


def _strongest(values: dict[str, float]) -> dict[str, float]:
    return dict(sorted(values.items(), key=lambda pair: (-pair[1], pair[0]))[:MAX_VALUES])
