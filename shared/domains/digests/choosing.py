"""Choosing what is suggested: the best, but not ten times the same."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Sequence

from shared.domains.digests.appearance import alike
from shared.domains.digests.model import Candidate, Reader, Scored

BALANCE = 0.7
"""How much the score counts against being different from what was chosen before."""
SHARE = 0.3
"""The part of a digest that may come from one source, or be of one group of clothes, where there are others."""
_POOL = 150
"""So many of the best are chosen from."""
_DEEP = 5
"""So many times what may be chosen of a source or group is looked at."""
_SAME_SOURCE = 0.3
"""How alike two items are for their source alone."""


def allowed(candidates: Iterable[Candidate], reader: Reader) -> list[Candidate]:
    """What may be suggested: once each, nothing that was turned down, nothing that the user owns."""
    downs = [opinion for opinion in reader.opinions if not opinion.up]
    never = reader.turned_down | {opinion.item_id for opinion in downs} | {piece.item_id for piece in reader.wardrobe}
    urls = {opinion.url for opinion in downs if opinion.url}
    titles = {title_key(piece.title) for piece in reader.wardrobe}
    kept: dict[str, Candidate] = {}
    for candidate in sorted(candidates, key=lambda one: (one.first_seen, one.item_id)):
        key = title_key(candidate.title) or candidate.item_id
        if candidate.item_id in never or candidate.url in urls or key in titles:
            continue
        kept.setdefault(key, candidate)
    return list(kept.values())


def choose(scored: Sequence[Scored], size: int) -> list[Scored]:
    """Choose up to `size`, one after the other: each the best by its score, less its likeness to those before it.

    Of one source, and of one group of clothes, at most `bound` are chosen. Equal input in any order, equal choice.
    """
    draft = _Draft(sorted(scored, key=lambda one: (-one.score, one.candidate.item_id)), size)
    while len(draft.chosen) < size and draft.pick():
        pass
    return draft.chosen


def bound(size: int, names: Iterable[str]) -> int:
    """How many of a digest may share one of these names: three tenths, or an even share where there are few names."""
    distinct = len(set(names))
    return max(math.ceil(size * SHARE), math.ceil(size / distinct)) if distinct else size


def title_key(title: str) -> str:
    """What two spellings of one title have in common."""
    return " ".join(re.findall(r"\w+", unicodedata.normalize("NFKC", title).casefold()))


class _Room:
    """How many more may be taken of each source, and of each group."""

    def __init__(self, by_source: int, by_group: int) -> None:
        self._sources: defaultdict[str, int] = defaultdict(lambda: by_source)
        self._groups: defaultdict[str, int] = defaultdict(lambda: by_group)

    def has(self, one: Candidate) -> bool:
        """Whether there is room for it. What is no piece of clothing is bounded by its source alone."""
        return self._sources[one.source_id] > 0 and (
            one.appearance.group is None or self._groups[one.appearance.group] > 0
        )

    def take(self, one: Candidate) -> None:
        """Take it in."""
        self._sources[one.source_id] -= 1
        if one.appearance.group is not None:
            self._groups[one.appearance.group] -= 1


class _Draft:
    """A choice in the making."""

    def __init__(self, ranked: Sequence[Scored], size: int) -> None:
        by_source = bound(size, (one.candidate.source_id for one in ranked))
        by_group = bound(size, (one.candidate.appearance.group for one in ranked if one.candidate.appearance.group))
        self.chosen: list[Scored] = []
        self._room = _Room(by_source, by_group)
        self._left = _spread(ranked, _Room(_DEEP * by_source, _DEEP * by_group))
        self._values = {one.candidate.item_id: one.candidate.appearance.values() for one in self._left}
        self._nearest = dict.fromkeys(self._values, 0.0)
        self._low = self._left[-1].score if self._left else 0.0
        self._range = (self._left[0].score - self._low if self._left else 0.0) or 1.0

    def pick(self) -> bool:
        """Choose the next; False where nothing is left that there is room for."""
        self._left = [one for one in self._left if self._room.has(one.candidate)]
        if not self._left:
            return False
        best = max(self._left, key=self._worth)  # of equals the first, which is the better by score
        self._left.remove(best)
        self._room.take(best.candidate)
        self.chosen.append(best)
        for one in self._left:
            name = one.candidate.item_id
            self._nearest[name] = max(self._nearest[name], self._likeness(one.candidate, best.candidate))
        return True

    def _worth(self, one: Scored) -> float:
        return BALANCE * (one.score - self._low) / self._range - (1 - BALANCE) * self._nearest[one.candidate.item_id]

    def _likeness(self, one: Candidate, other: Candidate) -> float:
        appearance = alike(self._values[one.item_id], self._values[other.item_id])
        return (1 - _SAME_SOURCE) * appearance + _SAME_SOURCE * (one.source_id == other.source_id)


def _spread(ranked: Sequence[Scored], room: _Room) -> list[Scored]:
    """The best to choose from, so that no source or group fills the pool."""
    kept: list[Scored] = []
    for one in ranked:
        if len(kept) < _POOL and room.has(one.candidate):
            room.take(one.candidate)
            kept.append(one)
    return kept
