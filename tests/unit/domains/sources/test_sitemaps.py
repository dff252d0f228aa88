"""Sitemaps: lists and indexes, packed, plain, broken and hostile; and the pages behind them."""

from __future__ import annotations

import gzip
import time
from datetime import UTC, datetime

import pytest

from shared.domains.sources.products import page_itself
from shared.domains.sources.selecting import Page
from shared.domains.sources.sitemaps import Sitemap, newest, parse_sitemap
from shared.fetch import Fetched
from shared.fetch.dates import read_date
from shared.fetch.errors import ContentRefusedError
from shared.fetch.unpacking import unpacked

URL = "https://www.site.example/sitemap.xml"


def parsed(body: bytes | str, most: int = 100, most_bytes: int = 2**20) -> Sitemap:
    data = unpacked(body.encode() if isinstance(body, str) else body, "", most_bytes, truncate=True)
    return parse_sitemap(Fetched(data, "application/xml", URL), most)


def listed(*entries: tuple[str, str | None], root: str = "urlset", entry: str = "url") -> str:
    rows = "".join(
        f"<{entry}><loc>{loc}</loc>{f'<lastmod>{date}</lastmod>' if date else ''}</{entry}>" for loc, date in entries
    )
    return f"<?xml version='1.0'?><{root} xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{rows}</{root}>"


THREE = listed(
    ("https://www.site.example/a", "2026-01-01"),
    ("https://site.example/b", "2026-03-01T10:00:00+02:00"),
    ("/c", None),
    ("https://elsewhere.example/d", "2026-04-01"),
)


def test_the_newest_of_its_own_site_come_first() -> None:
    found = parsed(THREE)
    assert [page.url for page in found.pages] == [
        "https://site.example/b",
        "https://www.site.example/a",
        "https://www.site.example/c",
    ]
    assert found.total == 4
    assert found.pages[0].published_at == datetime(2026, 3, 1, 8, tzinfo=UTC)
    assert all(page.page for page in found.pages)
    assert len(parsed(THREE, most=1).pages) == 1


def test_packed_and_prefixed_and_plain() -> None:
    assert parsed(gzip.compress(THREE.encode())) == parsed(THREE)
    assert parsed(b"\xef\xbb\xbf \n" + THREE.encode()) == parsed(THREE)
    prefixed = THREE.replace("xmlns=", "xmlns:s=")
    for name in ("urlset", "url", "loc", "lastmod"):
        prefixed = prefixed.replace(f"<{name}", f"<s:{name}").replace(f"</{name}", f"</s:{name}")
    assert parsed(prefixed) == parsed(THREE)
    plain = parsed("https://www.site.example/a\nhttps://elsewhere.example/x\nhttps://www.site.example/b\n")
    assert [page.url for page in plain.pages] == ["https://www.site.example/a", "https://www.site.example/b"]


def test_an_index() -> None:
    files = [("https://cdn.example/1.xml", "2026-01-01"), ("/2.xml.gz", "2026-02-01"), ("/3.xml", None)]
    found = parsed(listed(*files, root="sitemapindex", entry="sitemap"))
    assert found.sitemaps == (
        "https://www.site.example/2.xml.gz",
        "https://cdn.example/1.xml",
        "https://www.site.example/3.xml",
    )
    assert found.pages == ()


def test_news_say_their_title_themselves() -> None:
    body = """<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"
      xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"
      xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"><url><loc>/a</loc>
      <news:news><news:publication><news:name>Paper</news:name></news:publication>
      <news:publication_date>2026-05-01T09:00Z</news:publication_date><news:title>Linen &amp; wool</news:title>
      <news:keywords>linen, wool</news:keywords></news:news><image:image><image:loc>/a.jpg</image:loc></image:image>
      </url></urlset>"""
    (page,) = parsed(body).pages
    assert (page.title, page.page) == ("Linen & wool", False)
    assert page.tags == ("linen", "wool")
    assert page.image_url == "https://www.site.example/a.jpg"
    assert page.published_at == datetime(2026, 5, 1, 9, tzinfo=UTC)


