"""The embedded extractor: finds moods by the words of the vocabulary, in texts that are about dress.

Most of these words have another life: a classic may be a car, an edgy thing a comedy. So a text counts only if it speaks of
dress at all, and an everyday word only next to a garment (or in a headline about dress, of a source that is about it). What is worn in one mood and hardly in another counts as well.
The weights add up as chances do: two hints that are worth a half each are worth three quarters together.
"""

from __future__ import annotations

import asyncio
import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache

from shared import folding
from shared.domains.moods.model import FACETS, Signals
from shared.domains.moods.ports import Article, Finding, Findings
from shared.domains.moods.vocabulary import Entry, slug, tables, vocabulary

Phrase = tuple[str, ...]

LEAST = 0.5
"""The least weight with which an article supports a mood."""
_WEIGHTS = {"named": (0.95, 0.45), "styled": (0.7, 0.35), "faint": (0.45, 0.25), "telling": (0.45, 0.25)}
"""What a hint is worth in the title or a short text, and in a long one. What is worn is not enough alone."""
_ADDRESS = re.compile(r"https?://\S+|www\.\S+|\br/\w+|\b[\w-]+\.(?:com|net|org|co\.uk)\b\S*", re.IGNORECASE)
_SENTENCE = re.compile(r"[.!?;:|()\[\]\"\n\u2026\u201c\u201d]+|\s[-\u2013\u2014]+\s")
_SHORT = 60
"""Words of a text that is as good as a title: a single garment makes it one about dress."""
_REACH = 2
"""Words that may stand between an everyday word and the garment that it is said of."""
_LONGEST_TEXT = 10_000
"""Characters of a text that are read."""


@dataclass(frozen=True, slots=True)
class _Meaning:
    mood: str
    kind: str
    """`named`, `styled`, `faint`, `telling` or a facet."""
    value: str


@dataclass(frozen=True, slots=True)
class _Words:
    """The vocabulary, ready for matching."""

    meanings: Mapping[Phrase, tuple[_Meaning, ...]]
    dress: frozenset[Phrase]
    """Garments and words of fashion."""
    weak: frozenset[Phrase]
    negations: frozenset[str]
    tags: tuple[str, ...]
    longest: int


@dataclass(slots=True)
class _Tally:
    """What one article shows, and whether it is about dress."""

    doubts: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    """For each mood and each hint, the chance that it is not meant."""
    signals: dict[str, dict[str, dict[str, None]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(dict))
    )
    """What each mood's look is named of, by facet."""
    dress: set[Phrase] = field(default_factory=set)
    in_title: bool = False
    dress_words: int = 0
    weak: set[Phrase] = field(default_factory=set)
    words: int = 0


class LexiconExtractor:
    """Reads articles by the vocabulary, on a thread of its own."""

    batch = 100
    at_once = 1
    most: int | None = None

    async def extract(self, articles: Sequence[Article]) -> list[Findings]:
        """Return what was found in each article."""
        return await asyncio.to_thread(lambda: [read(article) for article in articles])


def read(article: Article) -> Findings:
    """The moods of one article, the clearest first."""
    tally, words = _Tally(), _words()
    tagged = any(tag in each for each in article.tags for tag in words.tags)
    title, body = _sentences(_headline(article.title)), _sentences(article.text[:_LONGEST_TEXT])
    short = sum(map(len, (*title, *body))) <= _SHORT
    loose = tagged and any(_dress_in(sentence, words) for sentence in title)
    for sentence in title:
        _take(tally, words, sentence, prominent=True, loose=loose)
    tally.in_title = bool(tally.dress)
    for sentence in body:
        _take(tally, words, sentence, prominent=short)
    if not _about_dress(tally, tagged):
        return ()
    found = (_finding(tally, mood) for mood in tally.doubts)
    return tuple(sorted((one for one in found if one.weight >= LEAST), key=lambda one: (-one.weight, one.name)))


def _finding(tally: _Tally, mood: str) -> Finding:
    entry = vocabulary()[mood]
    weight = 1.0 - math.prod(tally.doubts[mood].values())
    look = tally.signals[mood] or tally.signals[slug(entry.primary)]
    return Finding(
        entry.name, entry.primary, round(weight, 3), Signals(**{facet: tuple(look[facet]) for facet in look})
    )


def _about_dress(tally: _Tally, tagged: bool) -> bool:
    """Whether the article speaks of dress: its source says so, or its words do."""
    if tally.words <= _SHORT:
        return bool(tally.dress) or (tagged and bool(tally.weak))
    enough = len(tally.dress) >= (2 if tagged or tally.in_title else 3)
    return enough and (tagged or tally.dress_words >= 0.015 * tally.words)


