"""Pages of brands: items by CSS selectors, filled up with, or replaced by, what the page tells machines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from time import thread_time

from shared.domains.items.public import Price
from shared.domains.sources.model import Found, Selectors
from shared.domains.sources.prices import read_amount, read_price
from shared.domains.sources.products import products_of
from shared.domains.sources.selecting import Element, Page, first, image_of, price_of, text_of, value, values
from shared.fetch import Fetched
from shared.fetch.errors import ContentRefusedError
from shared.fetch.urls import key

ACCEPT = ("text/html", "application/xhtml+xml")
_HEADINGS = "h1, h2, h3, h4, h5, h6, [itemprop='name']"
_MOST = 2_000
"""Items of a page that are looked at: twice what is remembered of a source."""
_MOST_SECONDS = 5.0
"""CPU time that is spent on a page's items, some twenty times what so many need. Nested in each other, they need any."""


def parse_brand_page(fetched: Fetched, selectors: Selectors | None, currency: str | None) -> list[Found]:
    """Read a page of items, in its order, each once.

    Raises:
        ContentRefusedError: there are none. The page may have been rebuilt since its selectors were written.
    """
    page = Page.of(fetched)
    told = products_of(page, currency)
    shown = _shown(page, selectors, currency) if selectors else []
    if not shown and not told:
        raise ContentRefusedError(
            "the selector of items finds nothing in this page, and it tells machines of no product"
            if selectors
            else "this page tells machines of no product: it needs selectors"
        )
    by_address = {key(each.url): each for each in told if each.url}
    return [_filled(each, by_address.get(key(each.url)) if each.url else None) for each in shown] or told


def _shown(page: Page, selectors: Selectors, currency: str | None) -> list[Found]:
    found = (_item(page, element, selectors, currency) for element in _in_time(page.all(selectors.item)))
    distinct: dict[str, Found] = {}
    for each in found:
        if each.title and (each.url or each.image_url):
            distinct.setdefault(key(each.url) if each.url else each.title, each)
    return list(distinct.values())


def _in_time(elements: list[Element]) -> Iterator[Element]:
    began = thread_time()
    for element in islice(elements, _MOST):
        if thread_time() - began > _MOST_SECONDS:
            return
        yield element


def _item(page: Page, element: Element, selectors: Selectors, currency: str | None) -> Found:
    return Found(
        url=page.address(_link(element, selectors)),
        title=_title(element, selectors),
        image_url=page.address(image_of(element, selectors.image)),
        price=_price(element, selectors.price, currency) if selectors.price else None,
    )


def _price(element: Element, selector: str, currency: str | None) -> Price | None:
    """A price that is shown, or what the page tells machines of it there: an attribute, or a `meta`."""
    for found, text in values(element, selector, price_of):
        told = "::attr(" in selector or found.tag == "meta"
        return (read_amount if told else read_price)(text, currency)
    return None


def _link(element: Element, selectors: Selectors) -> str | None:
    """The link's address; the selector may find the link, or what is around it, or its attribute."""
    if selectors.link is None:
        return _href(element)
    if "::attr(" in selectors.link:
        return value(element, selectors.link)
    found = first(element, selectors.link)
    return None if found is None else _href(found)


def _href(element: Element) -> str | None:
    return next((str(each) for each in element.xpath("descendant-or-self::a/@href") if each.strip()), None)


def _title(element: Element, selectors: Selectors) -> str:
    if selectors.title:
        return value(element, selectors.title)
    linked = next(iter(element.xpath("descendant-or-self::a")), None)
    named = "" if linked is None else linked.get("title") or linked.get("aria-label") or text_of(linked)
    return value(element, _HEADINGS) or named or value(element, "img::attr(alt)")


def _filled(shown: Found, told: Found | None) -> Found:
    """What the page shows, with what it tells in the places that are empty."""
    if told is None:
        return shown
    return replace(
        shown,
        text=shown.text or told.text,
        image_url=shown.image_url or told.image_url,
        price=shown.price or told.price,
        tags=shown.tags or told.tags,
    )
