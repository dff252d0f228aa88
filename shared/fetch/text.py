"""Text from strangers: without markup and control characters, and bounded."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from shared.fetch.tidying import whole_characters

TITLE = 300
"""Characters of a title that are kept."""
EXCERPT = 2_000
"""Characters of a text that are kept."""
ARTICLE = 100_000
"""Characters of a page's article that are kept."""

_UNWANTED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u2060\ufeff\ufffe\uffff\ud800-\udfff]")
_LINK = re.compile(r"!?\[([^\[\]]{0,300})\]\([^()\s]{0,2000}\)")
_MARKS = re.compile(r"\*\*|~~|`|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)|^(?:#{1,6}|>+|[*+-])\s+", re.MULTILINE)
_LONGEST_MARKUP = 200_000
"""Characters of a piece of HTML that are looked at: what is wanted of it is an excerpt."""
BLOCKS = (
    "address", "article", "aside", "blockquote", "br", "caption", "dd", "details", "div", "dl", "dt", "fieldset", "figcaption", "figure",
    "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "img", "li", "main", "nav", "ol", "option", "p", "pre",
    "section", "select", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul", "video",
)  # fmt: skip
"""Elements beside which a reader sees a gap; all others are part of the line, and may be part of a word."""
_UNREAD = ("script", "style", "template", "head")
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]{0,30})(?=[\s/>])")
_STRANGE = re.compile(r"<(?![A-Za-z/!?])")

Element = Any
"""An element of lxml, which has no types."""


def line(value: Any, limit: int = TITLE) -> str:
    """Anything as one line of at most `limit` characters; nothing where it is no text."""
    return _cut(" ".join(_clean(value).split()), limit)


def block(value: Any, limit: int = EXCERPT) -> str:
    """Anything as text whose paragraphs are lines."""
    lines = (" ".join(each.split()) for each in _clean(value).splitlines())
    return _cut("\n".join(each for each in lines if each), limit)


def plain(markup: Any, limit: int = EXCERPT) -> str:
    """The text of a piece of HTML, as one line. What only looks like a tag, such as the `<int>` of `vector<int>`, is text."""
    text = _clean(markup)
    if "<" in text or "&" in text:
        root = fragment(text)
        text = "" if root is None else text_in(root)
    return line(text, limit)


def fragment(markup: str) -> Element | None:
    """A piece of HTML as a tree; None where there is nothing in it."""
    from lxml import etree, html

    try:
        return html.fragment_fromstring(
            _escaped(whole_characters(_clean(markup)[:_LONGEST_MARKUP])), create_parent="div"
        )
    except (etree.LxmlError, ValueError, AssertionError):
        return None


def text_in(root: Element) -> str:
    """What a reader sees of a tree, which is changed by it: gaps between blocks, and none within a line."""
    from lxml import etree

    etree.strip_elements(root, *_UNREAD, etree.Comment, etree.PI, with_tail=False)
    for each in root.iter(*BLOCKS):
        each.text = f" {each.text or ''}"
        each.tail = f" {each.tail or ''}"
    return "".join(root.itertext())


def without_markdown(text: str) -> str:
    """A text without the marks of Markdown: of a link its words, of emphasis, headings, lists and quotes what is in them."""
    text = _LINK.sub(r"\1", text)
    return _MARKS.sub("", text).strip()


def _escaped(markup: str) -> str:
    """Markup in which what is no tag of HTML, nor of anything that is closed again, is escaped."""
    known = _known_tags()
    names = {found[2].lower() for found in _TAG.finditer(markup) if not found[1]} - known
    closed = {found[2].lower() for found in _TAG.finditer(markup) if found[1]}
    unknown = names - closed
    text = _STRANGE.sub("&lt;", markup)
    if not unknown:
        return text
    return _TAG.sub(lambda found: found[0] if found[2].lower() not in unknown else f"&lt;{found[0][1:]}", text)


@cache
def _known_tags() -> frozenset[str]:
    from lxml.html import defs

    return frozenset(defs.tags) | {"picture", "source", "svg", "path", "template", "dialog", "slot", "wbr", "math"}


def _clean(value: Any) -> str:
    return _UNWANTED.sub("", value) if isinstance(value, str) else ""


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
