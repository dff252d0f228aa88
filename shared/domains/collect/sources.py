"""Where topics come from: three sources behind one protocol."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Protocol

from shared.domains.collect.model import Harvest, Sort, SourceName
from shared.domains.collect.reddit import RedditSource
from shared.domains.collect.settings import CollectSettings
from shared.fetch import Fetched, FetchRefusedError, Limits, NotModified, Request, Validators, shared_fetcher
from shared.fetch.reading import read, whole
from shared.fetch.urls import host_of
from shared.sandbox import sandbox

if TYPE_CHECKING:
    from shared.fetch.polite import Fetcher
    from shared.sandbox.pool import Sandbox
    from shared.settings import Settings

_MOST_FEEDS = 50
"""Feeds whose last version is remembered, so that an unchanged one need not be sent again."""


class Source(Protocol):
    """Something that topics can be collected from."""

    def label(self, topic: str) -> str:
        """The topic in words, as progress shows it."""
        ...

    def slug(self, topic: str) -> str:
        """The topic in the name of a blob."""
        ...

    def host(self, topic: str) -> str:
        """Who is asked for the topic."""
        ...

    async def collect(self, topic: str, sort: Sort, limit: int) -> Harvest:
        """Fetch and read a topic.

        Raises:
            FetchRefusedError: it cannot be fetched.
            FetchUnavailableError: it cannot be fetched for now.
            ContentRefusedError: what came cannot be read.
        """
        ...


class FeedSource:
    """Feeds by their addresses. Asks whether a feed has changed since this process last read it."""

    def __init__(self, fetcher: Fetcher, limits: Limits, box: Sandbox) -> None:
        self._fetcher = fetcher
        self._limits = limits
        self._box = box
        self._last: OrderedDict[str, _Version] = OrderedDict()

    def label(self, topic: str) -> str:
        """The feed's host."""
        return f"feed {host_of(topic)}"

    def slug(self, topic: str) -> str:
        """Host and hash."""
        return slug_of(topic)

    def host(self, topic: str) -> str:
        """The host of the address."""
        return host_of(topic)

    async def collect(self, topic: str, sort: Sort, limit: int) -> Harvest:  # noqa: ARG002 - a feed has one order
        """Fetch and read a feed, in the order of its publisher."""
        from shared.domains.collect.feeds import parse_feed

        last = self._last.get(topic)
        answer = await self._fetch(topic, last)
        if isinstance(answer, NotModified) and last:
            return last.harvest
        fetched = whole(answer)
        harvest = await read(self._box, parse_feed, fetched, topic)
        self._remember(
            topic, _Version(harvest, fetched.validators, fetched.moved_to or (last.moved_to if last else None))
        )
        return harvest

    async def _fetch(self, topic: str, last: _Version | None) -> Fetched | NotModified:
        """Ask where the feed has moved to for good; where it no longer is there, where it was."""
        if last is None:
            return await self._fetcher.fetch(Request(topic, self._limits))
        try:
            return await self._fetcher.fetch(Request(last.moved_to or topic, self._limits, validators=last.validators))
        except FetchRefusedError:
            if last.moved_to is None:
                raise
        self._last.pop(topic, None)
        return await self._fetcher.fetch(Request(topic, self._limits))

    def _remember(self, topic: str, version: _Version) -> None:
        self._last.pop(topic, None)
        if version.validators or version.moved_to:
            self._last[topic] = version
        if len(self._last) > _MOST_FEEDS:
            self._last.popitem(last=False)


@dataclass(frozen=True, slots=True)
class _Version:
    """A feed as this process last read it."""

    harvest: Harvest
    validators: Validators
    moved_to: str | None


class PageSource:
    """Single pages by their addresses."""

    def __init__(self, fetcher: Fetcher, limits: Limits, box: Sandbox) -> None:
        self._fetcher = fetcher
        self._limits = limits
        self._box = box

    def label(self, topic: str) -> str:
        """The page's host."""
        return f"page {host_of(topic)}"

    def slug(self, topic: str) -> str:
        """Host and hash."""
        return slug_of(topic)

    def host(self, topic: str) -> str:
        """The host of the address."""
        return host_of(topic)

    async def collect(self, topic: str, sort: Sort, limit: int) -> Harvest:  # noqa: ARG002 - a page is one item
        """Fetch and read a page."""
        from shared.domains.collect.pages import parse_page

        fetched = whole(await self._fetcher.fetch(Request(topic, self._limits)))
        return await read(self._box, parse_page, fetched, topic)


@cache
def sources(settings: Settings) -> dict[SourceName, Source]:
    """The sources of this process: they share a fetcher, and so a pace for each host."""
    from shared.domains.collect.feeds import ACCEPT as FEEDS
    from shared.domains.collect.pages import ACCEPT as PAGES

    shared, box = shared_fetcher(settings), sandbox(settings)

    def limits(accept: tuple[str, ...]) -> Limits:
        return Limits(accept, settings.of(CollectSettings).max_bytes, settings.fetch_timeout_seconds)

    return {
        "reddit": RedditSource(shared, limits(("application/json", "text/json")), settings),
        "rss": FeedSource(shared, limits(FEEDS), box),
        "web": PageSource(shared, limits(PAGES), box),
    }


def slug_of(url: str) -> str:
    """An address as part of a name: its host for people, a hash for the rest."""
    host = re.sub(r"[^a-z0-9]+", "-", host_of(url)).strip("-")[:60]
    return f"{host}-{hashlib.sha256(url.encode()).hexdigest()[:10]}"
