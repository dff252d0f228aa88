"""One bad thing in a feed, listing, map or page takes no good thing with it, and none stops what reads it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from bench import fuzz
from shared.domains.collect.feeds import parse_feed
from shared.domains.collect.listings import parse_listing
from shared.domains.collect.model import Harvest
from shared.domains.collect.pages import parse_page
from shared.domains.sources.brands import parse_brand_page
from shared.domains.sources.sitemaps import parse_sitemap
from shared.fetch import Fetched
from shared.fetch.errors import ContentRefusedError
from shared.fetch.reading import read
from shared.sandbox.pool import Sandbox

URL = "https://a.example/feed"
GOOD = "<item><title>one</title><link>https://a.example/1</link></item>"
BAD_LINKS = ["http://[::1]@]/a", "http://[", "http://a..b.example/", "http://xn--a.example/", "http://\u2028/", "http://%zz/",
             "http://a.example:99999/", "//[", "http://\ud83d.example/"]  # fmt: skip


def rss(*items: str, head: str = "") -> str:
    return f'<?xml version="1.0"?>{head}<rss version="2.0"><channel><title>t</title>{"".join(items)}</channel></rss>'


def feed(text: str) -> Harvest:
    return parse_feed(Fetched(text.encode("utf-8", "surrogatepass"), "application/xml", URL), "t")


# --- what is refused, and what stays ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bad",
    ["&#55357;&#56832;", "&#1114112;", "&#99999999999;", "&#0;", "&bogus;", "&", "\x00", "\x0b", "\ufffe", "\ud800", "<![CDATA[&#55357;]]>",
     "&lt;p&gt;&amp;#55357;&amp;#56832;&lt;/p&gt;", "&lt;a href='&amp;#1114112;'&gt;x", "<b", "]]>", "\x1b[31m"],
)  # fmt: skip
def test_one_bad_character_refuses_no_feed(bad: str) -> None:
    found = feed(rss(GOOD, f"<item><title>two {bad}</title><link>https://a.example/2</link></item>", GOOD))
    assert "https://a.example/1" in [item.url for item in found.items]
    for item in found.items:
        json.dumps([item.title, item.text]).encode()


def test_half_a_character_and_its_other_half_are_one() -> None:
    (item,) = feed(rss("<item><title>two &#55357;&#56832;</title><link>https://a.example/2</link></item>")).items
    assert item.title == "two \U0001f600"


@pytest.mark.parametrize(
    "head", ['<!DOCTYPE rss [\n<!ENTITY dir "D:\\media">\n]>', '<!DOCTYPE rss [<!ENTITY a "\\1\\g<0>">]>']
)
def test_a_doctype_refuses_no_feed(head: str) -> None:
    assert len(feed(rss(GOOD, head=head)).items) == 1


@pytest.mark.parametrize("link", BAD_LINKS)
def test_one_bad_link_refuses_nothing_else(link: str) -> None:
    item = f"<item><title>two</title><link>{link}</link><enclosure url='{link}' type='image/png'/></item>"
    assert [one.title for one in feed(rss(GOOD, item)).items] == ["one", "two"]
    post = {"kind": "t3", "data": {"name": "t3_1", "title": "two", "url": link, "permalink": link}}
    good = {"kind": "t3", "data": {"name": "t3_2", "title": "one", "url": "https://a.example/1"}}
    listing = json.dumps({"kind": "Listing", "data": {"children": [good, post]}}).encode()
    assert [one.title for one in parse_listing(Fetched(listing, "application/json", URL), "t").items] == ["one", "two"]
    urls = f"<urlset><url><loc>{link}</loc></url><url><loc>https://a.example/1</loc></url></urlset>"
    found = parse_sitemap(Fetched(urls.encode("utf-8", "surrogatepass"), "application/xml", URL), 100)
    assert ([page.url for page in found.pages], found.total) == (["https://a.example/1"], 2)
    assert sum(found.refused.values()) == 1
    told = json.dumps([{"@type": "Product", "name": name, "url": url} for name, url in (("a", link), ("b", "/b"))])
    page = f"<script type='application/ld+json'>{told}</script><base href='{link}'><a href='{link}'>x</a>"
    products = parse_brand_page(Fetched(page.encode("utf-8", "surrogatepass"), "text/html", URL), None, None)
    assert [product.title for product in products] == ["a", "b"]


@pytest.mark.parametrize(
    "data", [{"title": ["x"]}, {"created_utc": 1e400}, {"score": "many"}, {"preview": [1]}, {"permalink": 7}]
)
def test_a_post_whose_fields_are_of_other_types_refuses_no_listing(data: dict[str, Any]) -> None:
    children = [
        {"kind": "t3", "data": {"name": "t3_1", **data}},
        {"kind": "t3", "data": {"name": "t3_2", "title": "one"}},
    ]
    body = json.dumps({"kind": "Listing", "data": {"children": children}}).encode()
    assert "one" in [item.title for item in parse_listing(Fetched(body, "application/json", URL), "t").items]


@pytest.mark.parametrize(
    ("loc", "expected"),
    [
        ("https://a.example/p?id=1&c=2", "https://a.example/p?id=1&c=2"),
        ("https://a.example/p?id=1&amp;c=2", "https://a.example/p?id=1&c=2"),
        ("https://a.example/a&nbsp;b", "https://a.example/a%C2%A0b"),
        ("https://a.example/p?a=1&copy=2", "https://a.example/p?a=1&copy=2"),
        ("https://a.example/caf\xe9", "https://a.example/caf%C3%A9"),
    ],
)
def test_a_broken_reference_spoils_no_address_of_a_map(loc: str, expected: str) -> None:
    good = "<url><loc>https://a.example/p?id=3&amp;c=4</loc></url>"
    body = f"<urlset><url><loc>{loc}</loc></url>{good}</urlset>"
    for encoding in ("utf-8", "latin-1"):
        found = parse_sitemap(Fetched(body.encode(encoding), "application/xml", URL), 100)
        assert [page.url for page in found.pages] == [expected, "https://a.example/p?id=3&c=4"]


# --- words and ids ------------------------------------------------------------------------------------------------


def test_text_is_not_markup_where_it_says_so() -> None:
    entry = (
        '<entry><id>urn:1</id><title type="text">How to use &lt;canvas&gt;</title><link href="https://a.example/1"/>'
        '<summary type="text">vector&lt;int&gt; v;</summary></entry>'
    )
    html = entry.replace('type="text"', 'type="html"').replace("urn:1", "urn:2").replace("/1", "/2")
    body = f'<feed xmlns="http://www.w3.org/2005/Atom"><title>t</title><id>urn:f</id>{entry}{html}</feed>'
    first, second = feed(body).items
    assert (first.title, first.text) == ("How to use <canvas>", "vector<int> v;")
    assert (second.title, second.text) == ("How to use", "vector<int> v;")  # no tag of HTML, so no tag


def test_in_a_line_there_are_no_gaps_and_between_blocks_there_are() -> None:
    markup = "H&lt;sub&gt;2&lt;/sub&gt;O wo&lt;b&gt;rd&lt;/b&gt;&lt;p&gt;one&lt;/p&gt;&lt;p&gt;two&lt;br&gt;three"
    (item,) = feed(rss(f"<item><title>t</title><description>{markup}</description></item>")).items
    assert item.text == "H2O word one two three"


def test_what_says_the_same_each_day_is_another_thing_each_day() -> None:
    def day(number: int, **changed: str) -> str:
        told = {"guid": f"g{number}", "date": f"0{number} Sep 2025 08:00:00 GMT", "link": f"d/{number}", **changed}
        return (
            f"<item><title>Daily thread</title><link>https://a.example/{told['link']}</link><guid isPermaLink='false'>"
            f"{told['guid']}</guid><pubDate>{told['date']}</pubDate><description>Discuss.</description></item>"
        )

    assert [item.id for item in feed(rss(*map(day, range(1, 6)))).items] == ["g1", "g2", "g3", "g4", "g5"]
    assert [item.id for item in feed(rss(day(1), day(2, guid="g1"))).items] == ["g1"]  # the same id
    assert [item.id for item in feed(rss(day(1), day(2, date="01 Sep 2025 08:00:00 GMT"))).items] == [
        "g1"
    ]  # the same day
    assert [item.id for item in feed(rss(day(1), day(2, date="soon"))).items] == ["g1"]  # no day to tell them apart


# --- nothing freezes ----------------------------------------------------------------------------------------------

Parse = Callable[..., Any]
FREEZING: dict[str, tuple[Parse, bytes, str | None, tuple[Any, ...]]] = {
    "a page: quotes in JSON-LD": (parse_page, b'<script type="application/ld+json">"' + b'\\"' * 20_000 + b"</script><p>text text", None, ("t",)),
    "a page: a megabyte of them": (parse_page, b'<script type="application/ld+json">"' + b'\\"' * 500_000 + b"</script><p>text", None, ("t",)),
    "a page: beginnings of tags in JSON-LD": (
        parse_page, b'<script type="application/ld+json">{"@type": "Article", "name": "' + b"<![CDATA[" * 50_000 + b'"}</script><p>text', None, ("t",),
    ),
    "a page: five megabytes of links": (parse_page, b"<html>" + b"<a>" * 1_700_000, None, ("t",)),
    "a page: five megabytes of line breaks": (parse_page, b"<html>" + b"<br>" * 1_250_000, None, ("t",)),
    "a page: deep": (parse_page, b"<div>" * 40_000 + b"text", None, ("t",)),
    "a page: attributes": (parse_page, b"<p " + b" ".join(b'a%d="1"' % n for n in range(40_000)) + b">text</p>", None, ("t",)),
    "a page: punycode": (parse_page, b"<p>" + b"a" * 65_536 + b"-" + b"9" * 196_608, "punycode", ("t",)),
    "a feed: blank lines before its root": (parse_feed, b'<?xml version="1.0"?>' + b"\n" * 400_000 + rss(GOOD)[21:].encode(), None, ("t",)),
    "a feed: a long author": (parse_feed, rss(f"<item><title>x</title><author>a@{'a.' * 20_000}</author></item>", GOOD).encode(), None, ("t",)),
    "a feed: a long author in CDATA": (
        parse_feed, rss(f"<item><title>x</title><author><![CDATA[a@{'a.' * 20_000}]]></author></item>", GOOD).encode(), None, ("t",),
    ),
    "a feed: an author in many words": (
        parse_feed, rss(f"<item><title>x</title><author>{'a@a.&#97;.' * 20_000}</author></item>", GOOD).encode(), None, ("t",),
    ),
    "a feed: punycode": (parse_feed, b"a" * 65_536 + b"-" + b"9" * 196_608, "punycode", ("t",)),
    "a feed: punycode in its declaration": (parse_feed, b'<?xml version="1.0" encoding="punycode"?>' + b"a" * 65_536 + b"-" + b"9" * 196_608, None, ("t",)),
    "a feed: attributes": (
        parse_feed, b"<rss version='2.0'><channel><item><title " + b" ".join(b'a%d="1"' % n for n in range(20_000)) + b">x</title></item>", None, ("t",),
    ),
    "a feed: five megabytes of empty items": (parse_feed, b"<rss><channel>" + b"<item/>" * 700_000, None, ("t",)),
    "a feed: entities in entities": (
        parse_feed, b"<!DOCTYPE rss [" + b"".join(b'<!ENTITY e%d "%s">' % (n, b"&e%d;" % (n - 1) * 10) for n in range(1, 30)) + b"]><rss><channel><item><title>&e29;", None, ("t",),
    ),
    "a map: deep": (parse_sitemap, b"<urlset>" + b"<url>" * 200_000, None, (100,)),
    "a listing: deep": (parse_listing, b"[" * 2_000_000, None, ("t",)),
    "a brand's page: quotes in JSON-LD": (parse_brand_page, b'<script type="application/ld+json">"' + b'\\"' * 500_000, None, (None, None)),
}  # fmt: skip


@pytest.mark.parametrize("what", FREEZING)
async def test_the_loop_goes_on_whatever_is_read_and_it_is_read_or_refused_in_its_time(box: Sandbox, what: str) -> None:
    parse, body, charset, more = FREEZING[what]
    tally = fuzz.Tally()
    async with fuzz.ticking(tally):
        with suppress(ContentRefusedError):
            await read(box, parse, Fetched(body, "text/html", URL, charset), *more)
    assert tally.latest < fuzz.LATEST


@pytest.mark.parametrize(
    "what",
    [
        "a feed: blank lines before its root",
        "a feed: a long author",
        "a feed: a long author in CDATA",
        "a feed: an author in many words",
    ],
)
def test_what_froze_a_process_is_read_at_once_and_the_good_with_it(what: str) -> None:
    begun = time.thread_time()
    found = parse_feed(Fetched(FREEZING[what][1], "application/xml", URL), "t")
    assert "https://a.example/1" in [item.url for item in found.items]
    assert time.thread_time() - begun < 3
