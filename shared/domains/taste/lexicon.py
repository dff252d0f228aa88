"""The lexicons: which words name which value of which facet, and how a colour looks.

A file of `lexicon/` is a facet. A line is `value = synonym, synonym`; a colour may carry how it looks, as
`value #rrggbb = synonym`. What follows `#` and a space is a comment.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from shared import folding

_FILES = ("style", "colour", "garment", "occasion", "brand", "pattern", "material")
_LINE = re.compile(r"^(?P<value>[^=#]+?)\s*(?:#(?P<rgb>[0-9a-f]{6}))?\s*(?:=\s*(?P<synonyms>.*))?$")

Phrase = tuple[str, ...]
RGB = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """All lexicons together, ready for matching."""

    phrases: dict[Phrase, tuple[tuple[str, str], ...]]
    """What a phrase of folded words means: facet and value, or several."""
    values: dict[str, tuple[str, ...]]
    """The values of each facet."""
    colours: dict[str, RGB]
    """How colours look."""
    longest: int

    def find(self, content: str) -> list[tuple[str, str]]:
        """Every facet and value named in a text, in order. At each word the longest phrase wins and is consumed."""
        folded = [folding.stem(word) for word in folding.words(content)]
        found: list[tuple[str, str]] = []
        at = 0
        while at < len(folded):
            length, meanings = self._longest_at(folded, at)
            found.extend(meanings)
            at += length
        return found

    def known(self, facet: str, content: str) -> str:
        """The value a field's whole text stands for, or the text itself, folded, where the lexicon has no such word."""
        phrase = tuple(folding.stem(word) for word in folding.words(content))
        for named, value in self.phrases.get(phrase, ()):
            if named == facet:
                return value
        return folding.value(content)

    def _longest_at(self, folded: list[str], at: int) -> tuple[int, tuple[tuple[str, str], ...]]:
        for length in range(min(self.longest, len(folded) - at), 0, -1):
            meanings = self.phrases.get(tuple(folded[at : at + length]))
            if meanings:
                return length, meanings
        return 1, ()


@cache
def lexicon() -> Lexicon:
    """Read the lexicons, once per process, on first use."""
    phrases: dict[Phrase, tuple[tuple[str, str], ...]] = {}
    values: dict[str, tuple[str, ...]] = {}
    colours: dict[str, RGB] = {}
    for facet in _FILES:
        names = []
        for value, rgb, synonyms in _entries(facet):
            names.append(value)
            if rgb:
                colours[value] = (int(rgb[0:2], 16), int(rgb[2:4], 16), int(rgb[4:6], 16))
            for synonym in dict.fromkeys((value, *synonyms)):
                phrase = tuple(folding.stem(word) for word in folding.words(synonym))
                phrases[phrase] = tuple(dict.fromkeys((*phrases.get(phrase, ()), (facet, value))))
        values[facet] = tuple(names)
    return Lexicon(phrases, values, colours, max(map(len, phrases)))


def _entries(facet: str) -> list[tuple[str, str | None, list[str]]]:
    source = (Path(__file__).parent / "lexicon" / f"{facet}.txt").read_text(encoding="utf-8")
    entries = []
    for raw in source.splitlines():
        line = raw.split("# ")[0].strip()
        match = _LINE.match(line)
        if line and match:
            synonyms = [part.strip() for part in (match["synonyms"] or "").split(",") if part.strip()]
            entries.append((match["value"], match["rgb"], synonyms))
    return entries
