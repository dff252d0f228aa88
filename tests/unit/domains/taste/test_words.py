"""Reading an item's fields and words."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared import folding
from shared.domains.taste.feedback import Item
from shared.domains.taste.lexicon import lexicon
from shared.domains.taste.words import analyse_words


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("Navy-Blue STRIPED T-Shirts", [("colour", "navy"), ("pattern", "striped"), ("garment", "t-shirt")]),
        ("rose gold cufflinks", [("colour", "rose gold"), ("garment", "cufflinks")]),
        ("dresses, hoodies & scarves", [("garment", "dress"), ("garment", "hoodie"), ("garment", "scarf")]),
        ("a blue blouse, two blouses", [("colour", "blue"), ("garment", "blouse"), ("garment", "blouse")]),
        ("sundress for weddings", [("garment", "dress"), ("occasion", "wedding")]),
        ("Lévi's jeans", [("brand", "levis"), ("garment", "jeans")]),
        ("undressed redshirt", []),
        ("", []),
        ("赤いドレス", []),
    ],
)
def test_words_are_found_whole_and_longest_first(content: str, expected: list[tuple[str, str]]) -> None:
    assert lexicon().find(content) == expected


def test_fields_count_in_full_titles_less_and_descriptions_least() -> None:
    item = Item(
        title="Floral silk gown",
        description="Wear it with a leather jacket.",
        brand="Vera  Wang",
        category="Gown",
        colours=["Navy Blue", "Unobtainium"],
        occasion="Gala",
        size="10.5",
        keywords=["elegant"],
    )
    findings = analyse_words(item)
    assert findings.facets == {
        "occasion": {"formal affair": 1.0},
        "size": {"10.5": 1.0},
        "category": {"gown": 1.0},
        "garment": {"gown": 1.0, "jacket": 0.4},
        "style": {"elegant": 0.8},
        "colour": {"navy": 1.0, "unobtainium": 1.0},
        "brand": {"vera wang": 1.0},
        "pattern": {"floral": 0.8},
        "material": {"silk": 0.8, "leather": 0.4},
    }
    assert findings.sources["brand"] == ["item"]
    assert findings.sources["garment"] == ["item", "words"]


def test_sizes_that_look_alike_stay_apart() -> None:
    sizes = {
        next(iter(analyse_words(Item(size=size)).facets["size"])) for size in ("10.5", "105", "W32/L34", "w32 l34")
    }
    assert len(sizes) == 4


def test_nothing_known_is_nothing_found() -> None:
    assert analyse_words(Item()).facets == {}


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_can_be_read(content: str) -> None:
    item = Item.model_construct(
        title=content, description=content, brand=content, category=content, colours=[content], occasion=content,
        size=content, keywords=[content],
    )  # fmt: skip
    for values in analyse_words(item).facets.values():
        assert all(value and len(value) <= 60 and 0 < weight <= 1 for value, weight in values.items())


@settings(deadline=None)
@given(st.sampled_from(sorted(lexicon().phrases)))
def test_every_phrase_of_the_lexicons_can_be_found(phrase: tuple[str, ...]) -> None:
    expected = lexicon().phrases[phrase]
    assert set(expected) <= set(lexicon().find(" ".join(phrase)))


@settings(deadline=None)
@given(st.from_regex(r"[a-z]{3,12}", fullmatch=True))
def test_a_plural_folds_to_its_singular(word: str) -> None:
    if not word.endswith(("s", "x", "z", "h", "sse", "she", "che", "xe", "ze")):
        assert folding.stem(f"{word}s") == folding.stem(word)


def test_lexicons_are_sound() -> None:
    known = lexicon()
    assert {facet: len(set(values)) for facet, values in known.values.items()} == {
        facet: len(values) for facet, values in known.values.items()
    }
    assert len(known.colours) >= 30
    assert known.longest <= 5
    for facet, values in known.values.items():
        assert all(known.known(facet, value) == value for value in values), facet
