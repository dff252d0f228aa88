"""Pages that fail, maps that live elsewhere, sources that move: what is good is read all the same, and what is not says why."""

from __future__ import annotations

import json
from datetime import timedelta
from hashlib import sha256

import pytest
from aiohttp import web

from shared.domains.items.model import Item, Origin, item_id_of
from shared.domains.items.store import ItemStore
from shared.domains.sources import api as over_http
from shared.domains.sources.model import Health, Source, SourceKind
from shared.domains.sources.reading import reader
from shared.domains.sources.store import SourceStore
from shared.fetch import shared_fetcher
from shared.fetch.urls import canonical, key
from shared.web.answers import Problem
from support.calls import call
from support.scraping import Night, feed, product, sitemap


def serve_pages(night: Night, *names: str) -> list[tuple[str, str]]:
    for name in names:
        night.site.serve(f"/p/{name}", product(name, price="10.00", priceCurrency="EUR"), kind="text/html")
    return [(night.site.url(f"/p/{name}"), f"2026-01-{20 - at:02}") for at, name in enumerate(names)]


def another_instance() -> None:
    """Forget what this process knows of hosts."""
    shared_fetcher.cache_clear()
    reader.cache_clear()


async def test_a_page_that_keeps_failing_holds_up_no_other(night: Night) -> None:
    listed = serve_pages(night, "bad", "b", "c", "d", "e")
    night.site.serve("/p/bad", "", status=500)
    night.site.serve("/map.xml", sitemap(*listed), kind="application/xml")
    source_id = await night.add("sitemap", "/map.xml")
    first = await night.scrape(source_id)
    assert (first["new"], first["aside"], first["left"]) == (2, 1, 2)
    second = await night.scrape(source_id)
    assert (second["new"], second["aside"], second["left"]) == (2, 1, 0)
    assert night.site.hits.count("/p/bad") == 1, "it rests"
    assert (await night.source(source_id)).health is Health.HEALTHY
    night.lab.clock.advance(timedelta(days=8).total_seconds())
    await night.scrape(source_id)
    night.lab.clock.advance(timedelta(days=8).total_seconds())
    last = await night.scrape(source_id)
    assert (last["aside"], last["refusals"]) == (0, {"unavailable": 1}), "after so many failures it is given up"
    assert night.site.hits.count("/p/bad") == 3


async def test_a_site_whose_pages_all_fail_fails_and_goes_on_with_others_next_time(night: Night) -> None:
    listed = serve_pages(night, "a", "b", "c", "d")
    for name in "abc":
        night.site.serve(f"/p/{name}", "", status=502)
    night.site.serve("/map.xml", sitemap(*listed), kind="application/xml")
    source_id = await night.add("sitemap", "/map.xml")
    ticket = await night.lab.submit("scrape-source", source_id=source_id, force=True)
    results = night.results(await night.ended(ticket.job.job_id))
    assert (results["outcome"], results["new"]) == ("scraped", 1), "its second attempt came to the page that can be had"


async def test_what_finds_nothing_usable_says_so_and_is_not_healthy(night: Night) -> None:
    elsewhere = [("https://elsewhere.example/1", "2026-01-01"), ("http://a..b.example/", "2026-01-01")]
    night.site.serve("/map.xml", sitemap(*elsewhere), kind="application/xml")
    source_id = await night.add("sitemap", "/map.xml")
    results = await night.scrape(source_id)
    assert results["failed"] == 1
    source = await night.source(source_id)
    assert source.health is Health.FAILING
    assert source.last_run is not None
    assert source.last_run.error == "nothing that it shows can be used (other-site 1, bad-url 1)"


async def test_pages_that_are_all_gone_are_nothing_usable(night: Night) -> None:
    night.site.serve("/map.xml", sitemap((night.site.url("/gone"), "2026-01-01")), kind="application/xml")
    source_id = await night.add("sitemap", "/map.xml")
    await night.scrape(source_id)
    source = await night.source(source_id)
    assert source.health is Health.FAILING
    assert source.last_run is not None
    assert source.last_run.error == "no page that it names can be used (not-served 1)"


async def test_maps_nest_and_each_refusal_has_its_reason(night: Night) -> None:
    listed = serve_pages(night, "a", "b")
    night.site.serve(
        "/pages.xml", sitemap(*listed, ("https://elsewhere.example/x", "2026-01-01")), kind="application/xml"
    )
    for path, inner in (("/inner.xml", "/pages.xml"), ("/outer.xml", "/inner.xml"), ("/index.xml", "/outer.xml")):
        body = sitemap((night.site.url(inner), "2026-01-01"), tag="sitemapindex", entry="sitemap")
        night.site.serve(path, body, kind="application/xml")
    results = await night.scrape(await night.add("sitemap", "/outer.xml"))
    assert (results["new"], results["refusals"]) == (2, {"other-site": 1})
    deep = await night.scrape(await night.add("sitemap", "/index.xml"))
    assert deep["unchanged"] + deep["new"] == 2


