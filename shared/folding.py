"""Folding text, so that what means the same compares equal."""

from __future__ import annotations

import re
import unicodedata

_WORDS = re.compile(r"\w+")
_APOSTROPHES = str.maketrans("", "", "'\u2019\u02bc`")
_MAX_VALUE = 60


def words(text: str) -> list[str]:
    """Split into words without case, accents, apostrophes and punctuation: `Céline's T-Shirt` -> celines, t, shirt."""
    plain = unicodedata.normalize("NFKD", text.translate(_APOSTROPHES)).casefold()
    return _WORDS.findall("".join(c for c in plain if not unicodedata.combining(c)).replace("_", " "))


def value(text: str) -> str:
    """One field's text as a value of its facet: folded, single spaces, at most 60 characters."""
    return " ".join(words(text))[:_MAX_VALUE].strip()


def stem(word: str) -> str:
    """Fold the plural into the singular. Only good for comparing two words that both went through it."""
    if re.search(r"(ss|sh|ch|x|z)es$", word):
        word = word[:-2]
    elif len(word) > 2 and word.endswith("s") and not word.endswith("ss"):
        word = word[:-1]
    return f"{word[:-2]}y" if word.endswith("ie") else word
