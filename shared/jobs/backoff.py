"""Delays between attempts: exponential, capped, with full jitter."""

from __future__ import annotations

import random
from collections.abc import Callable

LONGEST = 7 * 24 * 3600.0
"""Seconds a message can stay invisible."""


def delay(
    failures: int,
    *,
    base: float,
    cap: float,
    jitter: float = 0.0,
    at_least: float = 0.0,
    uniform: Callable[[float, float], float] = random.uniform,
) -> float:
    """Seconds to wait before the attempt that follows the given number of failures (1 or more).

    Full jitter: a uniform share of ``min(cap, base * 2 ** (failures - 1))``, so that jobs that failed together do not
    come back together; `jitter` adds up to so many seconds, and `at_least` is a floor that the other side asked for.
    """
    ceiling = min(cap, base * 2.0 ** min(failures - 1, 60))
    return min(LONGEST, max(at_least, uniform(0.0, ceiling)) + uniform(0.0, jitter))
