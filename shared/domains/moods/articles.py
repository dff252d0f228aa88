"""What moods are read from: items that were gathered, and feeds of fashion."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from shared.domains.collect.public import Item as FeedItem
from shared.domains.collect.public import Source, sources
from shared.domains.items.public import Item, ItemStore
from shared.domains.moods.ports import Article
from shared.domains.moods.settings import MoodSettings
from shared.fetch import FetchError
from shared.fetch.closed import respecting
from shared.fetch.errors import ContentRefusedError
from shared.fetch.urls import canonical, host_of, is_front_page, key
from shared.jobs.concurrently import run_all

if TYPE_CHECKING:
    from shared.jobs import JobContext

_FEEDS_AT_ONCE = 8
_FEED_ITEMS = 100
_FEED_TAGS = ("fashion",)
"""Those who configured a feed say that it is about dress."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """Distinct articles of the window, the oldest first."""

    articles: tuple[Article, ...]
    feeds_failed: int


async def gather(job: JobContext) -> Gathered:
    """Read what was published within the window. A feed that fails is counted, and fails nothing else.

    An article counts from when it was published; an item without that date, from when it was first seen. An entry of a
    feed that has no date is left out, since it would be new in each run; so is what claims to come from the future.
    """
    settings = job.settings.of(MoodSettings)
    now = job.clock.now()
    since = now - timedelta(days=settings.window_days)
    found = [one async for one in _items(job, since, settings.max_items)]
    await job.progress("reading feeds", 1, 5)
    feeds = await _feeds(job, settings.feeds)
    found += (one for entries in feeds if entries is not None for one in entries)
    recent = (one for one in found if since <= one.at <= now)
    return Gathered(tuple(sorted(recent, key=lambda one: (one.at, one.key))), feeds.count(None))


async def _items(job: JobContext, since: datetime, limit: int) -> AsyncIterator[Article]:
    async for item in ItemStore(job.documents, job.clock).recent(since, limit):
        yield of_item(item)


async def _feeds(job: JobContext, urls: tuple[str, ...]) -> list[list[Article] | None]:
    """The entries of each feed; None for one that failed."""
    if not urls:
        return []
    source, turn = sources(job.settings)["rss"], asyncio.Semaphore(_FEEDS_AT_ONCE)

    async def read(url: str) -> list[Article] | None:
        async with turn:
            return await _entries(job, source, url)

    return await run_all(map(read, urls))


async def _entries(job: JobContext, source: Source, url: str) -> list[Article] | None:
    try:
        async with respecting(job.documents, job.clock, source.host(url)):
            harvest = await source.collect(url, "new", _FEED_ITEMS)
    except (FetchError, ContentRefusedError) as error:
        job.log.warning("feed not read: host=%s reason=%s", host_of(url), error.reason)
        return None
    return [article for item in harvest.items if (article := of_entry(item))]


def of_item(item: Item) -> Article:
    """An item as an article. Its sources' names say what it is about, as its tags do."""
    at = min(item.published_at or item.first_seen_at, item.first_seen_at)
    tags = (*item.tags, *(origin.label.lower() for origin in item.sources))
    return Article(key_of(item.url, item.title, item.text), item.title, item.text, item.url, tags, _whole(at))


def of_entry(item: FeedItem) -> Article | None:
    """An entry of a feed as an article; None where it has no date."""
    if item.published is None:
        return None
    moment = datetime.fromisoformat(item.published)
    at = _whole(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    return Article(key_of(item.url, item.title, item.text), item.title, item.text, item.url, _FEED_TAGS, at)


def key_of(url: str | None, title: str, text: str) -> str:
    """What makes an article the same one: its address, however it is spelt; its words, where it has no address of its own."""
    if url is None or is_front_page(url):
        return content_key(title, text)
    return _hash(key(canonical(url) or url))


def content_key(title: str, text: str) -> str:
    """A hash of the words of an article, whatever their case and spacing."""
    return _hash(" ".join(f"{title}\n{text}".casefold().split()))


def distinct(articles: Iterable[Article]) -> list[Article]:
    """The articles without those that came before, under their address or with the same words."""
    met: set[str] = set()
    kept = []
    for article in articles:
        keys = {article.key, content_key(article.title, article.text)}
        if met.isdisjoint(keys):
            kept.append(article)
        met |= keys
    return kept


def _whole(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:12]
