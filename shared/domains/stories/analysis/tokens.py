# ruff: noqa: RUF001  apostrophes, as they are printed
"""Words, numbers and signs of a sentence, cut as Universal Dependencies cuts them where a learner would too.

English *don't* is *do* and *n't*, French *l'eau* is *l'* and *eau*, *as-tu* is *as* and *-tu*. What two words have become one
(*du*, *del*, *zum*) stays one: a reader taps on what is printed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple


class Piece(NamedTuple):
    """A word, number or sign, and where it stands in its sentence."""

    start: int
    end: int
    text: str

    @property
    def word(self) -> bool:
        """Whether it has a letter."""
        return any(char.isalpha() for char in self.text)


_NUMBER = r"\d+(?:[.,:/]\d+)*"
_URL = r"(?:https?://|www\.)\S+"
_WORD = r"[^\W\d_]+(?:[’'.&@-]?[^\W_]+)*"
_ABBREVIATED = r"(?:[^\W\d_]\.){2,}"
_ENGLISH = re.compile(
    rf"{_URL}|{_ABBREVIATED}|(?:(?!\w*n[’']t\b)[^\W\d_]+|[^\W\d_]+?(?=n[’']t\b))(?:[.&@-][^\W_]+)*|n[’']t\b|[’'](?:s|m|re|ve|ll|d)\b|{_NUMBER}|\S",
    re.IGNORECASE,
)
_FRENCH = re.compile(
    rf"{_URL}|{_ABBREVIATED}|aujourd[’']hui|quelqu[’']une?|d[’']accord|"
    r"(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu)[’']|"
    r"-(?:t-)?(?:je|tu|ils?|elles?|on|nous|vous|moi|toi|lui|leur|les?|la|en|y|ce|ci|là)\b|"
    r"[^\W\d_]+(?:-(?!(?:t-)?(?:je|tu|ils?|elles?|on|nous|vous|moi|toi|lui|leur|les?|la|en|y|ce|ci|là)\b)[^\W\d_]+|[’'](?=[^\W\d_])(?![^\W\d_]*$)[^\W\d_]+)*|"
    rf"{_NUMBER}|\S",
    re.IGNORECASE,
)
_OTHERS = re.compile(rf"{_URL}|{_ABBREVIATED}|{_NUMBER}(?![^\W\d_])|{_WORD}|{_NUMBER}|\S")
_PATTERNS = {"en": _ENGLISH, "fr": _FRENCH}


@cache
def _pattern(language: str) -> re.Pattern[str]:
    return _PATTERNS.get(language, _OTHERS)


def pieces(sentence: str, language: str) -> Iterator[Piece]:
    """Cut a sentence; nothing but space is left out."""
    for found in _pattern(language).finditer(sentence):
        yield Piece(found.start(), found.end(), found[0])
