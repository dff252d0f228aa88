"""Sentiment by a lexicon: English words that speak well or badly of something. All of this runs in the sandbox."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from shared import folding
from shared.domains.pipelines.executors.fields import Data
from shared.domains.pipelines.executors.texts import listed, sentences, tables

_REACH = 3
"""Words before a feeling in which a negation, or what makes it stronger, counts."""
_NEUTRAL, _VERY = 0.12, 0.55
_SLOPE = 1.2


class Feeling(NamedTuple):
    """What a text feels like."""

    score: float
    """From -1 to 1."""
    hits: int
    """Words that say so."""


def feeling_of(text: str) -> Feeling:
    """The feeling of a text: its words' balance, -1 to 1; what stands behind `but` counts more."""
    total, hits = 0.0, 0
    for _, sentence in sentences(text):
        clauses = re.split(r"\b(?:but|however|yet)\b", sentence, flags=re.IGNORECASE)
        for place, clause in enumerate(clauses):
            weight = 1.5 if place else 1.0 if len(clauses) == 1 else 0.7
            scored = _scores(folding.words(clause))
            total += weight * math.fsum(scored)
            hits += len(scored)
    return Feeling(round(math.tanh(total / (_SLOPE + 0.6 * hits)), 4), hits)


def _scores(words: Sequence[str]) -> list[float]:
    found = []
    for place, word in enumerate(words):
        value = _values().get(word)
        if value is None:
            continue
        before = words[max(0, place - _REACH) : place]
        value *= 1.5 if _in(before, "stronger") else 0.6 if _in(before, "weaker") else 1.0
        found.append(-0.8 * value if _in(before, "negations") else value)
    return found


def _in(words: Sequence[str], name: str) -> bool:
    return not listed("feeling", name).isdisjoint(words)


@cache
def _values() -> dict[str, float]:
    return {**dict.fromkeys(listed("feeling", "negative"), -1.0), **dict.fromkeys(listed("feeling", "positive"), 1.0)}


def label_of(score: float, scale: str) -> str:
    """The word for a score."""
    if abs(score) < _NEUTRAL:
        return "neutral"
    side = "positive" if score > 0 else "negative"
    return f"very {side}" if scale == "5-point" and abs(score) >= _VERY else side


def told(feeling: Feeling, scale: str) -> Data:
    """A feeling as results have it. Sure is what many words say, and clearly; that nothing says anything is not."""
    label = label_of(feeling.score, scale)
    clear = abs(feeling.score) if label != "neutral" else 1 - abs(feeling.score) / _NEUTRAL
    sure = round(min(0.95, 0.3 + 0.35 * clear + 0.3 * (1 - math.exp(-feeling.hits / 4))), 3) if feeling.hits else 0.3
    return {"sentiment": label, "score": feeling.score, "confidence": sure}


def sentiment(text: str, granularity: str, scale: str, aspects: Sequence[str], with_emotions: bool) -> Data:
    """What a text feels like as a whole, sentence by sentence, or about something."""
    whole = feeling_of(text)
    overall: Data = told(whole, scale)
    if with_emotions:
        overall["emotions"] = emotions_in(text)
    overall["explanation"] = f"{whole.hits} words of the lexicon"
    if granularity == "sentence":
        return {
            "sentences": [{"text": each, **told(feeling_of(each), scale)} for _, each in sentences(text)][:1000],
            "overall": overall,
        }
    if granularity == "aspect":
        return {
            "aspects": {aspect: told(feeling_of(_about(text, aspect)), scale) for aspect in aspects},
            "overall": overall,
        }
    return overall


def _about(text: str, aspect: str) -> str:
    wanted = {folding.stem(word) for word in folding.words(aspect)}
    return " ".join(
        each for _, each in sentences(text) if wanted <= {folding.stem(word) for word in folding.words(each)}
    )


def emotions_in(text: str) -> list[str]:
    """The emotions that are spoken of, the strongest first."""
    words = folding.words(text)
    counts = {name: sum(word in _emotion(name) for word in words) for name in tables()["feeling"]["emotions"]}
    return [name for name, count in sorted(counts.items(), key=lambda each: -each[1]) if count]


@cache
def _emotion(name: str) -> frozenset[str]:
    return listed("feeling", "emotions", name)
