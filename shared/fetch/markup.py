"""Pages as trees: bounded before a parser sees them, and parsed once for whoever reads them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from shared.fetch.decoding import decode
from shared.fetch.errors import ContentRefusedError

if TYPE_CHECKING:
    from shared.fetch.messages import Fetched

Element = Any
"""An element of lxml, which has no types."""

_MOST_TAGS = 200_000
"""Starts and ends of elements in a page that is read. Each takes some hundred bytes of memory as a tree, and more as it is worked on."""
_TAG = re.compile(r"<[A-Za-z!?/]")
_LONG_TAG = re.compile(r"<([A-Za-z][\w:-]{0,60})[^<>]{2000,}?(/?)>")
_MOST_ATTRIBUTES = 200
_BLANKS = re.compile(r"(?<!\s)\s{500,}")

_MOST_ELEMENTS = 50_000
_MOST_SEARCHED = 1_500_000
"""Elements of a page, times how deep they are nested. XPath's time grows with the square of the one and with the other: beyond
this, one search can take minutes, and nothing can stop it. Pages that people read stay far below."""


def page_tree(fetched: Fetched) -> Element:
    """Parse a page, however broken its markup is. Takes CPU time: not on the event loop.

    Raises:
        ContentRefusedError: there is no markup in it, or the tree would be too large to work with.
    """
    from lxml import html

    markup = _BLANKS.sub("\n", decode(fetched.body, fetched.charset).replace("\0", ""))
    if not _TAG.search(markup):
        raise ContentRefusedError("this is no page: there is no markup in it")
    if markup.count("<") > _MOST_TAGS:
        raise ContentRefusedError("the page is too large to be read")
    markup = _LONG_TAG.sub(_bounded_tag, markup)
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    return html.document_fromstring(markup.encode(errors="replace"), parser=parser)


def require_searchable(root: Element) -> None:
    """Raise ContentRefusedError where a tree is too large, or too deep, to be searched in a time that people wait."""
    elements = int(root.xpath("count(//*)"))
    if elements > _MOST_ELEMENTS or elements * _depth(root) > _MOST_SEARCHED:
        raise ContentRefusedError("the page is too large, or nested too deeply, to be searched")


def _bounded_tag(found: re.Match[str]) -> str:
    return found[0] if found[0].count("=") <= _MOST_ATTRIBUTES else f"<{found[1]}{found[2]}>"


def _depth(root: Element) -> int:
    from lxml.etree import iterwalk

    depth = deepest = 0
    for event, _ in iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        deepest = max(deepest, depth)
    return deepest
