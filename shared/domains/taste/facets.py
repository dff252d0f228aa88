"""The facets of taste: the sides from which an item is looked at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Facet:
    """One side of an item, and how signals about it are read.

    There are two sorts. *Liking* (colour, style, brand, ...): a down says "not this". *Need* (occasion, size, category,
    ...): a down on an item says little against the occasion it was worn for, but still tells something about the
    life and the body of whoever wore it. So a down takes away from a liking, and counts as half an up for a need.
    """

    name: str
    need: bool
    strength: float
    """How many signals of a user's own the opinion of others weighs."""

    @property
    def down_counts(self) -> float:
        """What part of an up a down is worth as a sign of need."""
        return 0.5 if self.need else 0.0

    @property
    def aversion(self) -> float:
        """How strongly a down speaks against a value."""
        return 0.0 if self.need else 1.0


FACETS = {
    facet.name: facet
    for facet in (
        Facet("occasion", need=True, strength=10),
        Facet("size", need=True, strength=10),
        Facet("category", need=True, strength=10),
        Facet("garment", need=True, strength=10),
        Facet("style", need=False, strength=5),
        Facet("colour", need=False, strength=5),
        Facet("brand", need=False, strength=5),
        Facet("pattern", need=False, strength=5),
        Facet("material", need=False, strength=5),
    )
}
"""Every facet by name, in the order in which profiles show them."""