def _sentences(content: str) -> list[list[str]]:
    """Sentence by sentence its folded words, without addresses: what a site is called says nothing of the article."""
    content = _ADDRESS.sub(" ", content)
    return [[_stem(word) for word in folding.words(sentence)] for sentence in _SENTENCE.split(content)]


def _headline(title: str) -> str:
    """A title without the name of the site, which many put behind a bar."""
    return title.rpartition(" | ")[0] or title


def _dress_in(sentence: list[str], words: _Words) -> list[tuple[int, int]]:
    """Where a sentence speaks of dress, weakly or not."""
    return [span for phrases in (words.dress, words.weak) for span in _spans(sentence, phrases, words.longest)]


def _take(tally: _Tally, words: _Words, sentence: list[str], *, prominent: bool, loose: bool = False) -> None:
    """Add what one sentence says; `loose`: an everyday word counts without a garment beside it."""
    spans = _dress_in(sentence, words)
    spoken = [phrase for at, end in spans if (phrase := tuple(sentence[at:end])) in words.dress]
    tally.words += len(sentence)
    tally.dress_words += len(spoken)
    tally.dress.update(spoken)
    tally.weak.update(tuple(sentence[at:end]) for at, end in spans)
    for at, end in _spans(sentence, words.meanings, words.longest):
        if words.negations.isdisjoint(sentence[max(0, at - 2) : at]):
            for meaning in words.meanings[tuple(sentence[at:end])]:
                _note(tally, meaning, prominent=prominent, beside=loose or _beside(at, end, spans))


def _note(tally: _Tally, meaning: _Meaning, *, prominent: bool, beside: bool) -> None:
    """Take down what a phrase means. A mood that is named again is meant more clearly, once."""
    if meaning.kind in FACETS:
        tally.signals[meaning.mood][meaning.kind].setdefault(meaning.value)
    elif beside or meaning.kind not in ("styled", "faint"):
        doubts = tally.doubts[meaning.mood]
        again = meaning.kind == "named" and meaning.value in doubts
        hint = f"{meaning.value} again" if again else meaning.value
        doubt = 1.0 - _WEIGHTS[meaning.kind][0 if prominent else 1]
        doubts[hint] = min(doubt, doubts.get(hint, 1.0))


def _beside(at: int, end: int, spans: Sequence[tuple[int, int]]) -> bool:
    """Whether something of dress stands right before the words, or soon after them."""
    return any(end <= other <= end + _REACH or other_end == at for other, other_end in spans)


def _spans(
    sentence: list[str], phrases: Mapping[Phrase, object] | frozenset[Phrase], longest: int
) -> Iterator[tuple[int, int]]:
    """Where phrases stand, the longest one at each word."""
    at = 0
    while at < len(sentence):
        ends = range(min(len(sentence), at + longest), at, -1)
        end = next((end for end in ends if tuple(sentence[at:end]) in phrases), None)
        if end is not None:
            yield at, end
        at = end or at + 1


@cache
def _words() -> _Words:
    meanings: dict[Phrase, dict[_Meaning, None]] = defaultdict(dict)
    for mood, entry in vocabulary().items():
        for kind, content in _phrases(entry):
            known = meanings[_phrase(content)]
            if not any((one.mood, one.kind) == (mood, kind) for one in known):  # `preppie` folds to `preppy`
                known[_Meaning(mood, kind, content)] = None
    context = tables("context.toml")
    meanings.update({_phrase(each): {} for each in context["idioms"]})
    dress = frozenset(_phrase(each) for each in (*context["garments"], *context["fashion"]))
    weak = frozenset(_phrase(each) for each in context["weak"]) - dress
    longest = max(map(len, (*meanings, *dress, *weak)))
    negations = frozenset(map(_stem, context["negations"]))
    return _Words({each: tuple(known) for each, known in meanings.items()}, dress, weak, negations, tuple(context["tags"]), longest)  # fmt: skip


def _phrases(entry: Entry) -> Iterator[tuple[str, str]]:
    yield entry.name_is, entry.name
    for kind, phrases in (("named", entry.aliases), ("styled", entry.styled), ("telling", entry.telling)):
        yield from ((kind, phrase) for phrase in phrases if phrase.casefold() != entry.name.casefold())
    for facet in FACETS:
        yield from ((facet, value) for value in entry.signals.of(facet))


def _phrase(content: str) -> Phrase:
    return tuple(map(_stem, folding.words(content)))


@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    return folding.stem(word)
