"""How hard one process leans on a host: so many requests at once, so far apart, and none while it wants to be left alone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from shared.fetch.errors import FetchUnavailableError

_LONGEST_WAIT = 60.0
"""Seconds that a request waits for its turn."""
_MOST_LANES = 1000
"""Hosts that are remembered; beyond, those at rest are forgotten."""


class _Lane:
    """One host."""

    def __init__(self, concurrency: int) -> None:
        self.places = asyncio.Semaphore(concurrency)
        self.users = 0
        self.free_at = 0.0
        """When the next request may start."""
        self.closed_until = 0.0
        """Until when the host asked to be left alone."""

    def resting(self, now: float) -> bool:
        return self.users == 0 and max(self.free_at, self.closed_until) <= now


class Throttle:
    """The lanes of all hosts."""

    def __init__(self, concurrency: int, interval: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._concurrency = concurrency
        self._interval = interval
        self._now = monotonic
        self._lanes: dict[str, _Lane] = {}

    @asynccontextmanager
    async def turn(self, host: str, interval: float = 0.0) -> AsyncIterator[None]:
        """Wait for a turn at a host, and hold it.

        Args:
            host: the host, with its port.
            interval: seconds that the host wants between requests, if that is more than ours.

        Raises:
            FetchUnavailableError: the host asked to be left alone, for `retry_after` seconds more; or very many wait.
        """
        lane = self._lane(host)
        lane.users += 1
        try:
            await self._enter(lane, max(interval, self._interval))
            try:
                self._require_open(lane)
                yield
            finally:
                lane.places.release()
        finally:
            lane.users -= 1

    def close(self, host: str, seconds: float) -> None:
        """Leave a host alone for so long, as it asked."""
        lane = self._lane(host)
        lane.closed_until = max(lane.closed_until, self._now() + seconds)

    async def _enter(self, lane: _Lane, interval: float) -> None:
        """Take a place, then wait until enough time has passed since the last one started."""
        self._require_open(lane)
        try:
            async with asyncio.timeout(_LONGEST_WAIT):
                await lane.places.acquire()
                await self._wait(lane, interval)
        except TimeoutError:
            raise FetchUnavailableError("too many requests wait for this host", _LONGEST_WAIT) from None

    async def _wait(self, lane: _Lane, interval: float) -> None:
        """Reserve the next start, and wait for it; one that would not be waited for is left to others."""
        start, before = max(self._now(), lane.free_at), lane.free_at
        wait = start - self._now()
        if wait > _LONGEST_WAIT:
            lane.places.release()
            raise FetchUnavailableError("too many requests wait for this host", wait)
        lane.free_at = start + interval
        try:
            await asyncio.sleep(wait)
        except BaseException:
            lane.places.release()
            if lane.free_at == start + interval:  # nobody has reserved one after it
                lane.free_at = before
            raise

    def _require_open(self, lane: _Lane) -> None:
        left = lane.closed_until - self._now()
        if left > 0:
            raise FetchUnavailableError("the server asked to be left alone for a while", left)

    def _lane(self, host: str) -> _Lane:
        if len(self._lanes) >= _MOST_LANES and host not in self._lanes:
            now = self._now()
            self._lanes = {name: lane for name, lane in self._lanes.items() if not lane.resting(now)}
        return self._lanes.setdefault(host, _Lane(self._concurrency))
