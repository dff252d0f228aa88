"""Listings of Reddit: JSON whose fields may be missing, null, or of another type than last year."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping
from typing import Any

from shared.domains.collect.distinct import distinct
from shared.domains.collect.model import MOST_ITEMS, Harvest, Item, moment
from shared.fetch import Fetched
from shared.fetch.decoding import decode
from shared.fetch.errors import ContentRefusedError
from shared.fetch.text import block, line
from shared.fetch.urls import canonical

SITE = "https://www.reddit.com"
_NOBODY = frozenset({"", "[deleted]", "[removed]"})

Fields = Mapping[str, Any]


def parse_listing(fetched: Fetched, topic: str) -> Harvest:
    """Read a listing: posts, and where it holds them, comments and subreddits.

    Raises:
        ContentRefusedError: it is none.
    """
    children = list(_children(_json(fetched)))
    known = [(kind, fields) for kind, fields in children if kind in _READERS]
    found = [item for kind, fields in known if (item := _item(kind, fields, topic))]
    if children and not found:
        raise ContentRefusedError("the listing holds nothing that can be read")
    unreadable = len(known) - len(found)
    return Harvest(
        fetched.url, len(known), tuple(distinct(found)[:MOST_ITEMS]), {"unreadable": unreadable} if unreadable else {}
    )


def _json(fetched: Fetched) -> Any:
    try:
        return json.loads(decode(fetched.body, fetched.charset))
    except (ValueError, RecursionError):
        raise ContentRefusedError("no listing: not JSON") from None


def _children(content: Any) -> Iterator[tuple[str, Fields]]:
    """The things in a listing, or in the listings of a post's own page."""
    listings = content if isinstance(content, list) else [content]
    if not listings or not all(isinstance(each, dict) and each.get("kind") == "Listing" for each in listings):
        raise ContentRefusedError(_complaint(content))
    for listing in listings:
        data = listing.get("data")
        children = data.get("children") if isinstance(data, dict) else None
        for each in children if isinstance(children, list) else ():
            if isinstance(each, dict) and isinstance(each.get("data"), dict):
                yield str(each.get("kind")), each["data"]


def _complaint(content: Any) -> str:
    """What Reddit says instead of a listing, such as `{"reason": "private", "error": 403}`."""
    said = [line(content.get(name), 80) for name in ("reason", "message")] if isinstance(content, dict) else []
    return ": ".join(["no listing", *(each for each in said if each)])


def _item(kind: str, fields: Fields, topic: str) -> Item | None:
    try:
        return _READERS[kind](fields, topic)
    except (ValueError, TypeError, AttributeError, KeyError, OverflowError):
        return None


def _post(fields: Fields, topic: str) -> Item:
    own = canonical(fields.get("permalink"), SITE)
    linked = canonical(fields.get("url_overridden_by_dest"), SITE) or canonical(_unescaped(fields.get("url")), SITE)
    return Item(
        id=_id("t3", fields),
        title=line(_unescaped(fields.get("title"))),
        url=own if fields.get("is_self") is True and own else linked or own,
        source="reddit",
        topic=topic,
        author=_author(fields),
        published=_published(fields),
        score=_whole(fields.get("score")),
        comments=_whole(fields.get("num_comments")),
        text=block(_unescaped(fields.get("selftext"))),
        image=next(_images(fields), None),
        tags=tuple(filter(None, (line(_unescaped(fields.get("link_flair_text")), 60),))),
    )


def _comment(fields: Fields, topic: str) -> Item:
    text = block(_unescaped(fields.get("body")))
    return Item(
        id=_id("t1", fields),
        title=line(_unescaped(fields.get("link_title"))) or line(text, 80),
        url=canonical(fields.get("permalink"), SITE),
        source="reddit",
        topic=topic,
        author=_author(fields),
        published=_published(fields),
        score=_whole(fields.get("score")),
        comments=_whole(fields.get("num_comments")),
        text=text,
    )


def _subreddit(fields: Fields, topic: str) -> Item:
    return Item(
        id=_id("t5", fields),
        title=line(_unescaped(fields.get("title"))) or line(fields.get("display_name")),
        url=canonical(fields.get("url"), SITE),
        source="reddit",
        topic=topic,
        published=_published(fields),
        score=_whole(fields.get("subscribers")),
        text=block(_unescaped(fields.get("public_description"))),
    )


_READERS = {"t3": _post, "t1": _comment, "t5": _subreddit}


def _images(fields: Fields) -> Iterator[str]:
    """Addresses of the post's preview, then of its thumbnail, which may be a word such as `self`."""
    preview = fields.get("preview")
    images = preview.get("images") if isinstance(preview, dict) else None
    for each in images if isinstance(images, list) else ():
        source = each.get("source") if isinstance(each, dict) else None
        if isinstance(source, dict) and (found := canonical(_unescaped(source.get("url")))):
            yield found
    if found := canonical(_unescaped(fields.get("thumbnail"))):
        yield found


def _id(kind: str, fields: Fields) -> str:
    return line(fields.get("name"), 40) or f"{kind}_{line(fields.get('id'), 40)}"


def _author(fields: Fields) -> str | None:
    name = line(fields.get("author"), 100)
    return None if name in _NOBODY else name


def _published(fields: Fields) -> str | None:
    seconds = fields.get("created_utc")
    return moment(seconds) if isinstance(seconds, int | float) else None


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _unescaped(value: Any) -> Any:
    """Reddit escapes `&`, `<` and `>` unless it is asked for raw JSON."""
    return html.unescape(value) if isinstance(value, str) and "&" in value else value
