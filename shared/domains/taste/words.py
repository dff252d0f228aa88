"""What an item's own fields and words say."""

from __future__ import annotations

from collections.abc import Iterator

from shared.domains.taste.feedback import Item
from shared.domains.taste.findings import Findings, found, merge
from shared.domains.taste.lexicon import Lexicon, lexicon

TITLE_WEIGHT = 0.8
DESCRIPTION_WEIGHT = 0.4
"""A description names much that the item goes with, and is not."""


def analyse_words(item: Item, lexicons: Lexicon | None = None) -> Findings:
    """Read an item: its fields count in full, words of its title and keywords less, of its description least."""
    known = lexicons or lexicon()
    return merge((found("item", _fields(item, known)), found("words", _texts(item, known))))


def _fields(item: Item, known: Lexicon) -> Iterator[tuple[str, str, float]]:
    for facet, content in (("brand", item.brand), ("occasion", item.occasion)):
        if content:
            yield facet, known.known(facet, content), 1.0
    # Category and size are the shop's own terms: they are folded, and not translated into anybody else's.
    for facet, content in (("category", item.category), ("size", item.size)):
        if content:
            yield facet, _own_term(content), 1.0
    for colour in item.colours:
        yield "colour", known.known("colour", colour), 1.0
    for facet, value in known.find(item.category or ""):
        if facet == "garment":
            yield facet, value, 1.0


def _own_term(content: str) -> str:
    """Fold case and spaces only: `10.5` and `105` are two sizes, and `W32/L34` is one."""
    return " ".join(content.casefold().split())[:60]


def _texts(item: Item, known: Lexicon) -> Iterator[tuple[str, str, float]]:
    for content in (item.title or "", *item.keywords):
        yield from ((facet, value, TITLE_WEIGHT) for facet, value in known.find(content))
    yield from ((facet, value, DESCRIPTION_WEIGHT) for facet, value in known.find(item.description or ""))
