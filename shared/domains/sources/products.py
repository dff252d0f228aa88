"""What a page says of itself for machines: JSON-LD of schema.org, Open Graph, and the usual tags of its head."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from shared.domains.items.public import Price
from shared.domains.sources.model import Found
from shared.domains.sources.prices import read_amount
from shared.domains.sources.selecting import Page, text_of
from shared.fetch.dates import read_date
from shared.fetch.json_ld import objects_in, types_of
from shared.fetch.pictures import picture
from shared.fetch.text import line, plain

_PRODUCTS = frozenset(
    {"Product", "ProductGroup", "IndividualProduct", "ProductModel", "SomeProducts", "Vehicle", "Book"}
)
_ARTICLES = frozenset({"Article", "NewsArticle", "BlogPosting", "Report", "TechArticle", "LiveBlogPosting", "Recipe"})
_MOST = 5_000
"""Objects of one page that are looked at."""
_TITLES = 20
"""Titles and headings that are tried until one says something."""
_MOST_OFFERS = 50
_DEEPEST_OFFER = 6
"""Offers within offers, and variants within groups, that are followed."""

Fields = dict[str, Any]


def products_of(page: Page, currency: str | None = None) -> list[Found]:
    """The products that a page's JSON-LD tells of, in its order, each once."""
    found = (_found(fields, page, currency) for fields in _described(page, _PRODUCTS))
    return list({each.url or each.title: each for each in found if each.title}.values())


def page_itself(page: Page, currency: str | None = None) -> Found | None:
    """What a page is about: its product or article, filled up with what its head says. None where it has no title."""
    described = next(iter(_described(page, _PRODUCTS)), None) or next(iter(_described(page, _ARTICLES)), None)
    told = _found(described, page, currency) if described else Found(None)
    head = _head(page)
    title = told.title or head.get("og:title") or head.get("twitter:title") or head.get("title", "")
    if not title:
        return None
    sold = head.get("product:price:amount") or head.get("og:price:amount")
    sold_in = head.get("product:price:currency") or head.get("og:price:currency") or currency
    return Found(
        url=page.address(head.get("canonical")) or page.address(head.get("og:url")),
        title=line(title),
        text=told.text or plain(head.get("og:description") or head.get("description")),
        image_url=told.image_url or page.address(head.get("og:image") or head.get("twitter:image")),
        price=told.price or read_amount(sold, sold_in),
        tags=told.tags or _words(head.get("article:tag") or head.get("keywords")),
        published_at=told.published_at or read_date(head.get("article:published_time")),
    )


def _described(page: Page, kinds: frozenset[str]) -> Iterator[Fields]:
    """The objects of these types in a page's JSON-LD, wherever they are: in lists, graphs and lists of items."""
    for fields in islice(objects_in(page.root), _MOST):
        if kinds.intersection(types_of(fields)):
            yield fields


def _found(fields: Fields, page: Page, currency: str | None) -> Found:
    return Found(
        url=page.address(_text(fields.get("url") or fields.get("@id"))),
        title=plain(_text(fields.get("name") or fields.get("headline")), 300),
        text=plain(_text(fields.get("description"))),
        image_url=page.address(_address(fields.get("image"))),
        price=_price(fields, currency),
        tags=_words(fields.get("keywords") or fields.get("category")),
        published_at=read_date(fields.get("datePublished")),
    )


def _price(fields: Fields, currency: str | None, depth: int = 0) -> Price | None:
    """The first price of a product: its own, of its offers, of offers in these, of its variants."""
    sold_in = _code(fields.get("priceCurrency")) or currency
    for name in ("price", "lowPrice"):
        if price := read_amount(fields.get(name), sold_in):
            return price
    if depth >= _DEEPEST_OFFER:
        return None
    for name in ("priceSpecification", "offers", "hasVariant"):
        inner = fields.get(name)
        for each in (inner if isinstance(inner, list) else [inner])[:_MOST_OFFERS]:
            if isinstance(each, dict) and (price := _price(each, sold_in, depth + 1)):
                return price
    return None


def _code(value: Any) -> str | None:
    return value if isinstance(value, str) and re.fullmatch(r"[A-Z]{3}", value) else None


def _address(image: Any) -> str | None:
    """The first address of what may be an address, an object with one, or a list of either."""
    for each in image if isinstance(image, list) else [image]:
        found = each.get("url") or each.get("contentUrl") if isinstance(each, dict) else each
        if isinstance(found, list):
            found = found[0] if found else None
        if _is_text(found) and (address := picture(str(found))):
            return address
    return None


def _words(value: Any) -> tuple[str, ...]:
    """Keywords, given as a list or separated by commas."""
    given = value if isinstance(value, list) else value.split(",") if isinstance(value, str) else []
    words = (line(each, 60) for each in given[:40] if isinstance(each, str))
    return tuple(dict.fromkeys(word for word in words if word))[:20]


def _head(page: Page) -> dict[str, str]:
    """The first content of each `meta`, the title and the canonical link."""
    head: dict[str, str] = {}
    for each in page.root.iter("meta"):
        name = (each.get("property") or each.get("name") or "").strip().lower()
        if name and (content := line(each.get("content") or "", 2048)):
            head.setdefault(name, content)
    titles = (text_of(each) for each in page.root.xpath("//head/title | //h1")[:_TITLES])
    if title := next((text for text in titles if text), None):
        head["title"] = title
    for each in page.root.xpath("//link[@rel='canonical']/@href"):
        head.setdefault("canonical", str(each))
    return head


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())