def test_what_is_cut_off_or_broken_is_read_as_far_as_it_goes() -> None:
    many = listed(*((f"/p/{number}", "2026-01-01") for number in range(500)))
    half = parsed(many[: len(many) // 2], most=1000)
    assert 200 < len(half.pages) < 300
    packed = gzip.compress(many.encode())
    assert parsed(packed[: len(packed) // 2], most=1000).pages
    bomb = parsed(gzip.compress(many.encode() + b" " * 50_000_000), most=1000, most_bytes=len(many) // 2)
    assert 200 < len(bomb.pages) < 300


def test_an_empty_list_is_one() -> None:
    assert parsed(listed()) == Sitemap(0)


@pytest.mark.parametrize(
    "body",
    [
        "",
        "hello",
        "<html><body>Not found</body></html>",
        "<rss/>",
        b"\x1f\x8bxx",
        b"\0\0\0",
        "https://elsewhere.example/",
    ],
)
def test_what_is_none_is_refused(body: bytes | str) -> None:
    with pytest.raises(ContentRefusedError):
        parsed(body)


def test_hostile_ones_are_harmless() -> None:
    begun = time.process_time()
    laughs = "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 10))
    bomb = f"<!DOCTYPE x [<!ENTITY l0 'lol'>{laughs}]><urlset><url><loc>/a</loc><x>&l9;</x></url></urlset>"
    stolen = "<!DOCTYPE x [<!ENTITY f SYSTEM 'file:///etc/passwd'>]><urlset><url><loc>/&f;</loc></url></urlset>"
    for body in (bomb, stolen, "<a>" * 200_000, "<urlset>" + "<url><loc>/a</loc></url>" * 60_000):
        try:
            found = parsed(body, most_bytes=2**22)
        except ContentRefusedError:
            continue
        assert not any("root:" in (page.url or "") for page in found.pages)
        assert found.total <= 50_000
    assert time.process_time() - begun < 10


def test_the_newest_of_several() -> None:
    first, second = parsed(THREE), parsed(listed(("/e", "2026-02-01"), ("/c", None)))
    assert [(page.url or "")[-1] for page in newest([first, second], 3)] == ["b", "e", "a"]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026", datetime(2026, 1, 1, tzinfo=UTC)),
        ("2026-05", datetime(2026, 5, 1, tzinfo=UTC)),
        ("2026-05-02", datetime(2026, 5, 2, tzinfo=UTC)),
        ("2026-05-02T10:00:00Z", datetime(2026, 5, 2, 10, tzinfo=UTC)),
        ("2026-05-02T10:00+02:00", datetime(2026, 5, 2, 8, tzinfo=UTC)),
        ("2026-05-02 10:00:00", datetime(2026, 5, 2, 10, tzinfo=UTC)),
        ("2026-13", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        (None, None),
        (20260502, None),
    ],
)
def test_moments(text: object, moment: datetime | None) -> None:
    assert read_date(text) == moment


def test_a_page_by_its_head() -> None:
    markup = """<head><title>Coat | Shop</title><meta property=og:title content="Wool coat">
      <meta property=og:image content=/1.jpg><meta name=description content="Warm &amp; soft.">
      <meta property=product:price:amount content=129.00><meta property=product:price:currency content=EUR>
      <meta property=article:published_time content=2026-01-02><link rel=canonical href=/p/1></head>"""
    found = page_itself(Page.of(Fetched(markup.encode(), "text/html", "https://shop.example/p/1?x=1")))
    assert found is not None
    assert (found.title, found.text, found.url) == ("Wool coat", "Warm & soft.", "https://shop.example/p/1")
    assert found.image_url == "https://shop.example/1.jpg"
    assert str(found.price and found.price.amount) == "129.00"
    assert found.published_at == datetime(2026, 1, 2, tzinfo=UTC)


def test_a_page_without_a_title() -> None:
    assert page_itself(Page.of(Fetched(b"<p>x</p>", "text/html", "https://shop.example/"))) is None
    found = page_itself(Page.of(Fetched(b"<h1>Coat</h1>", "text/html", "https://shop.example/")))
    assert found is not None
    assert found.title == "Coat"
