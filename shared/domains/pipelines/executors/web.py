"""Pages of the web, fetched politely, and read where a parser can be killed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, model_validator

from shared.domains.pipelines.content import Content, content_id
from shared.domains.pipelines.executing import ContentError, Found, InputSettings, Run, input_executor
from shared.domains.pipelines.executors.fields import Data
from shared.domains.pipelines.executors.forms import Names, TextMap
from shared.domains.pipelines.executors.storage import limit_of
from shared.fetch import FetchRefusedError, FetchUnavailableError, Limits, Request, shared_fetcher
from shared.fetch.errors import ContentRefusedError
from shared.fetch.reading import read, whole
from shared.fetch.urls import address, host_of
from shared.jobs import RetryLater
from shared.sandbox import sandbox

if TYPE_CHECKING:
    from shared.fetch import Fetched

_PAGES = ("text/html", "application/xhtml+xml")
_MOST_LINKS = 2000
_LONGEST_VALUE = 200_000
"""Characters of a selected element's text that are kept."""


class ScraperSettings(InputSettings):
    """Where to begin, how far to go, and what to take of each page."""

    ignored: ClassVar[frozenset[str]] = frozenset(
        {
            "screenshot_full_page", "screenshot_selector", "screenshot_type", "screenshot_quality", "screenshot_save_to_file",
            "screenshot_output_dir", "screenshot_filename_template",
        }
    )  # fmt: skip

    start_urls: Names = Field(
        default=(), description="Addresses to begin at.", examples=[["https://example.com/blog/"]]
    )
    url_pattern: str | None = Field(
        default=None, description="An address to begin at, and a pattern for links: `*` stands for anything."
    )
    link_patterns: Names = Field(
        default=(),
        description="Patterns of links that are followed, `*` stands for anything; none: those of the same host.",
    )
    selectors: TextMap = Field(
        default={"title": "title", "body": "body"},
        description="Names of fields, each with a CSS selector or an XPath (which begins with `/`); `time@datetime` takes an attribute.",
    )
    render_js: bool = Field(default=True, description="Taken; pages are read as they are served, and no script is run.")
    follow_links: bool = Field(default=False, description="Whether links are followed.")
    max_depth: int = Field(
        default=1, ge=0, le=10, description="Most links between a page and the one that was begun at."
    )
    rate_limit: float = Field(
        default=1.0,
        ge=0.1,
        le=10,
        description="Most pages a second; a host's own pace and FETCH_HOST_INTERVAL_SECONDS hold as well.",
    )
    max_pages: int = Field(default=100, ge=1, le=1000, description="Most pages of one look.")
    wait_for_selector: str | None = Field(default=None, description="Pages without such an element are left out.")
    include_html: bool = Field(default=False, description="Write the page's markup, too.")
    user_agent: str | None = Field(
        default=None, description="Without effect: the app says who it is, and whom to ask about it (FETCH_CONTACT)."
    )
    screenshot_enabled: bool = Field(default=False, description="Without effect: there is no browser here.")
    output_field: str = Field(default="web_scraping_output", description="Field of what was read.")

    @model_validator(mode="after")
    def _begins_somewhere(self) -> ScraperSettings:
        for each in self.beginnings():
            if address(each) is None:
                raise ValueError(f"start_urls: {each!r} is no http or https address")
        if not self.beginnings():
            raise ValueError("start_urls is needed")
        return self

    def beginnings(self) -> list[str]:
        """The addresses to begin at."""
        return [*self.start_urls, *([self.url_pattern.rstrip("*")] if self.url_pattern else [])]


