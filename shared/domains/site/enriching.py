"""From a collected item to an article: the page behind it where it says little, a summary, topics, reading time, language, picture."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from shared.domains.collect.public import Item, sources
from shared.domains.site.model import Article, Source, article_id_of, fingerprint_of, moment_of
from shared.domains.site.ports import Enricher, Text
from shared.domains.site.settings import SiteSettings
from shared.fetch import FetchError
from shared.fetch.closed import respecting
from shared.fetch.errors import ContentRefusedError
from shared.fetch.urls import canonical, host_of
from shared.jobs import FinalError
from shared.sandbox import Failure, sandbox

if TYPE_CHECKING:
    from shared.jobs import JobContext
    from shared.ports import BlobStore
    from shared.settings import Settings

_LITTLE = 1000
"""Characters below which what a feed has of an article is its beginning, and the page behind it is read."""
_WORDS_A_MINUTE = 238
"""Adults reading English non-fiction silently: Brysbaert, 2019, a review of 190 studies."""
_IDEOGRAPHS_A_MINUTE = 500
_IDEOGRAPH = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_WORD = re.compile(r"[^\W_]+(?:['\u2019-][^\W_]+)*")
_TELLS_A_LANGUAGE = 2000
"""Characters that are enough to tell a language."""
_CUT = "…"
"""The end of a text of which there is more."""


@dataclass(frozen=True, slots=True)
class Collected:
    """An item, and when it was collected."""

    item: Item
    at: datetime

    @property
    def source(self) -> Source:
        """Where it was found."""
        return Source(self.item.source, self.item.topic, self.item.id)


async def collected(blobs: BlobStore, name: str, number: int) -> Collected:
    """Read an item out of what a collection wrote. One storage call.

    Raises:
        FinalError: there is none.
    """
    found = await blobs.read(name)
    if found is None:
        raise FinalError(f"what was collected is gone: {name}")
    try:
        content: dict[str, Any] = json.loads(found.data)
        fields = content["items"][number]
        item = Item(**{**fields, "tags": tuple(fields["tags"])})
        return Collected(item, datetime.fromisoformat(content["submitted_at"]))
    except (ValueError, KeyError, IndexError, TypeError):
        raise FinalError(f"there is no item {number} in {name}") from None


async def made(job: JobContext, enricher: Enricher, it: Collected) -> Article:
    """Make an article of an item.

    Raises:
        EnricherUnavailableError: the service behind the enricher cannot answer now.
    """
    item, whole = it.item, it.item.source != "rss" or len(it.item.text) >= _LITTLE
    if len(item.text) < _LITTLE and job.settings.of(SiteSettings).read_pages and (page := await _page(job, item)):
        item, whole = _with_page(item, page), True
    language = await language_in(job.settings, f"{item.title}. {item.text}")
    tags = item.tags if item.source != "reddit" else (*item.tags, item.topic)
    enriched = await enricher.enrich(Text(item.title, item.text, tags, language))
    return Article(
        article_id=article_id_of(it.item),
        title=item.title,
        url=item.url,
        at=moment_of(item, it.at),
        author=item.author,
        summary=enriched.summary,
        topics=enriched.topics,
        minutes=reading_minutes(item.text) if whole else None,
        language=language,
        image=_picture(item),
        sources=(it.source,),
        length=len(it.item.text),
        fingerprint=fingerprint_of(it.item, enricher.name),
    )


def reading_minutes(text: str) -> int | None:
    """Whole minutes that reading a text takes; None where there is none, or it was cut."""
    if not text or text.endswith(_CUT):
        return None
    ideographs = len(_IDEOGRAPH.findall(text))
    words = len(_WORD.findall(_IDEOGRAPH.sub(" ", text)))
    return max(1, math.ceil(words / _WORDS_A_MINUTE + ideographs / _IDEOGRAPHS_A_MINUTE))


async def language_in(settings: Settings, text: str) -> str | None:
    """The language of a text, told in the sandbox: the dictionaries take time and memory that this process has a better use for."""
    from shared.language import language_of

    found = await sandbox(settings).run(language_of, text[:_TELLS_A_LANGUAGE])
    return None if isinstance(found, Failure) else found


async def _page(job: JobContext, item: Item) -> Item | None:
    """What the page says that an item links to; None where there is none to be read."""
    if not item.url or item.source == "web" or _is_reddits(item.url):
        return None
    reader = sources(job.settings)["web"]
    try:
        async with respecting(job.documents, job.clock, reader.host(item.url)):
            return (await reader.collect(item.url, "new", 1)).items[0]
    except (FetchError, ContentRefusedError) as error:
        job.log.info("page not read, %s:", error.reason)
        return None


def _with_page(item: Item, page: Item) -> Item:
    """The item with the text and picture of its page; on Reddit, its author is that of the post."""
    return replace(
        item,
        text=max(page.text, item.text, key=len),
        image=page.image or item.image,
        author=page.author if item.source == "reddit" else item.author or page.author,
        published=item.published or page.published,
    )


def _is_reddits(url: str) -> bool:
    """Whether it leads to Reddit itself: to a discussion, which is no article, or to a picture or video."""
    host = host_of(url)
    return host in ("redd.it", "reddit.com") or host.endswith((".redd.it", ".reddit.com"))


def _picture(item: Item) -> str | None:
    """The item's picture in its canonical address; none that is known to be smaller than a stamp."""
    found = canonical(item.image) if item.image else None
    return found if found and not re.search(r"\b(?:b|a)\.thumbs\.redditmedia\.com\b", found) else None
