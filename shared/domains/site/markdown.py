"""Markdown as HTML that can be shown: made by markdown-it-py, and cleaned by nh3 of whatever is more than text."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_TAGS = {
    "p", "br", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "h2", "h3", "h4", "hr",
    "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
_REL = "noopener noreferrer nofollow"


def rendered(text: str) -> str:
    """HTML of a Markdown text: headings from the second level on, links to the web, no pictures, nothing that runs."""
    import nh3

    html = _markdown().render(text)
    return nh3.clean(
        html, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes={"http", "https", "mailto"}, link_rel=_REL, strip_comments=True
    )  # fmt: skip


def words(text: str) -> str:
    """The plain text of a Markdown text, as one line: for feeds and descriptions."""
    from shared.fetch.text import plain

    return plain(_markdown().render(text))


@cache
def _markdown() -> MarkdownIt:
    """CommonMark without HTML, images, and headings of the first level, which are the page's own."""
    from markdown_it import MarkdownIt

    made = (
        MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).enable(["table", "strikethrough"]).disable("image")
    )
    made.add_render_rule("heading_open", lambda _self, tokens, at, *_: f"<{_level(tokens[at].tag)}>")
    made.add_render_rule("heading_close", lambda _self, tokens, at, *_: f"</{_level(tokens[at].tag)}>")
    return made


def _level(tag: str) -> str:
    return {"h1": "h2", "h5": "h4", "h6": "h4"}.get(tag, tag)
