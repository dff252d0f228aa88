"""Articles from elsewhere than the collections: a pipeline makes them of its content."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from shared.domains.collect.public import Item
from shared.domains.site.enriching import Collected, language_in, reading_minutes
from shared.domains.site.extractive import MOST_TOPICS, escaped, presentable
from shared.domains.site.model import Article, article_id_of, fingerprint_of, moment_of
from shared.domains.site.ports import Text
from shared.domains.site.services import enricher
from shared.domains.site.settings import SiteSettings
from shared.domains.site.store import ArticleStore
from shared.fetch.text import ARTICLE, EXCERPT, block, line
from shared.fetch.urls import canonical

if TYPE_CHECKING:
    from shared.ports import Clock, DocumentStore
    from shared.settings import Settings

_LONGEST_SUMMARY = 5 * EXCERPT


@dataclass(frozen=True, slots=True)
class Contribution:
    """What somebody else than a collection has for the site."""

    key: str
    """Tells it from others where it has no address: what comes under the same key is the same article, changed."""
    title: str
    origin: str
    """Where it comes from, in words that readers see."""
    url: str | None = None
    text: str = ""
    summary: str | None = None
    """None: the site's enricher makes one, as it does of what was collected."""
    markdown: bool = False
    """Whether the summary is Markdown; else a plain text."""
    topics: tuple[str, ...] = ()
    """Beside them, where there is no summary, those that the enricher finds."""
    language: str | None = None
    """None: it is told by the text."""
    author: str | None = None
    published: str | None = None
    image: str | None = None


async def contribute(given: Contribution, settings: Settings, documents: DocumentStore, clock: Clock) -> str:
    """Have the site show an article from its next edition on, and return the article's id. Safe to do twice.

    Raises:
        ValueError: it has no title.
        EnricherUnavailableError: the service that summarises cannot answer now.
    """
    item = _item(given)
    if not item.title:
        raise ValueError("an article needs a title")
    chosen, it = enricher(settings), Collected(item, clock.now())
    summary = _markdown(given) if given.summary else None
    made_by = chosen.name if summary is None else hashlib.sha256(summary.encode()).hexdigest()
    store = ArticleStore(documents, clock, timedelta(days=settings.of(SiteSettings).keep_days))
    article_id = article_id_of(item if item.url else replace(item, title=given.key, text=""))
    fingerprint = fingerprint_of(item, f"{made_by} {given.language}")
    known = await store.get(article_id)
    if known and known.covers(it.source, fingerprint, len(item.text)):
        await store.found_in(article_id, it.source)
        return article_id
    language = given.language or await language_in(settings, f"{item.title}. {item.text}")
    topics = tuple(filter(None, map(presentable, item.tags)))[:MOST_TOPICS]
    if summary is None:
        made = await chosen.enrich(Text(item.title, item.text, item.tags, language))
        summary, topics = made.summary, made.topics
    article = Article(
        article_id=article_id, title=item.title, url=item.url, at=moment_of(item, it.at), author=item.author, summary=summary,
        topics=topics, minutes=reading_minutes(item.text), language=language, image=item.image, sources=(it.source,),
        length=len(item.text), fingerprint=fingerprint,
    )  # fmt: skip
    await store.put(article)
    return article_id


def _item(given: Contribution) -> Item:
    """As a collection would have it: texts without control characters, and bounded."""
    return Item(
        id=given.key, title=line(given.title), url=canonical(given.url) if given.url else None, source="pipeline", topic=line(given.origin),
        author=line(given.author) or None, published=given.published, text=block(given.text, ARTICLE),
        image=canonical(given.image) if given.image else None, tags=tuple(line(each) for each in given.topics),
    )  # fmt: skip


def _markdown(given: Contribution) -> str:
    """The summary as Markdown; a plain one says in it what it said, each line a paragraph."""
    if given.markdown:
        lines = [(each, each.lstrip(" ")) for each in (given.summary or "").splitlines()]
        whole = "\n".join(" " * (len(each) - len(said)) + line(said, _LONGEST_SUMMARY) for each, said in lines)
        return whole[:_LONGEST_SUMMARY]
    return "\n\n".join(map(escaped, block(given.summary, _LONGEST_SUMMARY).splitlines()))
