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
_LONG_TAG = re.compile(r"<([A-Za-z][\w:-]{0,60})[^<>]{2000,}?(/?)>")
_MOST_ATTRIBUTES = 200
_BLANKS = re.compile(r"(?<!\s)\s{500,}")


def page_tree(fetched: Fetched) -> Element:
    """Parse a page; whatever it is, a tree comes of it. Takes CPU time: not on the event loop.

    Raises:
        ContentRefusedError: the tree would be too large to work with.
    """
    from lxml import html

    markup = _BLANKS.sub("\n", decode(fetched.body, fetched.charset).replace("\0", ""))
    if markup.count("<") > _MOST_TAGS:
        raise ContentRefusedError("the page is too large to be read")
    markup = _LONG_TAG.sub(_bounded_tag, markup)
    parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
    return html.document_fromstring(markup.encode(errors="replace") or b"<html></html>", parser=parser)


def _bounded_tag(found: re.Match[str]) -> str:
    return found[0] if found[0].count("=") <= _MOST_ATTRIBUTES else f"<{found[1]}{found[2]}>"
