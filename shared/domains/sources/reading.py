"""Reading a source, one way for each kind: what it shows now, or that nothing has changed."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from shared.domains.collect.public import sources
from shared.domains.sources.checkpoint import MOST_SEEN
from shared.domains.sources.model import Found, Source, SourceKind
from shared.domains.sources.settings import ScraperSettings
from shared.fetch import (
    Fetched,
    FetchError,
    FetchRefusedError,
    FetchUnavailableError,
    Limits,
    NotModified,
    Request,
    Validators,
    shared_fetcher,
)
from shared.fetch.errors import ContentRefusedError
from shared.fetch.reading import read, whole
from shared.fetch.text import without_markdown
from shared.sandbox import sandbox

if TYPE_CHECKING:
    from shared.domains.collect.public import Harvest
    from shared.domains.collect.public import Item as Collected
    from shared.domains.sources.sitemaps import Sitemap
    from shared.fetch.polite import Fetcher
    from shared.settings import Settings

_NONE = Validators()
_DEEPEST_INDEX = 3
"""Indexes within indexes that are followed."""
_REDDIT_LIMIT = 100
"""The longest listing that Reddit answers."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a source shows."""

    things: tuple[Found, ...]
    """At most `MOST_SEEN`, the newest or topmost first."""
    total: int
    """How many it holds, those included that are no things of their own."""
    refused: Mapping[str, int] = field(default_factory=dict)
    """Of these, how many cannot be used, by a short word that says why."""
    validators: Validators = _NONE
    """For asking next time whether this is still the current version."""
    moved_to: str | None = None
    """Where the source has moved for good."""


class Reader:
    """Reads sources with the fetcher of this process, by the limits of its settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._chosen = settings.of(ScraperSettings)
        self._fetcher: Fetcher = shared_fetcher(settings)
        self._box = sandbox(settings)

    async def read(self, source: Source) -> Reading | None:
        """Read a source; None where its server says that nothing has changed since it was read last.

        Raises:
            FetchRefusedError: it cannot be fetched.
            FetchUnavailableError: it cannot be fetched for now.
            ContentRefusedError: what came is not what a source of its kind shows.
        """
        return await _WAYS[source.kind](self, source)

    async def page(self, url: str, currency: str | None) -> Found:
        """Read the page behind an address; raises as `read` does."""
        from shared.domains.sources.brands import ACCEPT

        return await read(self._box, _page, whole(await self._get(url, ACCEPT)), currency)

    async def feed(self, source: Source) -> Reading | None:
        """Read a feed."""
        from shared.domains.collect.public import FEED_TYPES as ACCEPT
        from shared.domains.collect.public import parse_feed

        answer = await self._of(source, ACCEPT)
        if isinstance(answer, NotModified):
            return None
        harvest = await read(self._box, parse_feed, answer, source.label, MOST_SEEN)
        return _usable(Reading(_things(harvest), harvest.found, harvest.refused, answer.validators, answer.moved_to))

    async def subreddit(self, source: Source) -> Reading:
        """Read a listing of Reddit."""
        harvest = await sources(self._settings)["reddit"].collect(source.subreddit or "", source.sort, _REDDIT_LIMIT)
        return _usable(Reading(_things(harvest), harvest.found, harvest.refused))

    async def brand_site(self, source: Source) -> Reading | None:
        """Read a brand's page."""
        from shared.domains.sources.brands import ACCEPT, parse_brand_page

        answer = await self._of(source, ACCEPT)
        if isinstance(answer, NotModified):
            return None
        things = await read(self._box, parse_brand_page, answer, source.selectors, source.currency)
        return Reading(tuple(things[:MOST_SEEN]), len(things), {}, answer.validators, answer.moved_to)

    async def sitemap(self, source: Source) -> Reading | None:
        """Read a sitemap. Of an index, its newest files: whether those have changed, the index need not say."""
        from shared.domains.sources.sitemaps import ACCEPT, newest

        answer = await self._of(source, ACCEPT, truncate=True)
        if isinstance(answer, NotModified):
            return None
        sitemap = await self._parsed(answer, source)
        if not sitemap.sitemaps:
            return _usable(Reading(sitemap.pages, sitemap.total, sitemap.refused, answer.validators, answer.moved_to))
        files = await self._files(sitemap.sitemaps, source)
        refused = sum((Counter(each.refused) for each in (sitemap, *files)), Counter[str]())
        return _usable(
            Reading(
                newest(files, MOST_SEEN), sum(each.total for each in files), dict(refused), moved_to=answer.moved_to
            )
        )

    async def _files(self, urls: tuple[str, ...], source: Source) -> list[Sitemap]:
        """The files of an index, and of indexes in it. One that cannot be had is done without; where none can, its error stands."""
        files: list[Sitemap] = []
        failed: FetchError | ContentRefusedError | None = None
        waiting, asked = deque((url, 1) for url in urls), {source.url or ""}
        while waiting and len(asked) <= self._chosen.max_sitemaps:
            url, depth = waiting.popleft()
            if url in asked:
                continue
            asked.add(url)
            try:
                found = await self._parsed(whole(await self._sitemap_file(url)), source)
            except (FetchError, ContentRefusedError) as error:
                failed = failed or error
                continue
            if found.sitemaps and depth < _DEEPEST_INDEX:
                waiting.extendleft((each, depth + 1) for each in reversed(found.sitemaps))
            else:
                files.append(found)
        if failed and not files:
            raise failed
        return files

    async def _sitemap_file(self, url: str) -> Fetched | NotModified:
        from shared.domains.sources.sitemaps import ACCEPT

        return await self._get(url, ACCEPT, truncate=True)

    async def _of(self, source: Source, accept: tuple[str, ...], *, truncate: bool = False) -> Fetched | NotModified:
        """Ask for a source where it has moved to for good; where it no longer is there, where it was."""
        url, moved_to = source.url or "", source.moved_to
        if moved_to:
            with suppress(FetchRefusedError):
                answer = await self._get(moved_to, accept, _validators(source), truncate=truncate)
                return replace(answer, moved_to=answer.moved_to or moved_to)
        return await self._get(url, accept, _validators(source), truncate=truncate)

    async def _parsed(self, fetched: Fetched, source: Source) -> Sitemap:
        from shared.domains.sources.sitemaps import parse_sitemap

        return await read(self._box, parse_sitemap, fetched, MOST_SEEN, source.url or "")

    async def _get(
        self, url: str, accept: tuple[str, ...], validators: Validators = _NONE, *, truncate: bool = False
    ) -> Fetched | NotModified:  # fmt: skip
        limits = Limits(accept, self._chosen.max_bytes, self._settings.fetch_timeout_seconds, truncate)
        return await self._fetcher.fetch(Request(url, limits, validators=validators))


