"""The polite way to fetch: robots.txt obeyed, a pace for each host, and conditions that save everybody the body."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from aiohttp.abc import AbstractResolver

from shared.fetch.client import follow
from shared.fetch.errors import FetchUnavailableError
from shared.fetch.messages import Fetched, Limits, NotModified, Request
from shared.fetch.robots import LARGEST, Robots
from shared.fetch.throttle import Throttle


@dataclass(frozen=True, slots=True)
class Manners:
    """How a process behaves towards the hosts that it visits."""

    contact: str = ""
    """Whom a site's owner may ask about us."""
    concurrency: int = 2
    """Requests under way at one host."""
    interval: float = 1.0
    """Seconds between two requests to one host."""
    robots_ttl: float = 3600.0
    """Seconds for which a robots.txt is remembered."""


class Fetcher:
    """One for a process: it remembers what hosts allow, and when each was last asked."""

    def __init__(
        self, manners: Manners, allowed: Collection[str] = (), resolver: AbstractResolver | None = None
    ) -> None:
        self._manners = manners
        self._allowed = allowed
        self._resolver = resolver
        self._throttle = Throttle(manners.concurrency, manners.interval)
        self._robots = Robots(self._load_robots, manners.robots_ttl)

    async def fetch(self, request: Request, *, robots: bool = True) -> Fetched | NotModified:
        """Send a request when its host may be asked.

        Args:
            request: what is asked for. With validators, the answer may be `NotModified`.
            robots: whether robots.txt has a say; not so for an API that we have an agreement with.

        Raises:
            FetchRefusedError: in one of its kinds; trying again cannot help.
            FetchUnavailableError: trying again may help, after `retry_after` seconds if the host said so. Until then
                no other request to the host is sent either.
        """

        @asynccontextmanager
        async def turn(url: str) -> AsyncIterator[None]:
            delay = await self._robots.check(url) if robots else 0.0
            async with self._throttle.turn(urlsplit(url).netloc.lower(), delay):
                try:
                    yield
                except FetchUnavailableError as error:
                    self._throttle.close(urlsplit(url).netloc.lower(), error.retry_after or 0.0)
                    raise

        signed = replace(request, contact=request.contact or self._manners.contact)
        return await follow(signed, self._allowed, self._resolver, turn)

    async def _load_robots(self, url: str) -> bytes:
        limits = Limits(("text/plain", "*/*"), LARGEST, timeout_seconds=10, truncate=True)
        answer = await follow(Request(url, limits, self._manners.contact), self._allowed, self._resolver)
        return answer.body if isinstance(answer, Fetched) else b""
