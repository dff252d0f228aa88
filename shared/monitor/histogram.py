"""Durations, counted in fixed buckets: small, exact to add up, and good enough to tell a percentile."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0)
"""Upper bounds of the buckets in seconds, each included; one more bucket takes what is longer."""


@dataclass(slots=True)
class Histogram:
    """How many durations fell into each bucket, and their sum in seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    sum: float = 0.0

    @property
    def count(self) -> int:
        """How many durations there are."""
        return sum(self.counts)

    def add(self, seconds: float) -> None:
        """Count one duration; a negative one, which clocks that differ can make, as none at all."""
        seconds = max(0.0, seconds)
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.sum += seconds

    def merge(self, other: Histogram) -> None:
        """Add what another histogram counted."""
        self.counts = [mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True)]
        self.sum += other.sum

    def percentile(self, share: float) -> float | None:
        """The duration in seconds that `share` (0 to 1) of all do not exceed, evenly spread within its bucket.

        None where nothing was counted; the highest bound where it lies beyond that.
        """
        rank, below = share * self.count, 0
        for bucket, count in enumerate(self.counts):
            if count and below + count >= rank:
                return _within(bucket, (rank - below) / count)
            below += count
        return None

    def cumulative(self) -> Iterator[tuple[float, int]]:
        """Each bound with how many durations do not exceed it; the last bound is infinite."""
        return zip((*BOUNDS, float("inf")), accumulate(self.counts), strict=True)

    def to_json(self) -> dict[str, Any]:
        """As documents hold it: the buckets that hold anything, by their number."""
        return {"n": {str(bucket): count for bucket, count in enumerate(self.counts) if count}, "s": round(self.sum, 3)}


def histogram_of(content: Mapping[str, Any]) -> Histogram:
    """Read a histogram as `Histogram.to_json` wrote it."""
    made = Histogram(sum=float(content["s"]))
    for bucket, count in content["n"].items():
        made.counts[min(int(bucket), len(BOUNDS))] += count
    return made


def _within(bucket: int, share: float) -> float:
    if bucket == len(BOUNDS):
        return BOUNDS[-1]
    low = BOUNDS[bucket - 1] if bucket else 0.0
    return low + (BOUNDS[bucket] - low) * min(max(share, 0.0), 1.0)
