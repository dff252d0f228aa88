"""Rate limits: a token bucket for each caller and class of route, in the memory of this instance.

Per instance is what can be had without a storage call for each request. An app of N instances lets a caller do N times as
much; what must not be exceeded in all belongs before the app (API Management, Front Door).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_BURST_SECONDS = 2.0
"""A bucket holds so many seconds' worth of requests: an idle caller may begin with a burst."""
_MOST_BUCKETS = 10_000
"""Callers and classes that are remembered; of more, those that have been idle longest are forgotten, and start full."""


@dataclass(slots=True)
class _Bucket:
    """What is left for a caller, as of a moment."""

    tokens: float
    at: float


class Limiter:
    """Lets callers do so many requests a second, each class of route counted apart."""

    def __init__(self, rates: Mapping[str, float], clock: Callable[[], float]) -> None:
        """Take requests per second by class (0: without limit), and a clock in seconds that never goes back."""
        self._rates = rates
        self._clock = clock
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    def take(self, caller: str, of: str) -> int:
        """Count a request of a class; 0 where it may pass, else the whole seconds until the next one may."""
        rate = self._rates.get(of, 0.0)
        if rate <= 0:
            return 0
        bucket = self._filled(caller, of, rate)
        if bucket.tokens < 1:
            return max(1, math.ceil((1 - bucket.tokens) / rate))
        bucket.tokens -= 1
        return 0

    def _filled(self, caller: str, of: str, rate: float) -> _Bucket:
        """The caller's bucket with what has flown in since, put behind all others."""
        now, full = self._clock(), max(1.0, rate * _BURST_SECONDS)
        bucket = self._buckets.pop((caller, of), None) or _Bucket(full, now)
        bucket.tokens = min(full, bucket.tokens + (now - bucket.at) * rate)
        bucket.at = now
        if len(self._buckets) >= _MOST_BUCKETS:
            del self._buckets[next(iter(self._buckets))]
        self._buckets[caller, of] = bucket
        return bucket

    def __len__(self) -> int:
        """How many buckets are remembered."""
        return len(self._buckets)
