"""Pages of brands: selectors, lazy pictures, links, prices, and what a page tells machines."""

from __future__ import annotations

import json
import time
from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest

from shared.domains.items.model import Price
from shared.domains.sources.brands import parse_brand_page
from shared.domains.sources.model import Found, Selectors
from shared.domains.sources.products import page_itself
from shared.domains.sources.selecting import Page, checked_selector
from shared.fetch import Fetched
from shared.fetch.errors import ContentRefusedError

URL = "https://brand.example/new/index.html"


def parsed(markup: str, currency: str | None = None, **selectors: str) -> list[Found]:
    chosen = Selectors(**selectors) if selectors else None
    return parse_brand_page(Fetched(markup.encode(), "text/html", URL, "utf-8"), chosen, currency)


def only(markup: str, currency: str | None = None, **selectors: str) -> Found:
    (found,) = parsed(markup, currency, **{"item": ".p", **selectors})
    return found


def told(*things: Any) -> str:
    scripts = "".join(f'<script type="application/ld+json">{json.dumps(each)}</script>' for each in things)
    return f"<html><head>{scripts}</head><body>x</body></html>"


def test_links_are_relative_to_the_page_or_to_its_base() -> None:
    item = "<div class=p><a href='../p/1#top'>Coat</a></div>"
    assert only(item).url == "https://brand.example/p/1"
    assert only(f"<head><base href='https://brand.example/de/x/'></head>{item}").url == "https://brand.example/de/p/1"
    assert only("<a class=p href=//shop.example/1>Coat</a>").url == "https://shop.example/1"
    assert only("<div class=p><h2>Coat</h2><a href='javascript:x()'><img src=/a.jpg></a></div>").url is None


@pytest.mark.parametrize(
    ("image", "wanted"),
    [
        ("<img src=/a.jpg>", "/a.jpg"),
        ("<img src='data:image/gif;base64,R0lG' data-src=/a.jpg>", "/a.jpg"),
        ("<img src=/spinner.gif data-srcset='/s.jpg 200w, /l.jpg 900w'>", "/l.jpg"),
        ("<img srcset='/one.jpg, /two.jpg 2x' src=/one.jpg>", "/two.jpg"),
        ("<img src=/t/w_100,h_200/a.jpg>", "/t/w_100,h_200/a.jpg"),
        ("<img srcset='/w_1,h_2/a.jpg 100w, /w_9,h_9/a.jpg 900w'>", "/w_9,h_9/a.jpg"),
        ("<picture><source srcset='/a.webp 1x'><img src=/a.jpg></picture>", "/a.webp"),
        ("<noscript><img src=/a.jpg></noscript>", "/a.jpg"),
        ("<div style=\"background-image: url('/a.jpg')\"></div>", "/a.jpg"),
        ("<img src='//cdn.example/a.jpg'>", "//cdn.example/a.jpg"),
        ("<video><source src=/a.mp4></video><img src=/a.jpg>", "/a.jpg"),
    ],
)
def test_pictures(image: str, wanted: str) -> None:
    found = only(f"<div class=p><a href=/p>Coat</a>{image}</div>")
    assert found.image_url == (f"https:{wanted}" if wanted.startswith("//") else f"https://brand.example{wanted}")


def test_titles_by_default() -> None:
    assert only("<div class=p><a href=/p><img alt=x></a><h3> Wool\n coat </h3></div>").title == "Wool coat"
    assert only("<a class=p href=/p title='Wool coat'><img alt=x></a>").title == "Wool coat"
    assert only("<a class=p href=/p>Wool <b>coat</b><script>x()</script></a>").title == "Wool coat"
    assert only("<a class=p href=/p><img alt='Wool coat'></a>").title == "Wool coat"


def test_selectors_and_attributes() -> None:
    markup = """<article class=p data-name="Wool coat" data-price="129.5" data-href=/p/1>
      <span class=t>Other</span><i data-pic=/x.jpg></i><s class=m>200 €</s><em class=m><del>150 €</del> 129,50 €</em>
    </article>"""
    found = only(
        markup, title="::attr(data-name)", link="::attr(data-href)", image="i::attr(data-pic)", price="em.m, .none"
    )
    assert (found.title, found.url) == ("Wool coat", "https://brand.example/p/1")
    assert found.image_url == "https://brand.example/x.jpg"
    assert found.price == Price(Decimal("129.50"), "EUR")
    assert only(
        markup, currency="SEK", link="::attr(data-href)", title=".t", price="::attr(data-price)"
    ).price == Price(Decimal("129.5"), "SEK")


def test_the_first_that_has_a_text_counts() -> None:
    assert only("<div class=p><a href=/p>x</a><b class=t> </b><b class=t>Coat</b></div>", title=".t").title == "Coat"


