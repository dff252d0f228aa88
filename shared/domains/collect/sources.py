"""Where topics come from: three sources behind one protocol."""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from functools import cache
from typing import TYPE_CHECKING, Protocol

from shared.domains.collect.model import Harvest, Sort, SourceName
from shared.domains.collect.reddit import RedditSource
from shared.domains.collect.settings import CollectSettings
from shared.fetch import Limits, NotModified, Request, Validators, shared_fetcher
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
        self._last: OrderedDict[str, tuple[Validators, Harvest]] = OrderedDict()

    def label(self, topic: str) -> str:
        """The feed's host."""
        return f"feed {host_of(topic)}"

    def slug(self, topic: str) -> str:
        """Host and hash."""
        return slug_of(topic)

    async def collect(self, topic: str, sort: Sort, limit: int) -> Harvest:  # noqa: ARG002 - a feed has one order
        """Fetch and read a feed, in the order of its publisher."""
        from shared.domains.collect.feeds import parse_feed

        validators, last = self._last.get(topic, (Validators(), None))
        answer = await self._fetcher.fetch(Request(topic, self._limits, validators=validators))
        if isinstance(answer, NotModified) and last:
            return last
        fetched = whole(answer)
        harvest = await read(self._box, parse_feed, fetched, topic)
        self._remember(topic, fetched.validators, harvest)
        return harvest

    def _remember(self, topic: str, validators: Validators, harvest: Harvest) -> None:
        self._last.pop(topic, None)
        if validators:
            self._last[topic] = validators, harvest
        if len(self._last) > _MOST_FEEDS:
            self._last.popitem(last=False)


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
