"""JSON-LD in pages, read as browsers' neighbours read it: leniently, since nobody sees what is wrong with it."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from typing import Any

Element = Any
"""An element of lxml, which has no types."""
Fields = dict[str, Any]

_MOST_SCRIPTS = 100
_LONGEST = 2 * 2**20
"""Characters of one script that are read."""
_DEEPEST = 12
_OPENING = re.compile(r"[\s;]*(?:(?://|/\*)\s{0,9})?(?:<!\[CDATA\[|<!--)\s{0,9}(?:\*/)?")
_CLOSING = re.compile(r"(?:(?://|/\*)\s{0,9})?(?:\]\]>|-->)\s{0,9}(?:\*/)?\Z")
_WRAPS = 3
"""A comment around CDATA, and what a content management system puts around both."""
# A string that does not end goes to the end: to look for its end again from each of its marks would take the square of its length.
_LOOSE = re.compile(r'"(?:\\.|[^"\\])*"?|//[^\n]*|/\*.*?(?:\*/|\Z)|,(?=\s*[}\]])', re.DOTALL)
_CONTROLS = re.compile(r"[\x00-\x1f]")
_INSIDE = ("@graph", "itemListElement", "item", "mainEntity", "mainEntityOfPage")


def objects_in(root: Element) -> Iterator[Fields]:
    """The objects that a page tells machines of, wherever they are: in lists, graphs and lists of items."""
    for script in root.xpath("//script[contains(@type, 'ld+json')]")[:_MOST_SCRIPTS]:
        yield from _objects(read_json_ld(script.text or ""), 0)


def read_json_ld(text: str) -> Any:
    """Read a script's JSON; None where it is none.

    Comments and CDATA around it, commas before an end, comments and line breaks within, and quotes written for HTML are forgiven.
    """
    if len(text) > _LONGEST:
        return None
    if "&quot;" in text and '"' not in text:
        text = html.unescape(text)
    bare = _unwrapped(text)
    strict = _parsed(_CONTROLS.sub(" ", bare))
    if strict is not None:
        return strict
    return _parsed(
        _LOOSE.sub(_kept, _LOOSE.sub(_kept, bare))
    )  # a comma may be the last once the comment after it is gone


def types_of(fields: Fields) -> set[str]:
    """An object's types by their bare names: `Product` for `https://schema.org/Product` and `schema:Product` too."""
    given = fields.get("@type")
    return {
        re.split(r"[/:#]", each)[-1]
        for each in (given if isinstance(given, list) else [given])
        if isinstance(each, str)
    }


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None


def _unwrapped(text: str) -> str:
    for _ in range(_WRAPS):
        if opening := _OPENING.match(text):
            text = text[opening.end() :]
        text = text.rstrip(" \t\r\n;")
        if closing := _CLOSING.search(text, max(0, len(text) - 40)):
            text = text[: closing.start()]
    return text


def _kept(found: re.Match[str]) -> str:
    return found[0] if found[0].startswith('"') else " "


def _objects(value: Any, depth: int) -> Iterator[Fields]:
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for each in value:
            yield from _objects(each, depth + 1)
    elif isinstance(value, dict):
        yield value
        for name in _INSIDE:
            if isinstance(value.get(name), list | dict):
                yield from _objects(value[name], depth + 1)
