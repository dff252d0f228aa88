"""robots.txt (RFC 9309): obeyed, and remembered for each origin."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from shared.fetch.decoding import decode
from shared.fetch.errors import FetchUnavailableError, RobotsRefusedError, StatusRefusedError, TooManyRedirectsError
from shared.fetch.messages import ROBOT, origin
from shared.fetch.robots_rules import Rules, read_rules

LARGEST = 512 * 1024
"""Bytes of a robots.txt that are read; RFC 9309 asks for 500 KiB at least."""
_MOST_ORIGINS = 1000
_FAILURE_TTL = 60.0
_LONGEST_DELAY = 30.0
"""Seconds of `Crawl-delay` that are obeyed; who asks for more is asked that seldom."""

_LONG = 8 * 1024
"""Bytes from which a robots.txt is not read on the event loop."""

Load = Callable[[str], Awaitable[bytes]]
"""Fetches a robots.txt, and raises what fetching raises."""


@dataclass(slots=True)
class _Entry:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    until: float = float("-inf")
    rules: Rules | None = None
    """None: the origin could not say."""


class Robots:
    """What each origin allows us."""

    def __init__(self, load: Load, ttl: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._load = load
        self._ttl = ttl
        self._now = monotonic
        self._entries: OrderedDict[str, _Entry] = OrderedDict()

    async def check(self, url: str) -> float:
        """Return the seconds that the origin wants between requests.

        Raises:
            RobotsRefusedError: the origin's robots.txt keeps us out of this address.
            FetchUnavailableError: its robots.txt cannot be had (5xx, no connection): until it can, all is forbidden.
        """
        entry = self._entry(origin(url))
        async with entry.lock:
            if entry.until <= self._now():
                await self._refresh(entry, url)
        if entry.rules is None:
            raise FetchUnavailableError("the host's robots.txt cannot be had", max(0.0, entry.until - self._now()))
        if not entry.rules.allow(url):
            raise RobotsRefusedError
        return min(entry.rules.delay, _LONGEST_DELAY)

    async def _refresh(self, entry: _Entry, url: str) -> None:
        try:
            entry.rules, ttl = await self._rules(f"{origin(url)}/robots.txt"), self._ttl
        except FetchUnavailableError as error:
            entry.rules, ttl = None, error.retry_after or _FAILURE_TTL
        entry.until = self._now() + ttl

    async def _rules(self, url: str) -> Rules:
        try:
            body = await self._load(url)
        except (StatusRefusedError, TooManyRedirectsError):
            return Rules()  # there is none: all is allowed
        return _read(body) if len(body) < _LONG else await asyncio.to_thread(_read, body)

    def _entry(self, key: str) -> _Entry:
        entry = self._entries.setdefault(key, _Entry())
        self._entries.move_to_end(key)
        if len(self._entries) > _MOST_ORIGINS:
            self._entries.popitem(last=False)
        return entry


def _read(body: bytes) -> Rules:
    return read_rules(decode(body), ROBOT)
