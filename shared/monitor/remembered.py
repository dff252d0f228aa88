"""An answer that costs storage calls, made once for all who ask within some seconds."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from shared.ports import Clock, StorageError

T = TypeVar("T")

PATIENCE = 15.0
"""Seconds that making an answer may take. Storage that never answers would hold up those who ask for minutes."""


class Remembered(Generic[T]):
    """The last answer, as long as it is fresh. A failure is for those who wait for it, and not remembered."""

    def __init__(self, clock: Clock, fresh: timedelta) -> None:
        self._clock = clock
        self._fresh = fresh
        self._known: tuple[T, datetime] | None = None
        self._making: asyncio.Task[T] | None = None

    async def of(self, make: Callable[[], Awaitable[T]]) -> T:
        """The answer, made anew where the last one is too old.

        Raises:
            StorageError: it took longer than `PATIENCE`; and whatever `make` raises.
        """
        if self._known is not None and self._clock.now() - self._known[1] < self._fresh:
            return self._known[0]
        if self._making is None:
            self._making = asyncio.get_running_loop().create_task(self._made(make))
        return await asyncio.shield(self._making)

    async def _made(self, make: Callable[[], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(PATIENCE):
                made = await make()
            self._known = made, self._clock.now()
        except TimeoutError:
            raise StorageError("no answer in time") from None
        else:
            return made
        finally:
            self._making = None
