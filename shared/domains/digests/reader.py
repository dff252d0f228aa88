"""Who a digest is for: taste, wardrobe, subscriptions and earlier feedback, read and brought into one value."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from math import log2
from typing import Any

from shared.domains.digests.appearance import appearance_of
from shared.domains.digests.model import Leaning, Opinion, Piece, Reader
from shared.domains.taste.public import EVIDENCE, FACETS, TASTE, Prior, PriorStore, Profile, TasteStore, rank
from shared.domains.taste.public import Item as Words
from shared.domains.users.public import Household, Owned
from shared.ports import Clock, DocumentStore, Query, Where

_VALUES = 100
"""Values of a facet that a user can lean towards."""
_LEAST = 0.002
"""What is expected at least of anything: more would be made of what is rare than is known of it."""
_UNHEARD = 0.02
"""What is expected of any value where nobody's opinion on its facet is known: it is one of fifty."""
_STRONG = 5.0
"""A value that is to be expected 32 times as much of this user as of anybody counts in full."""
_MOST_DOWNS = 500


class Readers:
    """Reads users as digests see them."""

    def __init__(self, documents: DocumentStore, clock: Clock) -> None:
        self._documents = documents
        self._taste = TasteStore(documents, clock)
        self._priors = priors(documents, clock)

    async def read(self, home: Household, opinions: tuple[Opinion, ...]) -> tuple[Reader, str]:
        """A user's reader, and a signature that changes when what is known of them does. Two storage calls."""
        user_id = home.user.user_id
        profile, downs, prior = await asyncio.gather(
            self._taste.read(user_id), self._turned_down(user_id), self._priors.read()
        )
        pieces = tuple(map(piece_of, home.wardrobe))
        reader = Reader(leanings_of(profile, prior), pieces, home.follows, opinions, downs)
        return reader, _signature(home, profile, opinions, downs)

    async def _turned_down(self, user_id: str) -> frozenset[str]:
        """Items that the user turned down anywhere in the product."""
        where = (Where("kind", "=", EVIDENCE), Where("signal", "=", "down"))
        query = Query(where, order_by="sort", descending=True, limit=_MOST_DOWNS, partition=user_id)
        return frozenset(str(each["item_id"]) for each in (await self._documents.query(TASTE, query)).items)


def priors(documents: DocumentStore, clock: Clock) -> PriorStore:
    """One for the process and its stores: it remembers the prior for some minutes."""
    stores: Any = (documents, clock)  # hashable, other than their ports say
    return _priors(*stores)


@lru_cache(maxsize=1)
def _priors(documents: Any, clock: Any) -> PriorStore:
    return PriorStore(documents, clock)


def leanings_of(profile: Profile, prior: Prior) -> dict[str, dict[str, Leaning]]:
    """How a user leans, facet by facet; empty for somebody without evidence, who leans to nothing.

    The lean is the logarithm of how much more a value is to be expected of this user than of anybody, so what everybody
    likes is no merit. A value of a liking that was turned down more often than liked leans away, whatever others like.
    """
    mine = rank(profile, prior, _VALUES, profile.facets)
    return {
        facet: {
            one.value: Leaning(
                _lean(facet, one.weight, _expected(prior, facet, one.value), one.n_up, one.n_down),
                one.n_up,
                one.n_down,
                FACETS[facet].need,
            )
            for one in values
        }
        for facet, values in mine.items()
        if facet in profile.facets
    }


def _expected(prior: Prior, facet: str, value: str) -> float:
    shares = prior.shares.get(facet)
    return max(shares.get(value, 0.0), _LEAST) if shares else _UNHEARD


def _lean(facet: str, weight: float, expected: float, n_up: int, n_down: int) -> float:
    lift = log2(max(weight, _LEAST) / expected) / _STRONG
    if not FACETS[facet].need and n_down > n_up:
        lift = min(lift, -(n_down - n_up) / (n_down + n_up + 1))
    return max(-1.0, min(1.0, lift))


def piece_of(owned: Owned) -> Piece:
    """A piece of a wardrobe as a digest sees it."""
    words = Words(
        title=owned.title,
        brand=owned.brand,
        category=owned.category,
        colours=list(owned.colours),
        occasion=owned.occasion,
        keywords=list(owned.keywords),
    )
    title = owned.title or " ".join((*owned.colours[:1], owned.category or "")).strip() or owned.item_id
    return Piece(owned.item_id, title, appearance_of(words))


def _signature(home: Household, profile: Profile, opinions: tuple[Opinion, ...], downs: frozenset[str]) -> str:
    """Of what is known of a user: their taste, wardrobe, subscriptions and feedback, and not how it is shown."""
    known: Mapping[str, object] = {
        "taste": profile.fingerprint,
        "wardrobe": sorted([piece.item_id, piece.updated_at] for piece in home.wardrobe),
        "follows": sorted(home.follows),
        "feedback": sorted([one.item_id, one.up] for one in opinions),
        "downs": sorted(downs),
    }
    return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:24]