@input_executor(
    "web_scraper",
    settings=ScraperSettings,
    example={
        "start_urls": ["https://example.com/blog/"],
        "follow_links": True,
        "selectors": {"title": "h1", "date": "time@datetime"},
    },
)
async def web_scraper(settings: ScraperSettings, run: Run) -> AsyncIterator[Found]:
    """Read pages of the web, and follow their links.

    Through the app's fetcher: public addresses only, robots.txt obeyed, a pace for each host, limits of size and time. Pages are parsed in the sandbox. Writes `url`, `title`,
    `links`, `extracted_fields`, `text` and, if asked for, `html`. A page that has changed is another item. A page that cannot be had is left out, unless it is the only one to begin at.
    """
    patterns = [
        _pattern(each) for each in (*settings.link_patterns, *([settings.url_pattern] if settings.url_pattern else []))
    ]
    begun = [url for each in settings.beginnings() if (url := address(each))]
    hosts = {host_of(each) for each in begun}
    queue = [(url, 0) for url in dict.fromkeys(begun)]
    seen, count = set(begun), 0
    while queue and count < settings.max_pages:
        url, depth = queue.pop(0)
        if count:
            await run.clock.sleep(1 / settings.rate_limit)
        page = await _page(url, settings, run, alone=len(begun) == 1 and depth == 0)
        count += 1
        if page is None:
            continue
        yield _found(url, page, settings, run)
        if settings.follow_links and depth < settings.max_depth:
            links = [each for each in page["links"] if _follows(each, patterns, hosts) and each not in seen]
            seen.update(links)
            queue += [(each, depth + 1) for each in dict.fromkeys(links)]


async def fetched(run: Run, url: str, kinds: tuple[str, ...] = ("*/*",)) -> Fetched:
    """What an address serves.

    Raises:
        ContentError: it is refused, and will be again.
        RetryLater: it is not to be had now.
    """
    limits = Limits(kinds, limit_of(run), run.settings.fetch_timeout_seconds)
    try:
        return whole(await shared_fetcher(run.settings).fetch(Request(url, limits)))
    except (FetchRefusedError, ContentRefusedError) as error:
        raise ContentError(f"{url} cannot be fetched: {error}") from None
    except FetchUnavailableError as error:
        raise RetryLater(error.retry_after or 0.0, f"{url} cannot be fetched now: {error}") from None


async def _page(url: str, settings: ScraperSettings, run: Run, *, alone: bool) -> Data | None:
    try:
        answer = await fetched(run, url, _PAGES)
        page = await read(
            sandbox(run.settings),
            read_page,
            answer,
            dict(settings.selectors),
            settings.include_html,
            settings.wait_for_selector,
        )
    except (ContentError, ContentRefusedError, RetryLater) as error:
        if alone and isinstance(error, ContentRefusedError):
            raise ContentError(f"{url} cannot be read: {error}") from None
        if alone:
            raise
        run.log.warning("page left out: host=%s cause=%s", host_of(url), type(error).__name__)
        return None
    return page


def read_page(page: Fetched, selectors: dict[str, str], with_html: bool, wanted: str | None) -> Data | None:
    """What a page says: title, links, selected fields and text; None where it lacks the element that is wanted. Runs in the sandbox."""
    from lxml import etree

    from shared.fetch.markup import page_tree, require_searchable
    from shared.fetch.text import text_in

    tree = page_tree(page)
    require_searchable(tree)
    if wanted and not _select(tree, wanted):
        return None
    found = {name: _value(tree, selector) for name, selector in selectors.items()}
    links = [
        url for each in tree.xpath("//a[@href]")[: 2 * _MOST_LINKS] if (url := address(each.get("href"), page.url))
    ]
    html = etree.tostring(tree, encoding="unicode", method="html") if with_html else None
    title = " ".join("".join(tree.xpath("//title[1]//text()")).split())
    text = "\n".join(each for line in text_in(tree).splitlines() if (each := " ".join(line.split())))
    return {
        "url": page.url, "title": title, "links": list(dict.fromkeys(links))[:_MOST_LINKS], "extracted_fields": found, "text": text,
        **({"html": html} if html is not None else {}),
    }  # fmt: skip


