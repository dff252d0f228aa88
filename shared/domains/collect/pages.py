"""Single pages: title, article, author, date and canonical address, by trafilatura.

Chosen by measurement (docs/collect.md): of the libraries tried it agrees best with what people marked as the article.
"""

from __future__ import annotations

import hashlib
import logging
import re
from typing import TYPE_CHECKING, cast

from shared.domains.collect.model import Harvest, Item
from shared.fetch import Fetched
from shared.fetch.decoding import decode
from shared.fetch.errors import ContentRefusedError
from shared.fetch.text import ARTICLE, block, line
from shared.fetch.urls import canonical, key

if TYPE_CHECKING:
    from trafilatura.settings import Document

ACCEPT = ("text/html", "application/xhtml+xml")
_BARE = re.compile(r"\s*<(?!!doctype|html|\?xml)[a-z!]", re.IGNORECASE)
_LITTLE = 500
"""Characters of an article below which a second look is taken."""


def parse_page(fetched: Fetched, topic: str) -> Harvest:
    """Read a page.

    Raises:
        ContentRefusedError: there is no article in it.
    """
    found = extract(decode(fetched.body, fetched.charset), fetched.url)
    text = block(found.text, ARTICLE) if found else ""
    if not found or not text:
        raise ContentRefusedError("no article in this page")
    url = canonical(found.url, fetched.url) or canonical(fetched.url)
    item = Item(
        id=hashlib.sha256(key(url or fetched.url).encode()).hexdigest()[:16],
        title=line(found.title) or line(text, 80),
        url=url,
        source="web",
        topic=topic,
        author=line(found.author, 100) or None,
        published=line(found.date, 40) or None,
        text=text,
        image=canonical(found.image, fetched.url),
    )
    return Harvest(fetched.url, 1, (item,))


def extract(markup: str, url: str | None) -> Document | None:
    """What trafilatura makes of a page, as the app configures it; None where it finds no article.

    Comments are left out, and precision goes before recall: navigation in an excerpt is worse than a lost caption. Where
    that leaves next to nothing, of what a second look finds much more of, precision went too far.
    """
    if _BARE.match(markup):
        markup = f"<!doctype html>{markup}"  # HTML does not need the tag, but trafilatura does
    precise = _extract(markup, url, favor_precision=True)
    if precise and len(precise.text or "") >= _LITTLE:
        return precise
    usual = _extract(markup, url, favor_precision=False)
    return usual if _length(usual) > 2 * _length(precise) else precise


def _extract(markup: str, url: str | None, *, favor_precision: bool) -> Document | None:
    from trafilatura import bare_extraction

    for name in ("trafilatura", "htmldate", "courlan"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # they log what they think of each page
    found = bare_extraction(
        markup, url=url, include_comments=False, favor_precision=favor_precision, with_metadata=True
    )
    return cast("Document | None", found)


def _length(found: Document | None) -> int:
    return len(found.text or "") if found else 0
