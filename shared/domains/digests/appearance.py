"""What things look like, which of them go together, and how alike they are."""

from __future__ import annotations

from functools import cache
from math import atan2, degrees, hypot

from shared.domains.digests.model import Appearance
from shared.domains.taste.public import Item as Words
from shared.domains.taste.public import analyse_words, lexicon, oklab

MOST_TEXT = 600
"""Characters of a text that are read: what comes later is seldom about the thing itself."""
GOES_WITH = 0.5
"""From here on two things go together."""

GROUPS: dict[str, tuple[str, ...]] = {
    "top": ("top", "blouse", "shirt", "t-shirt", "polo", "tank", "camisole", "bodysuit", "sweater", "turtleneck", "hoodie", "sweatshirt", "tunic", "kurta"),
    "bottom": ("skirt", "trousers", "jeans", "jeggings", "leggings", "shorts", "capris", "track pants", "salwar"),
    "dress": ("dress", "gown", "sheath", "shift", "maxi", "mini", "midi", "jumpsuit", "romper", "overalls", "kaftan", "saree", "lehenga", "suit"),
    "layer": ("cardigan", "jacket", "blazer", "bomber", "coat", "trench", "parka", "cape", "vest", "waistcoat", "kimono"),
    "shoes": ("shoes", "trainers", "heels", "flats", "loafers", "sandals", "boots"),
    "accessory": ("bag", "clutch", "backpack", "duffel", "messenger bag", "belt", "hat", "cap", "scarf", "gloves", "tie", "sunglasses", "watch", "necklace", "earrings", "bracelet", "ring", "dupatta"),
}  # fmt: skip
"""Garments of the lexicon by what they are worn as."""
_GROUP_OF = {garment: group for group, garments in GROUPS.items() for garment in garments}
_TOGETHER = {
    frozenset(pair)
    for pair in (
        ("top", "bottom"), ("layer", "top"), ("layer", "bottom"), ("layer", "dress"),
        ("shoes", "top"), ("shoes", "bottom"), ("shoes", "dress"), ("shoes", "layer"),
        ("accessory", "top"), ("accessory", "bottom"), ("accessory", "dress"), ("accessory", "layer"), ("accessory", "shoes"),
    )
}  # fmt: skip
_NEUTRAL_CHROMA = 0.045
_SHARED = ("style", "occasion")


def appearance_of(words: Words) -> Appearance:
    """Read what something looks like from its words."""
    facets = analyse_words(words).facets
    return Appearance(facets, _group(facets.get("garment", {})))


def alike(one: frozenset[tuple[str, str]], other: frozenset[tuple[str, str]]) -> float:
    """How alike two looks are, 0 to 1: what they share of all that they show."""
    return len(one & other) / len(one | other) if one and other else 0.0


def goes_with(one: Appearance, other: Appearance) -> float:
    """How well two things are worn together, 0 to 1: of different groups, colours in harmony, for like occasions."""
    if frozenset((one.group, other.group)) not in _TOGETHER:
        return 0.0
    colours = _colours(one), _colours(other)
    pairs = [_harmony(mine, theirs) for mine in colours[0] for theirs in colours[1]]
    shared = any(set(one.facets.get(facet, {})) & set(other.facets.get(facet, {})) for facet in _SHARED)
    return (max(pairs) if pairs else 0.0) * 0.7 + shared * 0.3


def _group(garments: dict[str, float]) -> str | None:
    """The group of the garment that it surely is; what is only named (below 0.8) may be what it goes with."""
    sure = [(weight, garment) for garment, weight in garments.items() if weight >= 0.8 and garment in _GROUP_OF]
    return _GROUP_OF[max(sure)[1]] if sure else None


def _colours(appearance: Appearance) -> list[str]:
    known = lexicon().colours
    sure = [colour for colour, weight in appearance.facets.get("colour", {}).items() if weight >= 0.8]
    return [colour for colour in sure if colour in known]


@cache
def _harmony(one: str, other: str) -> float:
    """Neutral with anything; else neighbours or opposites on the circle of hues."""
    (chroma, hue), (other_chroma, other_hue) = _polar(one), _polar(other)
    if min(chroma, other_chroma) < _NEUTRAL_CHROMA:
        return 0.9
    apart = abs(hue - other_hue) % 360
    apart = min(apart, 360 - apart)
    return 1.0 if apart <= 40 or apart >= 150 else 0.3


def _polar(colour: str) -> tuple[float, float]:
    """Chroma and hue of a named colour."""
    _, a, b = oklab(lexicon().colours[colour])
    return hypot(a, b), degrees(atan2(b, a))