def _value(tree: Any, selector: str) -> str | None:
    """The text of the first element that a selector finds, or an attribute of it."""
    path, sign, attribute = selector.rpartition("@") if not selector.startswith("/") else (selector, "", "")
    for each in _select(tree, path if sign else selector):
        if isinstance(each, str):
            return " ".join(each.split())[:_LONGEST_VALUE]
        value = each.get(attribute.strip()) if sign else "".join(each.itertext())
        if value is not None:
            return " ".join(value.split())[:_LONGEST_VALUE]
    return None


def _select(tree: Any, selector: str) -> list[Any]:
    from cssselect import SelectorError
    from lxml import etree

    try:
        found = tree.xpath(selector) if selector.startswith("/") else tree.cssselect(selector)
    except (SelectorError, etree.XPathError):
        raise ContentRefusedError(f"no selector: {selector!r}") from None
    return found if isinstance(found, list) else [str(found)]


def _found(url: str, page: Data, settings: ScraperSettings, run: Run) -> Found:
    version = hashlib.sha256(repr((page["title"], page["extracted_fields"], page["text"])).encode()).hexdigest()
    known = content_id(
        url,
        version,
        source_name="web_scraper",
        source_type="webpage",
        path=url,
        filename=url.rstrip("/").rpartition("/")[2] or None,
    )
    output = {**page, "timestamp": run.clock.now().isoformat()}
    return Found(Content(id=known, data={settings.output_field: output, "url": page["url"]}, summary_data={"url": url}))


def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(each) for each in text.strip().split("*")))


def _follows(url: str, patterns: list[re.Pattern[str]], hosts: set[str]) -> bool:
    return any(each.fullmatch(url) for each in patterns) if patterns else host_of(url) in hosts


class FeedSettings(InputSettings):
    """Which feeds."""

    feeds: Names = Field(
        min_length=1, description="Addresses of RSS or Atom feeds.", examples=[["https://example.com/feed.xml"]]
    )
    max_per_feed: int = Field(
        default=100, ge=1, le=1000, description="Most entries of one feed that are looked at, as the feed has them."
    )
    order: Literal["feed"] = Field(default="feed", description="Order of the entries: the feed's own.")

    @model_validator(mode="after")
    def _addresses(self) -> FeedSettings:
        for each in self.feeds:
            if address(each) is None:
                raise ValueError(f"feeds: {each!r} is no http or https address")
        return self


@input_executor("rss_input", settings=FeedSettings, example={"feeds": ["https://example.com/feed.xml"]})
async def rss_input(settings: FeedSettings, run: Run) -> AsyncIterator[Found]:
    """Find the entries of RSS and Atom feeds.

    Items have `title`, `url`, `text`, `author`, `published`, `tags` and `feed`; `content_retriever` fetches the page behind one. An entry whose title or text has changed is another item. A
    feed that cannot be had is left out, unless there is only one.
    """
    from shared.domains.collect.public import FEED_TYPES, parse_feed

    for url in settings.feeds:
        try:
            answer = await fetched(run, url, FEED_TYPES)
            harvest = await read(sandbox(run.settings), parse_feed, answer, url, settings.max_per_feed)
        except (ContentError, ContentRefusedError, RetryLater) as error:
            if len(settings.feeds) > 1:
                run.log.warning("feed left out: host=%s cause=%s", host_of(url), type(error).__name__)
                continue
            raise (error if not isinstance(error, ContentRefusedError) else ContentError(f"{url}: {error}")) from None
        for entry in harvest.items:
            version = hashlib.sha256(f"{entry.title}\n{entry.text}".encode()).hexdigest()
            known = content_id(
                entry.url or f"{url}#{entry.id}", version, source_name=host_of(url), source_type="feed", container=url, path=entry.url,
            )  # fmt: skip
            data = {
                "title": entry.title, "url": entry.url, "text": entry.text, "author": entry.author, "published": entry.published,
                "tags": list(entry.tags), "feed": url, "image": entry.image,
            }  # fmt: skip
            yield Found(Content(id=known, data=data))
