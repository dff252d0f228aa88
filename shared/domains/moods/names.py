"""Canonical names: one mood under several spellings is one mood.

Two spellings are the same where they fold to one key: without case, accents, hyphens, spaces, plurals, a final `-core` or
`-wave`, and words such as `aesthetic` that only say that a mood is meant. Beyond that, the vocabulary lists aliases, and a
single slip of the pen in one of its longer names is forgiven. A slip that makes another word is none: an *eclectic grandma*
is no *eclectic grandpa*. Names that the vocabulary does not know are compared by their keys alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache

from shared import folding
from shared.domains.moods.vocabulary import tables, vocabulary

_FILLERS = frozenset(
    folding.stem(word)
    for word in ("aesthetic", "aesthetics", "style", "fashion", "look", "vibe", "trend", "inspired", "dressing", "outfit", "core", "wave")
)  # fmt: skip
_SUFFIX = re.compile(r"(?<=\w{3})(core|wave)$")
_SHORTEST_SLIP = 7
"""Letters of the shortest key in which a slip is forgiven: among shorter words too many differ by one letter."""
_LONGEST = 40
_PLAIN = re.compile(r"[A-Za-z0-9 '&/-]+")


def key(name: str) -> str:
    """What all spellings of a name have in common."""
    words = [folding.stem(word) for word in folding.words(name)]
    while len(words) > 1 and words[-1] in _FILLERS:
        words.pop()
    if len(words) > 1 and words[0] == "the":
        del words[0]
    compact = "".join(words)
    return _SUFFIX.sub("", compact)


@lru_cache(maxsize=4096)
def identify(name: str) -> str:
    """The id of the mood that a name means: the vocabulary's, or one made of the name's key."""
    made = key(name)
    known = _keys()
    return known.get(made) or _slip_of(name, made, known) or made


def presentable(name: str) -> str | None:
    """A name from outside as it may be shown; None where it is none: a mood's name is some words, and no more."""
    words = folding.words(name)
    shown = " ".join(word.capitalize() for word in words)
    fits = _PLAIN.fullmatch(name) and len(words) <= 4 and 3 <= len(shown) <= _LONGEST
    return shown if fits else None


@cache
def _keys() -> Mapping[str, str]:
    """The id of each key that the vocabulary knows. A name goes before an alias, and a primary mood before a sub-mood."""
    found: dict[str, str] = {}
    for names in ("name", "aliases"):
        for mood, entry in vocabulary().items():
            for name in (entry.name,) if names == "name" else (*entry.aliases, *entry.also):
                found.setdefault(key(name), mood)
    return found


@cache
def _words() -> frozenset[str]:
    """Words that are spelt right."""
    entries = vocabulary().values()
    phrases = [
        phrase
        for entry in entries
        for phrase in (entry.name, *entry.aliases, *entry.also, *entry.telling, *entry.styled)
    ]
    phrases += [phrase for each in tables("context.toml").values() for phrase in each]
    return frozenset(word for phrase in phrases for word in folding.words(phrase))


def _slip_of(name: str, made: str, known: Mapping[str, str]) -> str | None:
    """The one known mood that the key misses by a single slip."""
    if len(made) < _SHORTEST_SLIP or all(word in _words() for word in folding.words(name)):
        return None
    meant = {mood for other, mood in known.items() if len(other) >= _SHORTEST_SLIP and one_slip(made, other)}
    return meant.pop() if len(meant) == 1 else None


def one_slip(one: str, other: str) -> bool:
    """Whether a letter more, less, wrong or changed places with its neighbour makes one word of the other.

    The first letter and all digits must be right.
    """
    if one[:1] != other[:1] or re.sub(r"\D", "", one) != re.sub(r"\D", "", other):
        return False
    start = next((at for at, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), None)
    if start is None:
        return abs(len(one) - len(other)) == 1
    rest, missed = one[start:], other[start:]
    swapped = missed[1:2] + missed[:1] + missed[2:]
    return rest[1:] in (missed, missed[1:]) or rest == missed[1:] or (len(missed) > 1 and rest == swapped)
