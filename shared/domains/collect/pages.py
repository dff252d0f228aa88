"""Single pages: title, article, author, date and canonical address, by trafilatura.

Chosen by measurement (docs/explanation/collect.md): of the libraries tried it agrees best with what people marked as the article.
"""

from __future__ import annotations

import copy
import hashlib
import html
import json
import logging
import re
from typing import TYPE_CHECKING, Any, cast

from shared.domains.collect.model import Harvest, Item
from shared.fetch import Fetched
from shared.fetch.errors import ContentRefusedError
from shared.fetch.json_ld import read_json_ld
from shared.fetch.markup import Element, page_tree, require_searchable
from shared.fetch.pictures import picture
from shared.fetch.text import ARTICLE, block, line
from shared.fetch.urls import canonical, key

if TYPE_CHECKING:
    from trafilatura.settings import Document

ACCEPT = ("text/html", "application/xhtml+xml")
_LITTLE = 0.5
"""Share of the text below which what a look keeps is little."""
_TEXTS = ("p", "div", "article", "section", "main", "td", "li", "blockquote", "pre", "span", "dd")
"""Elements whose own words count as text; those of links and headings do not."""
_TAG = re.compile(r"<[^<>]{0,500}>")
_LONGEST_SCRIPT = 300_000
"""Characters of JSON-LD that an article's author and date are looked for in."""
_DATES = {"original_date": True, "extensive_search": False}
"""The day of publication, where the page says so: no guess at a day from some numbers in its text."""


def parse_page(fetched: Fetched, topic: str) -> Harvest:
    """Read a page.

    Raises:
        ContentRefusedError: there is no article in it, or it is too large to look for one.
    """
    tree = page_tree(fetched)
    require_searchable(tree)
    found = extract(tree, fetched.url)
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
        image=canonical(picture(found.image or ""), fetched.url),
    )
    return Harvest(fetched.url, 1, (item,))


def extract(tree: Element, url: str | None) -> Document | None:
    """What trafilatura makes of a page, as the app configures it; None where it finds no article.

    Comments are left out, and precision goes before recall: navigation in an excerpt is worse than a lost caption. Where that keeps little
    of the text that there is, a second look is taken; where it keeps little of what the second finds, precision went too far.
    """
    _tidy_scripts(tree)
    there_is = _text_length(tree)
    precise = _look(tree, url, favor_precision=True)
    if _length(precise) >= _LITTLE * there_is:
        return precise
    usual = _look(tree, url, favor_precision=False)
    return usual if _length(precise) < _LITTLE * _length(usual) else precise


def _tidy_scripts(tree: Element) -> None:
    """Leave JSON-LD only, written as a machine would: trafilatura's patterns take minutes over what is broken."""
    for script in tree.xpath("//script"):
        told = read_json_ld(script.text or "") if "ld+json" in (script.get("type") or "") else None
        text = "" if told is None else json.dumps(_without_markup(told))
        if not text or len(text) > _LONGEST_SCRIPT:
            script.drop_tree()
        else:
            script.text = text


def _without_markup(value: Any) -> Any:
    """JSON whose texts hold nothing that could be taken for the beginning of a tag, once their references are read."""
    if isinstance(value, dict):
        return {str(name): _without_markup(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_without_markup(each) for each in value]
    if isinstance(value, str) and ("<" in value or "&" in value):
        bare = _TAG.sub(" ", html.unescape(value)).replace("<", " ")
        return bare.replace("&", "&amp;")
    return value


def _look(tree: Element, url: str | None, *, favor_precision: bool) -> Document | None:
    from trafilatura import bare_extraction

    for name in ("trafilatura", "htmldate", "courlan"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # they log what they think of each page
    found = bare_extraction(
        copy.deepcopy(tree), url=url, include_comments=False, favor_precision=favor_precision, with_metadata=True,
        date_extraction_params=_DATES,
    )  # fmt: skip
    return cast("Document | None", found)


def _text_length(tree: Element) -> int:
    """Characters of the text that is no link, heading or script."""
    return sum(
        len((each.text or "").strip()) + sum(len((inner.tail or "").strip()) for inner in each)
        for each in tree.iter(*_TEXTS)
    )


def _length(found: Document | None) -> int:
    return len(found.text or "") if found else 0
