"""The fixed vocabulary: the twelve primary moods and their usual sub-moods, read from `vocabulary.toml` on first use."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from shared import folding
from shared.domains.moods.model import FACETS, Signals

PRIMARIES = (
    "Minimalist", "Maximalist", "Romantic", "Edgy", "Preppy", "Bohemian", "Sporty", "Classic", "Streetwear", "Coastal",
    "Cottagecore", "Dark Academia",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """What the vocabulary knows of a mood."""

    name: str
    primary: str
    description: str
    aliases: tuple[str, ...] = ()
    """Other names: each names the mood wherever dress is spoken of."""
    also: tuple[str, ...] = ()
    """Names that mean it only where a mood is being named: in running text they are everyday words."""
    styled: tuple[str, ...] = ()
    """Words that mean the mood only of clothes."""
    telling: tuple[str, ...] = ()
    """What is worn in this mood and hardly in another."""
    name_is: str = "named"
    """What the name itself counts as in running text: `named`, `styled` or `faint`."""
    signals: Signals = field(default_factory=Signals)

    @property
    def id(self) -> str:
        """The id of its document."""
        return slug(self.name)


@cache
def vocabulary() -> Mapping[str, Entry]:
    """Every mood of the vocabulary by its id, primary ones before their sub-moods."""
    entries = []
    for table in tables("vocabulary.toml")["mood"]:
        entries.append(_entry(table, table["name"]))
        entries += [_entry(sub, table["name"]) for sub in table.get("sub", ())]
    return {entry.id: entry for entry in entries}


def tables(name: str) -> dict[str, Any]:
    """A data file of this package."""
    return tomllib.loads((Path(__file__).parent / name).read_text(encoding="utf-8"))


def slug(name: str) -> str:
    """A name as an id: `Dark Academia` becomes `dark-academia`."""
    return "-".join(folding.words(name))


def _entry(table: Mapping[str, Any], primary: str) -> Entry:
    return Entry(
        name=table["name"],
        primary=primary,
        description=table["description"],
        aliases=tuple(table.get("aliases", ())),
        also=tuple(table.get("also", ())),
        styled=tuple(table.get("styled", ())),
        telling=tuple(table.get("telling", ())),
        name_is=table.get("name_is", "named"),
        signals=Signals(**{facet: tuple(table.get(facet, ())) for facet in FACETS}),
    )
