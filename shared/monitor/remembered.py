"""An answer that costs storage calls, made once for all who ask within some seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from shared.ports import Clock

T = TypeVar("T")


class Remembered(Generic[T]):
    """The last answer, as long as it is fresh. What fails is not remembered."""

    def __init__(self, clock: Clock, fresh: timedelta) -> None:
        self._clock = clock
        self._fresh = fresh
        self._known: tuple[T, datetime] | None = None
        self._lock = asyncio.Lock()

    async def of(self, make: Callable[[], Awaitable[T]]) -> T:
        """The answer, made anew where the last one is too old."""
        async with self._lock:
            if self._known is None or self._clock.now() - self._known[1] >= self._fresh:
                self._known = await make(), self._clock.now()
            return self._known[0]
