"""Reading headers that several clients of ours must understand."""

from __future__ import annotations

import email.utils
from contextlib import suppress
from datetime import UTC, datetime

_MAX_RETRY_AFTER = 30 * 86400.0
"""Seconds that are believed; what is more is a mistake, or a way to be never visited again."""


def retry_after(value: str | None, now: datetime | None = None) -> float | None:
    """Read a Retry-After header, seconds or an HTTP date, as seconds from now; at most thirty days, None if unreadable."""
    if not value:
        return None
    seconds: float | None = None
    if value.strip().isdecimal():
        seconds = float(value)
    else:
        with suppress(ValueError, TypeError):
            seconds = (email.utils.parsedate_to_datetime(value) - (now or datetime.now(UTC))).total_seconds()
    return None if seconds is None else min(max(seconds, 0.0), _MAX_RETRY_AFTER)
