"""Feeds: RSS and Atom of every version, read by feedparser, which is shown the bytes and never an address."""

from __future__ import annotations

import calendar
import hashlib
import io
from collections.abc import Iterator
from typing import Any

from shared.domains.collect.distinct import distinct
from shared.domains.collect.model import MOST_ITEMS, Harvest, Item, moment
from shared.fetch import Fetched
from shared.fetch.errors import ContentRefusedError
from shared.fetch.text import image_in, line, plain
from shared.fetch.urls import canonical, key

ACCEPT = (
    "application/rss+xml",
    "application/atom+xml",
    "application/rdf+xml",
    "application/xml",
    "text/xml",
    "text/",
    "application/",
    "*/*",
)
"""Preferred types first. Feeds are served as anything: what is one, its content says."""

Entry = dict[str, Any]


def parse_feed(fetched: Fetched, topic: str, most: int = MOST_ITEMS) -> Harvest:
    """Read a feed, at most so many items of it.

    Raises:
        ContentRefusedError: it is none.
    """
    import feedparser

    # A stream: feedparser would open a text or bytes as a file, or an address, of that name. Markup becomes text below,
    # so that it needs neither cleaning nor resolving there.
    parsed = feedparser.parse(
        io.BytesIO(fetched.body),
        response_headers={"content-type": _kind(fetched), "content-location": fetched.url},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    if not parsed.get("version") and not parsed.entries:
        raise ContentRefusedError("no feed: neither RSS nor Atom")
    items = distinct((_item(entry, fetched.url, topic) for entry in parsed.entries), trust_ids=True)
    return Harvest(fetched.url, len(parsed.entries), tuple(items[:most]))


def _kind(fetched: Fetched) -> str:
    """The media type as feedparser should take it: of `text/` ones it would assume ASCII, whatever the XML itself says.

    The server's word on the encoding goes before the document's (RFC 7303), unless the first bytes belie it.
    """
    belied = b"\0" in fetched.body[:4]  # UTF-16 or UTF-32
    return f"application/xml; charset={fetched.charset}" if fetched.charset and not belied else "application/xml"


def _item(entry: Entry, base: str, topic: str) -> Item:
    url = next((found for each in _links(entry) if (found := canonical(each, base))), None)
    markup = _markup(entry)
    text = plain(markup)
    title = plain(entry.get("title"), 300) or line(text, 80)
    return Item(
        id=line(entry.get("id")) or _made_id(url, title, text),
        title=title,
        url=url,
        source="rss",
        topic=topic,
        author=line(entry.get("author"), 100) or None,
        published=_published(entry),
        comments=_whole(entry.get("slash_comments")),
        text=text,
        image=next((found for each in _images(entry, markup) if (found := canonical(each, url or base))), None),
        tags=tuple(dict.fromkeys(filter(None, (line(each.get("term"), 60) for each in entry.get("tags") or ()))))[:20],
    )


def _links(entry: Entry) -> Iterator[Any]:
    """Where an entry may be found, the most telling first."""
    yield entry.get("feedburner_origlink")
    yield entry.get("link")
    yield from (each.get("href") for each in entry.get("enclosures") or ())
    if str(entry.get("id", "")).startswith(("http://", "https://")):
        yield entry["id"]


def _markup(entry: Entry) -> str:
    """The fullest text that an entry has."""
    contents = [each.get("value") for each in entry.get("content") or ()]
    texts = [each for each in (*contents, entry.get("summary")) if isinstance(each, str)]
    return max(texts, key=len, default="")


def _images(entry: Entry, markup: str) -> Iterator[Any]:
    yield from (each.get("url") for each in entry.get("media_thumbnail") or ())
    for each in (*(entry.get("media_content") or ()), *(entry.get("enclosures") or ())):
        if each.get("medium") == "image" or str(each.get("type", "")).startswith("image/"):
            yield each.get("url") or each.get("href")
    yield (entry.get("image") or {}).get("href")
    yield image_in(markup)


def _published(entry: Entry) -> str | None:
    """The first date that is one. Asked as a plain dict, an entry does not answer for one date with another."""
    for name in ("published_parsed", "updated_parsed", "created_parsed"):
        parts = dict.get(entry, name)
        if parts:
            try:
                return moment(calendar.timegm(parts))
            except (ValueError, OverflowError):
                continue
    return None


def _whole(value: Any) -> int | None:
    text = str(value or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _made_id(url: str | None, title: str, text: str) -> str:
    return hashlib.sha256((key(url) if url else f"{title}\n{text}").encode()).hexdigest()[:16]
