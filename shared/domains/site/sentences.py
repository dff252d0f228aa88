"""Sentences of a plain text, and those of them that say most."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from shared import folding

_END = re.compile(r"(?<=[.!?…])[\"'\u201d\u2019»)\]]*\s+(?=[^a-zß-ÿ\s])|(?<=[\u3002\uff01\uff1f])\s*|\n+")
"""After a full stop and before what may begin a sentence: no small letter."""
_ABBREVIATION = re.compile(
    r"(?:\b(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|Sr|Jr|St|vs|etc|e\.g|i\.e|cf|approx|No|Nos|Inc|Ltd|Co|Corp|Gen|Sen|Rep|Gov|Lt|Col|Capt"
    r"|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec|Mme|Mlle|Nr|bzw|z\.B|u\.a|Sra|Ud|Uds|fig|vol|pp?)|\d)\.$"
)
_TEASER = re.compile(
    r"^(?:continue reading|read more|read the full|weiterlesen|lire la suite|leer más|sign up|subscribe|click here"
    r"|related:|photograph:|image:|advertisement|the post .{1,200} appeared first on)",
    re.IGNORECASE,
)
_TEASED = re.compile(r"\s*(?:continue reading|read more|weiterlesen|lire la suite|seguir leyendo)\s*(?:\.{2,3}|…|»|→)?\s*$", re.IGNORECASE)  # fmt: skip
_SHORTEST = 25
"""Characters below which a line is a label, and no sentence."""
_MOST = 400
"""Sentences of a text that are weighed: what matters comes before."""
_COMMON_WORDS = (
    "the and for that with this from are was were has have had not but its his her their they you your which will would could "
    "should can about into than then there been being also over after before more most other some such only when what who how all "
    "any out our one les des une est pas pour dans que qui sur avec par plus sont cette ces aux ont leur mais comme nous vous elle "
    "ils été der die das und ist nicht mit den dem des ein eine einer eines auf für von sich auch als aus bei nach wie noch nur "
    "aber oder werden los las una del por con para que como más pero sus este esta entre cuando hay son fue han muy sin sobre "
    "también"
)
"""Words of English, French, German and Spanish that say nothing about a text."""
_COMMON = frozenset(_COMMON_WORDS.split(" "))


def sentences(text: str) -> list[str]:
    """Split a text into its sentences; lines that only lead elsewhere, and labels, are left out."""
    found: list[str] = []
    joined = False
    for part in _END.split(text):
        piece = _TEASED.sub("", part.strip())
        if joined and found:
            found[-1] = f"{found[-1]} {piece}"
        elif piece:
            found.append(piece)
        joined = bool(_ABBREVIATION.search(piece))
    return [each for each in found if len(each) >= _SHORTEST and not _TEASER.match(each)]


def telling(text: str, title: str = "", *, most: int = 3, characters: int = 420) -> list[str]:
    """The sentences of a text that together say most, in their order.

    Each is weighed by how much of what the text keeps coming back to it holds, with what the title says counting double, and
    by its place, since who writes for readers says first what matters. One that says again what was chosen already loses.

    Args:
        text: plain text.
        title: its title.
        most: how many sentences at most.
        characters: how long they may be together; the first chosen one may be longer by itself, and is cut.
    """
    known = [each for each in sentences(text)[:_MOST] if folding.words(each) != folding.words(title)]
    words = [_words(each) for each in known]
    weights = Counter(word for each in words for word in set(each))
    weights.update({word: weights[word] for word in set(_words(title)) if word in weights})
    chosen: list[int] = []
    said: set[str] = set()
    left = characters
    while len(chosen) < most:
        open_ = [n for n in range(len(known)) if n not in chosen and len(known[n]) <= (left if chosen else characters)]
        if not open_:
            break
        best = max(open_, key=lambda n: _gain(words[n], weights, said) * _place(n))
        if _gain(words[best], weights, said) <= 0:
            break
        chosen.append(best)
        said |= set(words[best])
        left -= len(known[best]) + 1
    if not chosen and known:
        return [cut(known[0], characters)]
    return [known[number] for number in sorted(chosen)]


def cut(text: str, characters: int) -> str:
    """A text of at most so many characters, cut between words."""
    if len(text) <= characters:
        return text
    kept = text[: characters - 1]
    return f"{kept[: kept.rfind(' ')] if ' ' in kept[characters // 2 :] else kept}…".replace(" …", "…")


def _words(text: str) -> list[str]:
    return [folding.stem(word) for word in folding.words(text) if len(word) > 2 and word not in _COMMON]


def _gain(words: Sequence[str], weights: Counter[str], said: set[str]) -> float:
    """What a sentence adds, for its length: a long one is not better for being long."""
    new = set(words) - said
    return sum(weights[word] for word in new) / (len(words) + 8) if words else 0.0


def _place(number: int) -> float:
    return 1.0 + 1.0 / (1 + number)
