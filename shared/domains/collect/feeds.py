"""Feeds: RSS and Atom of every version, read by feedparser, which is shown tidied text and never an address."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

from shared.domains.collect.distinct import distinct
from shared.domains.collect.model import MOST_ITEMS, Harvest, Item, moment
from shared.fetch import Fetched
from shared.fetch.dates import read_date
from shared.fetch.decoding import decode
from shared.fetch.errors import ContentRefusedError
from shared.fetch.pictures import pictures
from shared.fetch.text import Element, fragment, line, plain, text_in
from shared.fetch.tidying import tidied
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

_ENTRY = re.compile(r"<(?:\w{1,20}:)?(?:item|entry)[\s/>]")
_MOST_ENTRIES = 5_000
_LONGEST_AUTHOR = 300
_PICTURE = re.compile(r"\.(?:jpe?g|png|webp|avif|gif)$", re.IGNORECASE)
_USUAL_WIDTH = 720
"""Pixels that suit a page."""

Entry = dict[str, Any]


def parse_feed(fetched: Fetched, topic: str, most: int = MOST_ITEMS) -> Harvest:
    """Read a feed, at most so many items of it. An entry that cannot be read is counted, and refuses nothing but itself.

    Raises:
        ContentRefusedError: it is none.
    """
    # A stream: feedparser would open a text or bytes as a file, or an address, of that name. Markup becomes text below,
    # so that it needs neither cleaning nor resolving there.
    parsed = _feedparser().parse(
        io.BytesIO(_bounded(tidied(decode(fetched.body, fetched.charset))).encode()),
        response_headers={"content-type": "application/xml; charset=utf-8", "content-location": fetched.url},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    if not parsed.get("version") and not parsed.entries:
        raise ContentRefusedError("no feed: neither RSS nor Atom")
    exact = parsed.get("version") == "atom10"
    read = [item for entry in parsed.entries if (item := _item_or_none(entry, fetched.url, topic, exact))]
    items = distinct(read, trust_ids=True)
    unreadable = len(parsed.entries) - len(read)
    return Harvest(
        fetched.url, len(parsed.entries), tuple(items[:most]), {"unreadable": unreadable} if unreadable else {}
    )


@cache
def _feedparser() -> Any:
    """The library, which looks for an address of e-mail in the beginning of an author only: for the square of its length (feedparser#562)."""
    import feedparser
    from feedparser.mixin import _FeedParserMixin as Mixin

    look = Mixin._sync_author_detail  # noqa: SLF001 - there is no other place to get at it

    def bounded(self: Any, key: str = "author") -> None:
        context = self._get_context()
        if isinstance(author := context.get(key), str):
            context[key] = author[:_LONGEST_AUTHOR]
        look(self, key)

    Mixin._sync_author_detail = bounded  # noqa: SLF001
    return feedparser


def _bounded(text: str) -> str:
    """A feed as far as it is read: what comes after very many entries is left out."""
    later = next(islice(_ENTRY.finditer(text), _MOST_ENTRIES, None), None)
    return text[: later.start()] if later else text


def _item_or_none(entry: Entry, base: str, topic: str, exact: bool) -> Item | None:
    try:
        return _item(entry, base, topic, exact)
    except (ValueError, TypeError, AttributeError, KeyError, OverflowError, RecursionError):
        return None


def _item(entry: Entry, base: str, topic: str, exact: bool) -> Item:
    """One entry. In Atom, `exact`, a text says whether it is markup (RFC 4287, 3.1); in RSS it may always be."""
    url = next((found for each in _links(entry) if (found := canonical(each, base))), None)
    markup, kind = _fullest(entry)
    is_plain = exact and kind == "text/plain"
    root = fragment(markup) if not is_plain and ("<" in markup or "&" in markup) else None
    image = next((found for each in _images(entry, root) if (found := canonical(each, url or base))), None)
    text = line(markup if root is None else text_in(root), 2_000)
    is_plain = exact and (entry.get("title_detail") or {}).get("type") == "text/plain"
    title = (line if is_plain else plain)(entry.get("title"), 300) or line(text, 80)
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
        image=image,
        tags=tuple(dict.fromkeys(filter(None, (line(each.get("term"), 60) for each in entry.get("tags") or ()))))[:20],
    )


def _links(entry: Entry) -> Iterator[Any]:
    """Where an entry may be found, the most telling first."""
    yield entry.get("feedburner_origlink")
    yield entry.get("link")
    yield from (each.get("href") for each in entry.get("enclosures") or ())
    if str(entry.get("id", "")).startswith(("http://", "https://")):
        yield entry["id"]


def _fullest(entry: Entry) -> tuple[str, str]:
    """The fullest text that an entry has, and its media type."""
    details = [*(entry.get("content") or ()), {**(entry.get("summary_detail") or {}), "value": entry.get("summary")}]
    texts = [(each["value"], str(each.get("type", ""))) for each in details if isinstance(each.get("value"), str)]
    return max(texts, key=lambda each: len(each[0]), default=("", ""))


def _images(entry: Entry, root: Element | None) -> Iterator[Any]:
    yield from (each.get("url") for each in entry.get("media_thumbnail") or ())
    media = [
        each for each in (*(entry.get("media_content") or ()), *(entry.get("enclosures") or ())) if _is_image(each)
    ]
    yield from (each.get("url") or each.get("href") for each in sorted(media, key=_unsuited))
    yield (entry.get("image") or {}).get("href")
    if root is not None:
        yield from pictures(root)


def _is_image(media: Mapping[str, Any]) -> bool:
    """Whether a piece of media is a picture: by what it says that it is; by its address, where it says nothing."""
    kind, medium = str(media.get("type") or ""), media.get("medium")
    if kind or medium:
        return medium == "image" or kind.startswith("image/")
    return bool(_PICTURE.search(urlsplit(str(media.get("url") or media.get("href") or "")).path))


def _unsuited(media: Mapping[str, Any]) -> float:
    """How little a picture's width suits a page, of several sizes of one; those that say none come first, as they stand."""
    width = _whole(media.get("width"))
    return max(width / _USUAL_WIDTH, _USUAL_WIDTH / width) if width else 0


def _published(entry: Entry) -> str | None:
    """The first date that is one. Asked as a plain dict, an entry does not answer for one date with another."""
    dates = (read_date(dict.get(entry, name)) for name in ("published", "updated", "created"))
    return next((moment(date.timestamp()) for date in dates if date), None)


def _whole(value: Any) -> int | None:
    text = str(value or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _made_id(url: str | None, title: str, text: str) -> str:
    return hashlib.sha256((key(url) if url else f"{title}\n{text}").encode()).hexdigest()[:16]
