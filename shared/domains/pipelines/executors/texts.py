"""What the embedded analysers share: sentences and words of a text, and the words that say nothing of it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

LONGEST = 400_000
"""Characters of a text that are analysed."""
_END = re.compile(
    r"(?<=[.!?\u2026])[\"'»”)\]]*\s+(?=[\"'«“(\[]*[^\W_a-zß-ÿ])|(?<=[\u3002\uff01\uff1f])|\n\s*\n|\n(?=\s*(?:[-*\u2022#|]|\d+[.)])\s)"
)
_SHORTENED = re.compile(
    r"(?:^|[\s(\"'“])(?:[A-Za-zÀ-ÿ]|Mr|Mrs|Ms|Dr|Prof|Sr|Jr|St|vs|etc|Inc|Ltd|Co|Corp|Fig|No|Vol|pp|approx|e\.g|i\.e|z\.B|d\.h|bzw|Nr|usw|Mme|M|Sra|Gen|Gov|Sen|Rep|Jan|Feb|Mar|Apr|Aug|Sept|Oct|Nov|Dec)\.$"
)
_WORD = re.compile(r"[^\W_]+(?:['\u2019\-][^\W_]+)*")


def sentences(text: str) -> Iterator[tuple[int, str]]:
    """The sentences of a text, each with its offset. A line of a list, a heading and a row of a table are sentences of their own."""
    start = 0
    for found in _END.finditer(text[:LONGEST]):
        if "\n\n" not in found[0] and _SHORTENED.search(text[max(start, found.start() - 12) : found.start()]):
            continue
        yield from _whole(text, start, found.end())
        start = found.end()
    yield from _whole(text, start, min(len(text), LONGEST))


def _whole(text: str, start: int, end: int) -> Iterator[tuple[int, str]]:
    part = text[start:end]
    bare = part.strip()
    if bare:
        yield start + len(part) - len(part.lstrip()), bare


def words(text: str) -> list[str]:
    """The words of a text, as they are written."""
    return _WORD.findall(text)


def plain(word: str) -> str:
    """A word in small letters, without what follows an apostrophe."""
    return word.casefold().replace("\u2019", "'").removesuffix("'s")


@cache
def stop_words() -> frozenset[str]:
    """Words that say nothing of a subject, in all languages that are known."""
    return frozenset(word for listed in tables()["stop"].values() for word in listed.split())


@cache
def listed(*path: str) -> frozenset[str]:
    """A list of words: `listed("feeling", "positive")`."""
    found: Any = tables()
    for name in path:
        found = found[name]
    return frozenset(str(found).split())


@cache
def tables() -> dict[str, Any]:
    """All lists of words."""
    return tomllib.loads((Path(__file__).parent / "words.toml").read_text(encoding="utf-8"))
