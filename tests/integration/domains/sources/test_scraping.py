"""One source after another: what the first run stores, and what a second one does."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

from aiohttp import web

from shared.domains.items.model import Price
from shared.domains.sources import api as over_http
from shared.domains.sources.model import Health
from support.calls import call
from support.scraping import Night, feed, product, sitemap
from support.sites import listing

BRAND = """<ul>
  <li class=p><a href="/p/1?utm_source=x" title="Linen shirt"><img src="data:image/gif;base64,R0" data-src="/1.jpg"></a>
    <b class=price><s>59,90 €</s> 39,90 €</b></li>
  <li class=p><a href="/p/2"><img srcset="/2s.jpg 200w, /2l.jpg 900w"><h3>Wool coat</h3></a><b class=price>1.299,00 €</b></li>
</ul>"""
SELECTORS = {"item": "li.p", "price": ".price"}


async def test_a_feed_brings_items_once(night: Night) -> None:
    night.site.serve("/feed", feed(("a", "Linen"), ("b", "Wool")), kind="application/rss+xml")
    source_id = await night.add("rss", "/feed", tags=["Fabric"])
    first = await night.scrape(source_id)
    assert (first["found"], first["new"], first["unchanged"]) == (2, 2, 0)
    second = await night.scrape(source_id)
    assert (second["found"], second["new"], second["unchanged"]) == (2, 0, 2)
    items = await night.items()
    assert {item.url: item.title for item in items} == {
        "https://shop.example/a": "Linen",
        "https://shop.example/b": "Wool",
    }
    assert {item.tags for item in items} == {("fabric",)}
    assert {item.source_id for item in items} == {source_id}


async def test_only_what_is_new_or_has_changed_is_written(night: Night) -> None:
    night.site.serve("/feed", feed(("a", "Linen"), ("b", "Wool")), kind="application/rss+xml")
    source_id = await night.add("rss", "/feed")
    await night.scrape(source_id)
    before = {item.url: item for item in await night.items()}
    night.lab.clock.advance(86400)
    night.site.serve("/feed", feed(("c", "Silk"), ("a", "Linen, washed"), ("b", "Wool")), kind="application/rss+xml")
    results = await night.scrape(source_id)
    assert (results["new"], results["changed"], results["unchanged"]) == (1, 1, 1)
    after = {item.url: item for item in await night.items()}
    washed = after["https://shop.example/a"]
    assert (washed.title, washed.version) == ("Linen, washed", 2)
    assert washed.first_seen_at == before["https://shop.example/a"].first_seen_at < washed.updated_at
    assert after["https://shop.example/b"] == before["https://shop.example/b"]
    assert (await night.items())[0].title == "Silk"


async def test_what_has_not_changed_is_not_read(night: Night) -> None:
    night.serve_conditionally("/feed", feed(("a", "Linen")), "application/rss+xml")
    source_id = await night.add("rss", "/feed")
    assert (await night.scrape(source_id))["not_modified"] == 0
    second = await night.scrape(source_id)
    assert (second["outcome"], second["not_modified"], second["found"]) == ("unchanged", 1, 0)
    assert (await night.source(source_id)).health is Health.HEALTHY


async def test_a_source_that_was_changed_while_it_was_scraped_is_read_anew(night: Night) -> None:
    """What its server calls unchanged then was read with the selectors of before."""
    night.serve_conditionally("/shop", BRAND, "text/html")
    serve = night.site.handlers["/shop"]
    source_id = await night.add("brand_site", "/shop", selectors=SELECTORS)

    async def meanwhile(request: web.Request) -> web.StreamResponse:
        night.lab.clock.advance(1)
        body = json.dumps({"selectors": {**SELECTORS, "item": "li:first-child"}}).encode()
        await over_http.change_source(night.lab.app, call(body, source_id=source_id))
        return await serve(request)

    night.site.handlers["/shop"] = meanwhile
    assert (await night.scrape(source_id))["found"] == 2
    night.site.handlers["/shop"] = serve
    assert (await night.scrape(source_id))["found"] == 1


async def test_what_was_too_much_for_one_run_comes_with_the_next(night: Night) -> None:
    entries = [(f"n{number}", f"Title {number}") for number in range(60)]
    night.serve_conditionally("/feed", feed(*entries), "application/rss+xml")
    source_id = await night.add("rss", "/feed")
    first = await night.scrape(source_id)
    assert (first["new"], first["left"]) == (40, 20)
    second = await night.scrape(source_id)
    assert (second["new"], second["left"], second["not_modified"]) == (20, 0, 0)
    assert (await night.scrape(source_id))["not_modified"] == 1
    assert len(await night.items()) == 60


async def test_entries_that_link_to_one_page_are_told_apart(night: Night) -> None:
    night.site.serve("/feed", feed(("a", "One"), link="https://shop.example/log"), kind="application/rss+xml")
    source_id = await night.add("rss", "/feed")
    await night.scrape(source_id)
    entries = [("c", "Three"), ("b", "Two"), ("a", "One")]
    night.site.serve("/feed", feed(*entries, link="https://shop.example/log"), kind="application/rss+xml")
    assert (await night.scrape(source_id))["new"] == 2
    night.site.serve("/feed", feed(*entries[:2], link="https://shop.example/log"), kind="application/rss+xml")
    assert (await night.scrape(source_id))["new"] == 0
    night.site.serve("/feed", feed(entries[0], link="https://shop.example/log"), kind="application/rss+xml")
    assert (await night.scrape(source_id))["new"] == 0
    assert sorted(item.title for item in await night.items()) == ["One", "Three", "Two"]


async def test_a_subreddit(night: Night) -> None:
    night.site.serve("/r/streetwear/hot.json", listing("streetwear", 3), kind="application/json")
    source_id = await night.add("reddit", subreddit="r/streetwear")
    assert (await night.scrape(source_id))["new"] == 3
    items = await night.items(source_id)
    assert {item.tags for item in items} == {("streetwear",)}
    assert sorted(item.score for item in items) == [0.2083, 0.2644, 0.2983]
    assert (await night.scrape(source_id))["new"] == 0


async def test_a_brands_page(night: Night) -> None:
    night.site.serve("/new", BRAND, kind="text/html")
    source_id = await night.add("brand_site", "/new", selectors=SELECTORS)
    assert (await night.scrape(source_id))["new"] == 2
    shirt, coat = sorted(await night.items(), key=lambda item: item.title)
    assert (shirt.title, shirt.url) == ("Linen shirt", night.site.url("/p/1"))
    assert (shirt.image_url, shirt.price) == (night.site.url("/1.jpg"), Price(Decimal("39.90"), "EUR"))
    assert (coat.title, coat.image_url) == ("Wool coat", night.site.url("/2l.jpg"))
    assert coat.price == Price(Decimal("1299.00"), "EUR")


async def test_a_page_that_was_rebuilt_is_reported(night: Night) -> None:
    night.site.serve("/new", BRAND, kind="text/html")
    source_id = await night.add("brand_site", "/new", selectors=SELECTORS)
    await night.scrape(source_id)
    night.site.serve("/new", "<div class=tile>Linen shirt</div>", kind="text/html")
    results = await night.scrape(source_id)
    assert results["failed"] == 1
    assert "the selector of items finds nothing" in results["reason"]
    assert (await night.source(source_id)).health is Health.FAILING


async def test_robots_are_obeyed(night: Night) -> None:
    night.site.serve("/robots.txt", "User-agent: *\nDisallow: /new")
    night.site.serve("/new", BRAND, kind="text/html")
    source_id = await night.add("brand_site", "/new", selectors=SELECTORS)
    assert (await night.scrape(source_id))["reason"].startswith("robots")
    assert night.site.hits == []


async def test_a_sitemap_leads_to_pages_newest_first(night: Night) -> None:
    site = night.site
    for number in range(1, 6):
        site.serve(f"/p/{number}", product(f"Coat {number}", price="99.5", priceCurrency="GBP"), kind="text/html")
    urls = [(site.url(f"/p/{number}"), f"2026-01-0{number}") for number in range(1, 6)]
    site.serve("/sitemap.xml", sitemap(*urls, ("https://elsewhere.example/p", "2026-02-01")), kind="application/xml")
    source_id = await night.add("sitemap", "/sitemap.xml")
    first = await night.scrape(source_id)
    assert (first["found"], first["new"], first["pages"], first["left"]) == (6, 3, 3, 2)
    assert site.hits == ["/sitemap.xml", "/p/5", "/p/4", "/p/3"]
    second = await night.scrape(source_id)
    assert (second["new"], second["pages"], second["left"]) == (2, 2, 0)
    newest = next(item for item in await night.items() if item.title == "Coat 5")
    assert newest.price == Price(Decimal("99.5"), "GBP")
    assert newest.image_url == site.url("/i.jpg")
    assert newest.published_at == datetime(2026, 1, 5, tzinfo=UTC)


async def test_a_page_behind_a_sitemap_that_is_gone_is_asked_for_once(night: Night) -> None:
    site = night.site
    site.serve("/p/1", product("Coat"), kind="text/html")
    urls = [(site.url("/gone"), "2026-01-02"), (site.url("/p/1"), "2026-01-01")]
    site.serve("/sitemap.xml", sitemap(*urls), kind="application/xml")
    source_id = await night.add("sitemap", "/sitemap.xml")
    results = await night.scrape(source_id)
    assert (results["new"], results["refused"], results["left"]) == (1, 1, 0)
    await night.scrape(source_id)
    assert site.hits.count("/gone") == 1
    site.serve("/sitemap.xml", sitemap((site.url("/gone"), "2026-03-01"), urls[1]), kind="application/xml")
    await night.scrape(source_id)
    assert site.hits.count("/gone") == 2


async def test_an_index_of_sitemaps(night: Night) -> None:
    site = night.site
    site.serve("/p/1", product("Coat"), kind="text/html")
    site.serve("/new.xml", sitemap((site.url("/p/1"), "2026-01-01")), kind="application/xml")
    files = [(site.url("/gone.xml"), "2026-01-03"), (site.url("/new.xml"), "2026-01-02")]
    site.serve("/index.xml", sitemap(*files, tag="sitemapindex", entry="sitemap"), kind="application/xml")
    source_id = await night.add("sitemap", "/index.xml")
    assert (await night.scrape(source_id))["new"] == 1


async def test_two_sources_of_one_address_make_one_item(night: Night) -> None:
    night.site.serve("/one", feed(("a", "Linen")), kind="application/rss+xml")
    night.site.serve("/two", feed(("a?utm_medium=rss", "Linen, elsewhere")), kind="application/rss+xml")
    first, second = await night.add("rss", "/one"), await night.add("rss", "/two")
    assert (await night.scrape(first))["new"] == 1
    results = await night.scrape(second)
    assert (results["new"], results["changed"]) == (0, 0)
    (item,) = await night.items()
    assert item.title == "Linen"
    assert [origin.source_id for origin in item.sources] == [first, second]
    assert [item.item_id for item in await night.items(second)] == [item.item_id]
