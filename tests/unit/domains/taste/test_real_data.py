"""Real input: a shop's catalogue through the words, a rental service's feedback through the profiles."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pytest

from bench import default_data
from bench import taste as bench
from shared.domains.taste.feedback import Item
from shared.domains.taste.lexicon import lexicon
from shared.domains.taste.words import analyse_words

CATALOGUE = Path("catalogue") / "styles.csv.gz"
WORN = ("Apparel", "Accessories", "Footwear")


def _real(path: Path) -> Path:
    found = default_data() / path
    if not found.is_file():
        pytest.skip(f"no real input at {found}; set NIGHTSHIFT_DATA")
    return found


def test_titles_of_a_real_catalogue_name_colours_and_garments() -> None:
    """Every fifth product: what its title says is compared with what the shop's own columns say."""
    known = lexicon()
    with gzip.open(_real(CATALOGUE), "rt", encoding="utf-8", newline="") as source:
        rows = [row for row in csv.DictReader(source) if row["masterCategory"] in WORN][::5]
    named = right = garments = 0
    for row in rows:
        facets = analyse_words(Item(title=row["productDisplayName"], category=row["articleType"])).facets
        garments += "garment" in facets
        named += "colour" in facets
        right += known.known("colour", row["baseColour"]) in facets.get("colour", {})
    assert len(rows) > 8000
    assert garments / len(rows) > 0.99
    assert named / len(rows) > 0.95
    assert right / named > 0.95


@pytest.mark.slow
def test_profiles_predict_what_users_did_next() -> None:
    figures = bench.measure(_real(bench.DATA))
    assert bench.short_of(figures) == []
    assert figures["taste_users"] > 10_000
    assert figures["taste_seconds"] < 60