_WAYS: Mapping[SourceKind, Callable[[Reader, Source], Awaitable[Reading | None]]] = {
    SourceKind.REDDIT: Reader.subreddit,
    SourceKind.RSS: Reader.feed,
    SourceKind.SITEMAP: Reader.sitemap,
    SourceKind.BRAND_SITE: Reader.brand_site,
}


@cache
def reader(settings: Settings) -> Reader:
    """The reader of this process."""
    return Reader(settings)


def retry_after(error: FetchError | ContentRefusedError) -> float | None:
    """Seconds after which to try again what a later try may mend; None for what it will not."""
    if not isinstance(error, FetchUnavailableError):
        return None
    return error.retry_after or 0.0


def _usable(reading: Reading) -> Reading:
    """The reading, unless all that it holds was refused: a source like that is not well, whatever its server answers."""
    if reading.refused and not reading.things:
        why = ", ".join(f"{reason} {count}" for reason, count in reading.refused.items())
        raise ContentRefusedError(f"nothing that it shows can be used ({why})")
    return reading


def _validators(source: Source) -> Validators:
    return Validators(source.etag, source.last_modified, source.versioned_url)


def _page(fetched: Fetched, currency: str | None) -> Found:
    from shared.domains.sources.products import page_itself
    from shared.domains.sources.selecting import Page

    found = page_itself(Page.of(fetched), currency)
    if found is None:
        raise ContentRefusedError("the page has no title")
    return found


def _things(harvest: Harvest) -> tuple[Found, ...]:
    """What was collected, without what has neither a title nor an address: some feeds hold empty entries."""
    return tuple(_found(item) for item in harvest.items if item.title or item.url)


def _found(item: Collected) -> Found:
    return Found(
        url=item.url,
        title=item.title,
        id=item.id,
        text=without_markdown(item.text) if item.source == "reddit" else item.text,
        image_url=item.image,
        tags=item.tags,
        score=_popularity(item.score),
        published_at=_moment(item.published),
    )


def _popularity(votes: int | None) -> float:
    """Votes as a share: 10 are 0.2, 1,000 are 0.6, 100,000 and more are 1."""
    return round(min(1.0, math.log10(max(votes or 0, 0) + 1) / 5), 4)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None