def test_each_item_once() -> None:
    tile = "<div class=p><a href=/p/1?utm_source=a>Coat</a></div>"
    assert len(parsed(tile + tile.replace("utm_source=a", "utm_source=b"), item=".p")) == 1


PRODUCT = {
    "@context": "https://schema.org",
    "@type": "Product",
    "name": "Wool &amp; silk coat",
    "url": "/p/1",
    "image": [{"@type": "ImageObject", "url": "/1.jpg"}],
    "offers": {"@type": "AggregateOffer", "lowPrice": "129.00", "priceCurrency": "GBP"},
}


@pytest.mark.parametrize(
    "shape",
    [
        PRODUCT,
        [PRODUCT],
        {"@graph": [{"@type": "WebSite"}, PRODUCT]},
        {"@type": "ItemList", "itemListElement": [{"@type": "ListItem", "position": 1, "item": PRODUCT}]},
        {"@type": "CollectionPage", "mainEntity": {"@type": "ItemList", "itemListElement": [PRODUCT]}},
        PRODUCT | {"@type": ["Product", "Thing"], "image": "/1.jpg"},
        PRODUCT | {"offers": [{"@type": "Offer", "price": 129, "priceCurrency": "GBP"}], "image": {"url": "/1.jpg"}},
        PRODUCT | {"offers": {"priceSpecification": [{"price": "129.00", "priceCurrency": "GBP"}]}},
    ],
)
def test_what_a_page_tells_machines(shape: Any) -> None:
    (found,) = parsed(told(shape))
    assert found.title == "Wool & silk coat"
    assert found.url == "https://brand.example/p/1"
    assert found.image_url == "https://brand.example/1.jpg"
    assert found.price == Price(Decimal(129), "GBP")


def test_it_fills_up_what_the_page_does_not_show_and_steps_in_for_broken_selectors() -> None:
    page = told(PRODUCT).replace("<body>", "<body><div class=p><a href=/p/1>Coat</a></div>")
    (shown,) = parsed(page, item=".p")
    assert (shown.title, shown.image_url) == ("Coat", "https://brand.example/1.jpg")
    assert shown.price == Price(Decimal("129.00"), "GBP")
    assert [each.title for each in parsed(page, item=".gone")] == ["Wool & silk coat"]


def test_a_page_that_shows_nothing_is_refused() -> None:
    with pytest.raises(ContentRefusedError, match="selector of items finds nothing"):
        parsed("<p>x</p>", item=".p")
    with pytest.raises(ContentRefusedError, match="needs selectors"):
        parsed("<p>x</p>")


@pytest.mark.parametrize(
    "markup",
    [
        "",
        "\0" * 100,
        "<" * 50_000,
        "<div>" * 50_000,
        "<div class=p>" * 3_000,
        ("<div class=p><h1>x" * 120 + "</div>" * 120) * 200,
        "<i class=p><a href=/x>x</a></i>" * 20_000,
        '<script type="application/ld+json">' + "[" * 100_000,
        '<script type="application/ld+json">' + json.dumps({"@type": "Product", "name": 1, "offers": [1, None]}),
        '<script type="application/ld+json">' + json.dumps({"@type": "Product", "name": {}, "image": [[]], "url": []}),
        '<?xml version="1.0" encoding="utf-16"?><html><body>x</body></html>',
        "<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><a class=p href=/>&a;</a>",
        "<base href='http://['><a class=p href='http://['>x</a>",
    ],
    ids=[
        "empty",
        "nul",
        "angles",
        "deep",
        "nested",
        "nested often",
        "many",
        "brackets",
        "odd",
        "odder",
        "utf16",
        "entity",
        "addresses",
    ],
)
def test_hostile_pages_are_read_or_refused_in_good_time(markup: str) -> None:
    begun = time.process_time()
    found: list[Found] = []
    with suppress(ContentRefusedError):
        found = parsed(markup, item=".p", price=".price", title=".t, a")
    with suppress(ContentRefusedError):
        page_itself(Page.of(Fetched(markup.encode(), "text/html", URL)))
    assert time.process_time() - begun < 10
    assert not any("root:" in each.title for each in found)


@pytest.mark.parametrize("selector", ["a b > c", "li:nth-child(2n)", "div:has(> a)", "::attr(href)", "a::attr(data-x)"])
def test_selectors_that_are_taken(selector: str) -> None:
    assert checked_selector(selector) == selector


@pytest.mark.parametrize("selector", ["", "a[", "a::before", "..", "a:unknown", "//a", "a::attr()"])
def test_selectors_that_are_not(selector: str) -> None:
    with pytest.raises(ValueError, match="not a CSS selector"):
        checked_selector(selector)
