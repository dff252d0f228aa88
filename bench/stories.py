"""What the analyser of stories makes of sentences that were marked by hand, and what the grammar's stories are like.

    python dev.py bench stories

The treebanks (Universal Dependencies) are read as they are: a lemma is right where it is the treebank's, letter by letter. Left out
are punctuation, numbers, symbols, names and what is marked as foreign. `given`: every word by itself, as the treebank cut it, with
nothing known but whether it is the first of its sentence. `raw`: from the sentence's text, where a word that is cut otherwise is
wrong; parts of a contraction (*du* = *de* + *le*) have no place of their own in the text, and are not counted there. A sentence is
right where it comes out of the splitter as one.
"""

from __future__ import annotations

import asyncio
import gzip
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from shared.domains.stories.analysis.lemmas import LemmaAnalyser, lemma_of
from shared.domains.stories.analysis.sentences import sentences_of
from shared.domains.stories.analysis.tokens import pieces
from shared.domains.stories.generation.grammar_generator import GrammarGenerator
from shared.domains.stories.languages import Genre, Language, Level
from shared.domains.stories.ports import Brief

TREEBANKS = "treebanks"
LANGUAGES = ("en", "fr", "es", "de")
_LEFT_OUT = frozenset({"PUNCT", "NUM", "PROPN", "SYM", "X", "_"})
_STORIES = 60


class Marked(NamedTuple):
    """A word as it was marked; `start`: where it stands in the text, None for a part of a contraction."""

    form: str
    lemma: str
    start: int | None
    first: bool


@dataclass
class _Tally:
    given: int = 0
    given_right: int = 0
    raw: int = 0
    raw_right: int = 0
    sentences: int = 0
    whole: int = 0


def measure(data: Path) -> dict[str, float]:
    """All figures."""
    return lemmas(data) | {f"stories_within_{level.lower()}": asyncio.run(_within(level)) for level in Level}


def lemmas(data: Path) -> dict[str, float]:
    """The figures of each language's treebank."""
    figures: dict[str, float] = {}
    began, words = time.perf_counter(), 0
    for language in LANGUAGES:
        tally = _Tally()
        for text, marked in sentences(data / TREEBANKS / f"{language}.tsv.gz"):
            _count(tally, text, marked, language)
        words += tally.given + tally.raw
        figures |= {
            f"stories_{language}_lemmas_given": tally.given_right / tally.given,
            f"stories_{language}_lemmas_raw": tally.raw_right / tally.raw,
            f"stories_{language}_sentences": tally.whole / tally.sentences,
        }
    figures["stories_words_per_second"] = words / (time.perf_counter() - began)
    return figures


def sentences(path: Path) -> Iterator[tuple[str, list[Marked]]]:
    """The sentences of a treebank with the words that count."""
    content = gzip.decompress(path.read_bytes()).decode()
    for block in content.strip().split("\n\n"):
        head, *rows = block.splitlines()
        text = head.removeprefix("# text = ")
        yield text, list(_marked(text, [row.split("\t") for row in rows]))


def _marked(text: str, rows: list[list[str]]) -> Iterator[Marked]:
    inside: set[int] = set()
    at, first = 0, True
    for number, form, lemma, pos in rows:
        part = "-" not in number and int(number) in inside
        start = None if part else text.index(form, at)
        at = at if start is None else start + len(form)
        if "-" in number:
            begin, end = map(int, number.split("-"))
            inside |= set(range(begin, end + 1))
        elif pos not in _LEFT_OUT:
            yield Marked(form, lemma, start, first)
        first = first and ("-" in number or not re.search(r"[^\W\d_]", form))


def _count(tally: _Tally, text: str, marked: list[Marked], language: str) -> None:
    cut = {(piece.start, piece.end) for piece in pieces(text, language)}
    for word in marked:
        right = lemma_of(word.form, language, first=word.first) == word.lemma
        tally.given += 1
        tally.given_right += right
        if word.start is not None:
            tally.raw += 1
            tally.raw_right += right and (word.start, word.start + len(word.form)) in cut
    tally.sentences += 1
    tally.whole += sentences_of(text, language) == [text]


async def _within(level: Level) -> float:
    """The share of the words of the grammar's stories that somebody at a level is taken to know."""
    known = total = 0
    for language in map(Language, LANGUAGES):
        for number in range(_STORIES):
            brief = Brief(
                story_seed=str(number), seed="1", language=language, native_language=Language.ENGLISH, level=level,
                genre=list(Genre)[number % len(Genre)], number=1, length=3,
            )  # fmt: skip
            draft = await GrammarGenerator().generate(brief)
            analyser = LemmaAnalyser()
            found = analyser.analyse(analyser.sentences(draft.text, language), language, level)
            words = [token for sentence in found.sentences for token in sentence.tokens if token.lemma]
            total += len(words)
            known += sum(not token.rare for token in words)
    return known / total
