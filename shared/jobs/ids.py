"""Job ids: UUIDv7, so that what was made lately is found by a prefix; some are derived, so that twice is once."""

from __future__ import annotations

import hashlib
from datetime import datetime
from uuid import UUID


def derived_id(moment: datetime, seed: str) -> str:
    """A UUIDv7 of the moment whose random bits come from a seed: the same whenever it is made, yet found among the recent."""
    digest = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:10], "big")
    high, low = digest >> 62 & 0xFFF, digest & (1 << 62) - 1
    return str(UUID(int=int(moment.timestamp() * 1000) << 80 | 7 << 76 | high << 64 | 2 << 62 | low))


def prefixes(since: datetime, until: datetime) -> list[str]:
    """Prefixes of UUIDv7 text that together cover every id made between two moments (and some minutes around).

    Seven hexadecimal digits leave 20 bits of the millisecond timestamp open: each prefix covers some 17 minutes.
    """
    first, last = (int(moment.timestamp() * 1000) >> 20 for moment in (since, until))
    return [f"{window:07x}" for window in range(first, last + 1)]


def made_at(job_id: str) -> float:
    """Seconds since the epoch in a UUIDv7."""
    return (UUID(job_id).int >> 80) / 1000
