"""CSS selectors over pages that strangers wrote: texts, attributes, pictures."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urljoin

from shared.fetch.markup import page_tree, require_searchable
from shared.fetch.pictures import picture, pictures
from shared.fetch.text import BLOCKS, line
from shared.fetch.urls import canonical

if TYPE_CHECKING:
    from lxml.etree import XPath

    from shared.fetch import Fetched

Element = Any
"""An element of lxml, which has no types."""

_ATTRIBUTE = re.compile(r"(.*?)\s*::attr\(\s*([A-Za-z_][\w:.-]{0,60})\s*\)", re.DOTALL)
_UNSEEN = ("script", "style", "template", "del", "s", "strike")
"""Whose text is no text: code, and what was struck out, such as the price before the sale."""
_GAPS = frozenset(BLOCKS)
_CENTS = re.compile(r"cent|fraction|decimal|minor", re.IGNORECASE)
"""What a page calls the digits after the point, which it sets in small ones, without the point."""
_TRIED = 200
"""Elements that are tried for a text, or a picture, before it counts as missing."""
_WALKED = 5_000
"""Starts and ends of elements among which a text is looked for."""


class Compiled(NamedTuple):
    """A selector ready for use, and the attribute that it asks for, if it does."""

    find: XPath
    attribute: str | None


def checked_selector(selector: str) -> str:
    """Return the selector, or raise ValueError with what is wrong with it."""
    compiled(selector)
    return selector


@lru_cache(512)
def compiled(selector: str) -> Compiled:
    """Read a selector.

    Raises:
        ValueError: it is not one, with what is wrong with it.
    """
    from cssselect import HTMLTranslator, SelectorError
    from lxml.etree import XPath, XPathError

    asked = _ATTRIBUTE.fullmatch(selector)
    css, attribute = (asked[1] or ":scope", asked[2]) if asked else (selector, None)
    try:
        return Compiled(XPath(HTMLTranslator().css_to_xpath(css, prefix="descendant-or-self::")), attribute)
    except (SelectorError, XPathError) as error:
        raise ValueError(f"not a CSS selector: {error}"[:200]) from None


class Page:
    """A parsed page, and what its links are relative to."""

    def __init__(self, root: Element, base: str) -> None:
        self.root = root
        self.base = base

    @classmethod
    def of(cls, fetched: Fetched) -> Page:
        """Parse what was fetched; whatever it is, a tree comes of it. Takes CPU time: not on the event loop.

        Raises:
            ContentRefusedError: the tree is too large, or too deep, to be searched.
        """
        root = page_tree(fetched)
        require_searchable(root)
        based = next(iter(root.xpath("//base/@href")), "")
        return cls(root, canonical(based, fetched.url) or fetched.url)

    def all(self, selector: str) -> list[Element]:
        """Every element that a selector finds, in the page's order."""
        return list(compiled(selector).find(self.root))

    def address(self, url: str | None) -> str | None:
        """An address of the page as a canonical one."""
        return canonical(url, self.base) if url else None

    def absolute(self, url: str) -> str:
        """An address of the page, whatever it is."""
        return urljoin(self.base, url)


def first(element: Element, selector: str) -> Element | None:
    """The first element that a selector finds within an element, itself included."""
    return next(iter(compiled(selector).find(element)), None)


def value(element: Element, selector: str) -> str:
    """The text, or the attribute asked for, of the first element that has one."""
    return next((text for _, text in values(element, selector, text_of)), "")


def values(element: Element, selector: str, read: Callable[[Element], str]) -> Iterator[tuple[Element, str]]:
    """The elements that a selector finds and that say something, each with that: its text, or the attribute asked for."""
    wanted = compiled(selector)
    for each in islice(wanted.find(element), _TRIED):
        if found := line(each.get(wanted.attribute) or "") if wanted.attribute else read(each):
            yield each, found


def text_of(element: Element) -> str:
    """What a reader sees of an element, as one line; of a `meta`, its content."""
    if element.tag == "meta":
        return line(element.get("content") or "")
    return line("".join(_texts(element)))


def price_of(element: Element) -> str:
    """What a reader sees of a price: small digits after large ones are its cents."""
    if element.tag == "meta":
        return text_of(element)
    return line("".join(_texts(element, cents=True)))


def image_of(element: Element, selector: str | None) -> str | None:
    """The address of an element's picture as it is written there: lazily loaded ones too, and the largest of several."""
    if selector is None:
        return next(pictures(element), None)
    wanted = compiled(selector)
    for each in islice(wanted.find(element), _TRIED):
        found = picture(each.get(wanted.attribute) or "") if wanted.attribute else next(pictures(each), None)
        if found:
            return found
    return None


def _texts(element: Element, *, cents: bool = False) -> Iterator[str]:
    """The texts of an element in order, with gaps around what stands in a line of its own."""
    from lxml.etree import iterwalk

    unseen, before = 0, ""
    for event, each in islice(iterwalk(element, events=("start", "end")), _WALKED):
        hidden, gap = each.tag in _UNSEEN, " " if each.tag in _GAPS else ""
        if event == "start":
            unseen += hidden
            text = each.text or ""
            if cents and not unseen and _are_cents(each, text, before):
                text = f".{text.strip()} "
            elif cents and each.tag == "sup":
                text = f" {text}"  # the number of a note
        else:
            unseen -= hidden
            text = (each.tail or "") if each is not element else ""
        if not unseen:
            before = f"{before}{gap}{text}"[-8:]
            yield f"{gap}{text}"


def _are_cents(element: Element, text: str, before: str) -> bool:
    named = element.tag == "sup" or _CENTS.search(element.get("class") or "")
    return bool(named and re.fullmatch(r"\s*\d{2,3}\s*", text) and before.rstrip()[-1:].isdigit())