async def test_a_feed_that_moved_for_good_is_asked_for_where_it_is(night: Night) -> None:
    night.serve_conditionally("/etag.xml", feed(("a", "Linen")), "application/rss+xml")
    night.site.serve("/moved.xml", status=301, Location="/etag.xml")
    source_id = await night.add("rss", "/moved.xml")
    assert (await night.scrape(source_id))["new"] == 1
    assert (await night.source(source_id)).moved_to == night.site.url("/etag.xml")
    assert (await night.scrape(source_id))["outcome"] == "unchanged"
    asked = [(one.path, one.headers.get("If-None-Match")) for one in night.site.requests if one.path != "/robots.txt"]
    assert asked == [("/moved.xml", None), ("/etag.xml", None), ("/etag.xml", '"v1"')]
    night.site.serve("/etag.xml", status=410)
    night.site.serve("/moved.xml", feed(("b", "Wool")), kind="application/rss+xml")
    assert (await night.scrape(source_id))["new"] == 1, "where it no longer is, it may be back"


async def test_a_host_that_wants_hours_is_left_alone_by_all_its_sources(night: Night) -> None:
    night.site.serve("/a.xml", status=429, Retry_After="18000")
    night.site.serve("/b.xml", feed(("b", "Wool")), kind="application/rss+xml")
    first, second = await night.add("rss", "/a.xml"), await night.add("rss", "/b.xml")
    assert (await night.scrape(first))["failed"] == 1
    due = (await night.source(first)).due_at - night.lab.clock.now()
    assert due >= timedelta(seconds=17_990)
    another_instance()
    assert (await night.scrape(second))["failed"] == 1
    assert night.site.hits == ["/a.xml"], "another instance does not ask either"
    night.lab.clock.advance(18_001)
    another_instance()
    assert (await night.scrape(second))["new"] == 1


async def test_what_was_stored_under_an_address_as_it_was_written_then_stays_there(night: Night) -> None:
    url = "https://shop.example/%d0%bf%d0%b0%d0%bb"
    former = item_id_of("shop.example/%d0%bf%d0%b0%d0%bb?")
    assert former != item_id_of(key(canonical(url) or ""))
    now = night.lab.clock.now()
    stored = Item(former, url, "Coat", "", (Origin("rss_000000000000", "rss", "x"),), now, now)
    await ItemStore(night.lab.documents, night.lab.clock).put(stored)
    entry = f"<item><title>Coat</title><link>{url}</link></item>"
    night.site.serve("/feed", f"<rss version='2.0'><channel>{entry}</channel></rss>", kind="application/rss+xml")
    source_id = await night.add("rss", "/feed")
    await night.scrape(source_id)
    (item,) = await night.items()
    assert (item.item_id, len(item.sources)) == (former, 2)


async def test_a_page_is_read_in_pieces_that_are_refused_one_by_one(night: Night) -> None:
    async def broken(_: web.Request) -> web.Response:
        return web.Response(body=b"\x1f\x8b\x08broken", content_type="text/html")

    night.site.handlers["/p/a"] = broken
    listed = [(night.site.url("/p/a"), "2026-01-02"), *serve_pages(night, "b")]
    night.site.serve("/map.xml", sitemap(*listed), kind="application/xml")
    results = await night.scrape(await night.add("sitemap", "/map.xml"))
    assert (results["new"], results["refused"], results["refusals"]) == (1, 1, {"unreadable": 1})


async def test_a_source_that_was_made_before_addresses_were_normalised_is_the_same_source(night: Night) -> None:
    now = night.lab.clock.now()
    old = Source(id="rss_" + sha256(b"shop.example/%d0%bf?").hexdigest()[:12], kind=SourceKind.RSS, label="x",
                 url="https://shop.example/%d0%bf", created_at=now, updated_at=now, due_at=now)  # fmt: skip
    await SourceStore(night.lab.documents).create(old)
    body = json.dumps({"kind": "rss", "url": "https://shop.example/%D0%BF"}).encode()
    with pytest.raises(Problem) as caught:
        await over_http.create_source(night.lab.app, call(body))
    assert (caught.value.status, caught.value.detail) == (409, f"this is a source already: {old.id}")
