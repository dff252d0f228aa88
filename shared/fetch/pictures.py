"""The picture of a piece of a page: one reader for pages, and for the markup in feeds.

Pages load pictures late: `src` holds a placeholder, and the picture is in another attribute, in a `noscript`, or in a template with a place
for its width.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

Element = Any
"""An element of lxml, which has no types."""

_LAZY = (
    "data-src",
    "data-lazy-src",
    "data-original",
    "data-original-src",
    "data-lazy",
    "data-image",
    "data-full-src",
    "data-hi-res-src",
    "data-srcset",
    "data-lazy-srcset",
    "data-original-set",
    "data-bg",
)
_PICTURES = """self::meta | self::link
| descendant-or-self::*[self::img or self::amp-img or self::source[parent::picture] or @style or @data-bg]"""
_ADDRESSES = {"meta": ("content",), "link": ("href",)}
_BACKGROUND = re.compile(r"url\(\s*['\"]?([^'\")]{1,2000})")
_DENSITY = re.compile(r"\s([\d.]{1,8})(w|x)$")
_PLACEHOLDER = re.compile(
    r"(data|about|javascript|blob):|#"
    r"|[^?#]{0,2000}(?<![a-z0-9])(1x1|blank|clear|dummy|empty|lazy|lazyload|loader|loading|pixel|placeholder|spacer|spinner|trans|transparent)"
    r"(?:[-_.](1x1|image|img|bg|gif|small))?\.(gif|png|svg|jpe?g|webp)(?:$|[?#])",
    re.IGNORECASE,
)
_TEMPLATE = re.compile(r"\{(width|w|size)\}|%7B(width|w|size)%7D", re.IGNORECASE)
_WIDTHS = re.compile(r"\d{2,4}")
_USUAL_WIDTH = 720
_TRIED = 200
"""Elements that are tried before the picture counts as missing."""
_SMALL = frozenset({"0", "1", "2", "3", "0px", "1px", "2px", "3px"})
"""Widths and heights of pictures that only count who looks."""


def pictures(element: Element) -> Iterator[str]:
    """Addresses of the pictures in an element as they are written there, itself included; of several sizes the largest."""
    for each in islice(element.xpath(_PICTURES), _TRIED):
        if each.get("width") in _SMALL or each.get("height") in _SMALL:
            continue
        for name in _ADDRESSES.get(each.tag, (*_LAZY, "srcset", "src")):
            if found := picture(each.get(name) or "", each.get("data-widths") or ""):
                yield found
        if styled := _BACKGROUND.search(each.get("style") or ""):
            yield from filter(None, (picture(styled[1]),))


def picture(written: str, widths: str = "") -> str:
    """One address out of an attribute: of a `srcset` the largest, of a template the one it makes; nothing of a placeholder.

    Args:
        written: the attribute's value.
        widths: the widths that a template may be filled with, as `data-widths` lists them.
    """
    address = _largest(written.strip())
    if not address or _PLACEHOLDER.match(address):
        return ""
    return _TEMPLATE.sub(str(_width(widths)), address)


def _width(widths: str) -> int:
    """The usual width, or the listed one that is next to it."""
    listed = [int(each) for each in _WIDTHS.findall(widths[:1000])]
    return min(listed, key=lambda width: abs(width - _USUAL_WIDTH), default=_USUAL_WIDTH)


def _largest(written: str) -> str:
    if written.startswith("data:"):
        return ""
    if not _DENSITY.search(written.partition(",")[0].strip()) and not _DENSITY.search(written):
        return written
    # Commas are part of many addresses: candidates end where a comma follows a width or a density, or whitespace does.
    candidates = [each.strip() for each in re.split(r"(?<=[wx])\s*,\s+|,\s+|(?<=\d[wx]),", written) if each.strip()]
    return max(candidates, key=_size, default="").partition(" ")[0]


def _size(candidate: str) -> float:
    found = _DENSITY.search(candidate)
    try:
        return float(found[1]) if found else 1.0
    except ValueError:
        return 0.0
