"""Executors that read the web: a real site on this machine, the app's own fetcher and sandbox."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import ValidationError

from shared.domains.pipelines.catalogue import executors
from shared.domains.pipelines.executing import ContentError
from shared.jobs import RetryLater
from support.executors import Bench, item
from support.sites import Site, open_site

BLOG = """<html><head><title> The  blog </title><script>alert(1)</script></head><body><h1 class="t">Hello</h1>
<time datetime="2026-01-05">today</time><a href="/blog/a?utm_source=x">a</a><a href="/about">about</a><a href="https://other.example/">x</a>
<a href="javascript:alert(1)">no</a></body></html>"""


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with open_site() as opened:
        opened.serve("/blog/", BLOG, kind="text/html")
        opened.serve("/blog/a", "<title>A</title><body><p>First.</p><a href='/blog/b'>b</a></body>", kind="text/html")
        opened.serve("/blog/b", "<title>B</title><body>Second</body>", kind="text/html")
        opened.serve("/about", "<title>About</title><body>Us</body>", kind="text/html")
        yield opened


def bench(site: Site) -> Bench:
    return Bench({"FETCH_ALLOWED_HOSTS": site.host, "FETCH_HOST_INTERVAL_SECONDS": "0"})


async def titles(site: Site, **settings: Any) -> list[str]:
    found = await bench(site).find("web_scraper", {"start_urls": [site.url("/blog/")], **settings})
    return [each.content.data["web_scraping_output"]["title"] for each in found]


async def test_a_page_is_read_by_selectors(site: Site) -> None:
    selectors = {"heading": "h1.t", "date": "time@datetime", "path": "//time/text()", "none": ".missing"}
    settings = {
        "start_urls": site.url("/blog/"),
        "selectors": selectors,
        "include_html": True,
        "screenshot_enabled": True,
        "screenshot_type": "png",
    }
    (found,) = await bench(site).find("web_scraper", settings)
    output = found.content.data["web_scraping_output"]
    assert output["title"] == "The blog"
    assert output["extracted_fields"] == {"heading": "Hello", "date": "2026-01-05", "path": "today", "none": None}
    assert output["links"] == [site.url("/blog/a?utm_source=x"), site.url("/about"), "https://other.example/"]
    assert "alert" not in output["text"]
    assert "<h1" in output["html"]
    assert found.content.id.source_type == "webpage"
    site.serve("/blog/", BLOG.replace("Hello", "Goodbye"), kind="text/html")
    (again,) = await bench(site).find("web_scraper", settings)
    assert again.content.id.canonical_id == found.content.id.canonical_id
    assert again.content.id.unique_id != found.content.id.unique_id


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ["The blog"]),
        ({"follow_links": True}, ["The blog", "A", "About"]),
        ({"follow_links": True, "max_depth": 2}, ["The blog", "A", "About", "B"]),
        ({"follow_links": True, "max_depth": 2, "max_pages": 2}, ["The blog", "A"]),
        ({"follow_links": True, "max_depth": 3, "link_patterns": "*/blog/*, */none"}, ["The blog", "A", "B"]),
        ({"follow_links": True, "wait_for_selector": "h1"}, ["The blog"]),
    ],
)
async def test_links_are_followed_as_far_as_they_may_be(
    site: Site, settings: dict[str, Any], expected: list[str]
) -> None:
    assert await titles(site, **settings) == expected


async def test_robots_are_obeyed_and_what_cannot_be_had_is_left_out(site: Site) -> None:
    site.serve("/robots.txt", "User-agent: *\nDisallow: /about\n")
    assert await titles(site, follow_links=True) == ["The blog", "A"]
    assert "/about" not in site.hits
    site.serve("/blog/a", "", 404)
    assert await titles(site, follow_links=True) == ["The blog"]


@pytest.mark.parametrize(("status", "error"), [(404, ContentError), (503, RetryLater)])
async def test_the_only_page_to_begin_at_must_be_had(site: Site, status: int, error: type[Exception]) -> None:
    site.serve("/blog/", "", status)
    with pytest.raises(error, match="cannot be fetched"):
        await titles(site)


async def test_addresses_of_this_machine_are_not_asked(site: Site) -> None:
    with pytest.raises(ContentError, match="not on the public internet"):
        await Bench().find("web_scraper", {"start_urls": site.url("/blog/")})
    assert site.hits == []


async def test_a_selector_that_is_none_is_told(site: Site) -> None:
    with pytest.raises(ContentError, match="no selector: 'h1:::x'"):
        await titles(site, selectors={"a": "h1:::x"})


async def test_entries_of_feeds_are_found_and_their_pages_retrieved(site: Site) -> None:
    site.feed("/feed", ["One", "Two"])
    site.serve("/broken", "no feed", kind="application/rss+xml")
    settings = {"feeds": [site.url("/feed"), site.url("/broken"), site.url("/gone")]}
    found = await bench(site).find("rss_input", settings)
    assert [each.content.data["title"] for each in found] == ["One", "Two"]
    assert found[0].content.id.canonical_id == "https://site.example/0"
    with pytest.raises(ContentError, match="no feed"):
        await bench(site).find("rss_input", {"feeds": site.url("/broken")})
    page = item(url=site.url("/blog/b"))
    page.id.source_type = "webpage"
    opened = bench(site)
    (made,) = await opened.do("content_retriever", {}, page)
    assert b"Second" in await opened.files.load(made.data["temp_file_path"])


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("web_scraper", {}),
        ("web_scraper", {"start_urls": "ftp://example.com"}),
        ("web_scraper", {"start_urls": "https://example.com", "max_pages": 0}),
        ("rss_input", {"feeds": []}),
        ("rss_input", {"feeds": "nowhere"}),
    ],
)
def test_settings_without_an_address_are_refused(name: str, settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        executors()[name].settings.model_validate(settings)
