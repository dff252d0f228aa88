"""Summaries, keywords and categories without a model: by the words of the text itself. All of this runs in the sandbox."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from shared import folding
from shared.domains.pipelines.executors.fields import Data
from shared.domains.pipelines.executors.texts import plain, sentences, stop_words, words

LENGTHS = {"brief": 1, "short": 3, "medium": 6, "detailed": 12}
"""Sentences of a summary."""
_MOST_SENTENCES = 3000
_LEAST_WORDS, _MOST_WORDS = 4, 60
_MOST_PHRASE = 4


def summary(text: str, length: str, style: str, focus: str, with_facts: bool) -> str:
    """The sentences that say most of a text, in its order.

    A sentence counts by how usual its words are in the text, without those that say nothing; by how early it stands; and more where it names a figure or what the
    summary is to be about. One that repeats what is chosen already counts less.
    """
    found = [each for _, each in sentences(text)][:_MOST_SENTENCES]
    candidates = [
        each for each in found if _LEAST_WORDS <= len(words(each)) <= _MOST_WORDS and not each.startswith(("|", "#"))
    ] or found
    telling = [
        [word for each in words(one) if (word := plain(each)) not in stop_words() and len(word) > 2]
        for one in candidates
    ]
    usual = Counter(word for one in telling for word in set(one))
    wanted = {plain(word) for word in words(focus)} - stop_words()
    scores = [
        _score(place, telling[place], usual, wanted, with_facts and _has_figure(one))
        for place, one in enumerate(candidates)
    ]
    chosen = _apart(scores, telling, LENGTHS[length])
    lines = [" ".join(candidates[place].split()).lstrip("-*• ") for place in sorted(chosen)]
    return "\n".join(f"- {line}" for line in lines) if style == "bullet_points" else " ".join(lines)


def _has_figure(sentence: str) -> bool:
    return any(each.isdigit() for each in sentence)


def _score(place: int, telling: Sequence[str], usual: Mapping[str, int], wanted: set[str], figure: bool) -> float:
    if not telling:
        return 0.0
    weight = math.fsum(math.log1p(usual[word]) for word in set(telling)) / math.sqrt(len(telling) + 3)
    return (
        weight * (1.0 + 0.6 / (1 + place)) * (1.15 if figure else 1.0) * (1.0 + 8.0 * len(wanted.intersection(telling)))
    )


def _apart(scores: Sequence[float], telling: Sequence[Sequence[str]], count: int) -> list[int]:
    """The best, each time without what is said already."""
    left = dict(enumerate(scores))
    said: set[str] = set()
    chosen: list[int] = []
    while left and len(chosen) < count:
        best = max(left, key=lambda place: left[place] * _fresh(telling[place], said))
        chosen.append(best)
        said.update(telling[best])
        del left[best]
    return chosen


def _fresh(telling: Sequence[str], said: set[str]) -> float:
    return 1.0 - 0.7 * len(said.intersection(telling)) / len(set(telling)) if telling else 1.0


def keywords(text: str, most: int, sort: str, least_letters: int, ranking: str) -> list[tuple[str, float]]:
    """The words and phrases that a text is about, each with a score from 0 to 1, the best first.

    Phrases are runs of words between those that say nothing. A term counts by how often it comes, by how early, and by how much the words of a phrase keep to each
    other; `frequency` counts how often it comes alone.
    """
    counts: Counter[str] = Counter()
    first: dict[str, int] = {}
    shown: dict[str, Counter[str]] = {}
    alone: Counter[str] = Counter()
    for place, run in enumerate(_runs(text)):
        for term in _terms(run, sort):
            key = " ".join(folding.stem(plain(each)) for each in term)
            if len(term) == 1 and (len(term[0]) < least_letters or term[0].isdigit()):
                continue
            counts[key] += 1
            first.setdefault(key, place)
            shown.setdefault(key, Counter())[" ".join(term)] += 1
        alone.update(folding.stem(plain(each)) for each in run)
    kept = {key for key, count in counts.items() if " " not in key or count > 1} or set(counts)
    scores = {key: _term_score(key, counts, alone, first[key], ranking) for key in kept}
    ranked = sorted(scores, key=lambda key: (-scores[key], first[key]))
    best = scores[ranked[0]] if ranked else 1.0
    return [(_spelled(shown[key]), round(scores[key] / best, 3)) for key in _without_parts(ranked, counts)[:most]]


def _runs(text: str) -> Iterator[list[str]]:
    for _, sentence in sentences(text):
        for part in re.split(r"[^\w\s'\u2019\-]+|\s[-\u2013]\s", sentence):
            run: list[str] = []
            for word in words(part):
                if plain(word) in stop_words() or len(word) < 2:
                    if run:
                        yield run
                    run = []
                else:
                    run.append(re.sub(r"['\u2019]s$", "", word))
            if run:
                yield run


def _terms(run: Sequence[str], sort: str) -> Iterator[Sequence[str]]:
    if sort != "phrases":
        yield from ([word] for word in run)
    if sort != "single_words":
        for size in range(2, min(len(run), _MOST_PHRASE) + 1):
            yield from (run[at : at + size] for at in range(len(run) - size + 1))


def _term_score(key: str, counts: Mapping[str, int], alone: Mapping[str, int], place: int, ranking: str) -> float:
    parts = key.split()
    if ranking == "frequency":
        return float(counts[key])
    early = 1.0 + 1.0 / (1 + place / 10)
    together = counts[key] / max(1, *(alone[part] for part in parts)) if len(parts) > 1 else 0.5
    letters = min(1.0, len(key) / 8)
    return (1 + math.log(counts[key])) * early * (0.5 + together) * (1 + 0.5 * (len(parts) - 1)) * letters


def _spelled(spellings: Counter[str]) -> str:
    """As it is spelled most often; without the capital that a sentence begins with, where it is written small too."""
    best = spellings.most_common(1)[0][0]
    return best.lower() if best.lower() in spellings else best


def _without_parts(ranked: Sequence[str], counts: Mapping[str, int]) -> list[str]:
    """Terms that do not just repeat a better one: `York` beside `New York`."""
    kept: list[str] = []
    for key in ranked:
        held = any(f" {key} " in f" {other} " and counts[key] <= counts[other] * 1.5 for other in kept)
        holds = any(f" {other} " in f" {key} " and counts[other] > counts[key] * 3 for other in kept)
        if not held and not holds:
            kept.append(key)
    return kept


def categories(text: str, names: Sequence[str], descriptions: Mapping[str, str]) -> list[Data]:
    """How far a text is about each category, by the words of its name and description: the best first, shares that add up to 1 or less."""
    said = Counter(folding.stem(word) for word in folding.words(text[:100_000]))
    total = sum(said.values()) or 1
    scores: dict[str, float] = {}
    for name in names:
        telling = _telling(f"{name} {name} {descriptions.get(name, '')}")
        hits = {word: said[word] for word in telling if said[word]}
        scores[name] = math.fsum(
            telling[word] * math.log1p(1000 * count / total) for word, count in hits.items()
        ) / math.sqrt(len(telling) or 1)
    whole = math.fsum(scores.values())
    found = [
        {"name": name, "confidence": round(score / (whole + 0.5), 3), "words": sorted(_telling(f"{name} {descriptions.get(name, '')}").keys() & said.keys())}
        for name, score in scores.items()
    ]  # fmt: skip
    return sorted(found, key=lambda each: -float(str(each["confidence"])))


def _telling(text: str) -> Counter[str]:
    parts: Iterable[str] = (word for word in folding.words(text.replace("_", " ")) if word not in stop_words())
    return Counter(folding.stem(word) for word in parts)
