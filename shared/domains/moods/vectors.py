"""Hashing vectors: the embedded default. The same text has the same vector in every process, on every machine."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import blake2b

from shared import folding

DIMENSIONS = 256
_DIGITS = 6
"""Decimals that are kept: more would only make documents larger."""


class HashingEmbedder:
    """Words, pairs of words and parts of words, each hashed to a signed dimension. Knows spelling, and no meaning."""

    model = "hashing-256-1"

    async def embed_documents(self, texts: Sequence[str]) -> list[list[float]]:
        """Return a vector of length 1 for each text; of zeros, where there is no word in it."""
        return await asyncio.to_thread(lambda: [vector_of(each) for each in texts])


def vector_of(content: str) -> list[float]:
    """The vector of a text."""
    sums = [0.0] * DIMENSIONS
    for feature, count in sorted(Counter(_features(content)).items()):
        digest = int.from_bytes(blake2b(feature.encode(), digest_size=8).digest(), "big")
        sums[digest % DIMENSIONS] += math.copysign(math.sqrt(count) * _share(feature), (digest >> 32 & 1) - 0.5)
    length = math.hypot(*sums)
    return [round(each / length, _DIGITS) + 0.0 for each in sums] if length else sums


def _features(content: str) -> Iterator[str]:
    words = [folding.stem(word) for word in folding.words(content)]
    yield from (f"w:{word}" for word in words)
    yield from (f"p:{one} {other}" for one, other in itertools.pairwise(words))
    for word in words:
        yield from (f"t:{word[at : at + 4]}" for at in range(len(word) - 3) if len(word) > 4)


def _share(feature: str) -> float:
    """Whole words say the most; their parts only help where a word has several forms."""
    return {"w": 1.0, "p": 0.7, "t": 0.25}[feature[0]]
