"""Delays between attempts: exponential, capped, with jitter."""

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
    least: float = 0.0,
    jitter: float = 0.0,
    at_least: float = 0.0,
    uniform: Callable[[float, float], float] = random.uniform,
) -> float:
    """Seconds to wait before the attempt that follows the given number of failures (1 or more).

    Full jitter: a uniform share of ``min(cap, base * 2 ** (failures - 1))``, so that jobs that failed together do not
    come back together. `least` is the floor of that share, and doubles with it: where it equals `base` the waits are exactly
    exponential. `jitter` adds up to so many seconds, and `at_least` is a floor that the other side asked for.
    """
    growth = 2.0 ** min(failures - 1, 60)
    ceiling = min(cap, base * growth)
    return min(LONGEST, max(at_least, uniform(min(ceiling, least * growth), ceiling)) + uniform(0.0, jitter))
