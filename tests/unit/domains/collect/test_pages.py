"""Single pages, and the text that is taken from them."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domains.collect.pages import parse_page
from shared.fetch import Fetched
from shared.fetch.decoding import decode
from shared.fetch.errors import ContentRefusedError
from shared.fetch.text import block, line, plain

URL = "https://site.example/news/1?utm_source=x"
PROSE = "The council met on Monday and agreed, after a long debate, to rebuild the old bridge over the river. "
PAGE = f"""<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Bridge to be rebuilt - The Site</title>
<link rel="canonical" href="/news/1"><meta name="author" content="Ann Writer">
<meta property="og:title" content="Bridge to be rebuilt"><meta property="og:image" content="/bridge.jpg">
<meta property="article:published_time" content="2025-08-11T13:52:21Z"></head>
<body><nav><a href="/">Home</a> <a href="/sport">Sport</a></nav><article><h1>Bridge to be rebuilt</h1>
<p>{PROSE * 3}</p><p>{PROSE.replace("Monday", "Tuesday") * 3}</p></article>
<div class="comments"><p>A comment by a reader.</p></div><footer>Imprint</footer></body></html>"""


def test_a_page() -> None:
    (item,) = parse_page(Fetched(PAGE.encode(), "text/html", URL, "utf-8"), URL).items
    assert (item.title, item.author, item.published) == ("Bridge to be rebuilt", "Ann Writer", "2025-08-11")
    assert (item.url, item.image) == ("https://site.example/news/1", "https://site.example/bridge.jpg")
    assert item.text.count("The council met") == 6
    for other in ("Sport", "A comment", "Imprint"):
        assert other not in item.text


@pytest.mark.parametrize("body", [b"", b"{}", b"\x89PNG\r\n", b"<html></html>", b"\x00" * 100, b"<" * 10_000])
def test_a_page_without_an_article_is_refused(body: bytes) -> None:
    with pytest.raises(ContentRefusedError, match=r"no (article|page)"):
        parse_page(Fetched(body, "text/html", URL), URL)


def test_a_page_without_the_tags_that_html_does_not_need() -> None:
    page = f"<title>Bridge</title><p>{PROSE}<p>{PROSE.replace('Monday', 'Tuesday')}"
    (item,) = parse_page(Fetched(page.encode(), "text/html", URL), URL).items
    assert item.title == "Bridge"
    assert "Tuesday" in item.text


def test_a_canonical_address_that_is_none_is_not_taken() -> None:
    page = PAGE.replace('href="/news/1"', 'href="javascript:alert(1)"')
    (item,) = parse_page(Fetched(page.encode(), "text/html", URL), URL).items
    assert item.url == "https://site.example/news/1"


@pytest.mark.parametrize(
    "markup", ["<div>" * 50_000, "<p" * 50_000, "<a href='x'>" * 10_000, "<table><tr><td>" * 10_000]
)
def test_markup_made_to_be_slow_is_not(markup: str) -> None:
    begun = time.thread_time()
    with suppress(ContentRefusedError):
        parse_page(Fetched((markup + PROSE).encode(), "text/html", URL), URL)
    assert time.thread_time() - begun < 10


@pytest.mark.parametrize(
    ("body", "charset", "expected"),
    [
        ("Café".encode(), None, "Café"),
        ("Café".encode(), "utf-8", "Café"),
        ("Café".encode("cp1252"), None, "Café"),
        ("Café".encode("cp1252"), "iso-8859-1", "Café"),
        ("“Café”".encode("cp1252"), "iso-8859-1", "“Café”"),
        ("Café".encode("cp1252"), "utf-8", "Café"),
        ("\ufeffCafé".encode(), "iso-8859-1", "Café"),
        ("Café".encode("utf-16"), None, "Café"),
        (b"<meta charset='koi8-r'>" + "Привет".encode("koi8-r"), None, "<meta charset='koi8-r'>Привет"),
        (b"<meta charset='gb2312'>" + "你好".encode("gbk"), None, "<meta charset='gb2312'>你好"),
        ("Café".encode(), "no-such-charset", "Café"),
        ("Café".encode(), "unicode_escape", "Café"),
        ("Café".encode(), "\x00", "Café"),
        ("Café".encode(), "iso-8859-\x00", "Café"),
    ],
)
def test_a_page_is_decoded_by_who_knows_best(body: bytes, charset: str | None, expected: str) -> None:
    assert decode(body, charset) == expected


def test_markup_becomes_text() -> None:
    assert plain("<p>One</p><p>Two &amp; three</p><style>p{}</style><!-- no --><br>Four") == "One Two & three Four"
    assert plain("2 < 3 & 4 > 1") == "2 < 3 & 4 > 1"
    assert line("a\x00b\u200b  c\n d", 100) == "ab c d"
    assert block("a  b\n\n\n c\x07", 100) == "a b\nc"
    assert line("abcdef", 4) == "abc…"
    assert line(None) == block(7) == plain(["x"]) == ""


@given(st.text())
def test_any_text_becomes_text_that_utf_8_can_hold(text: str) -> None:
    for made in (line(text), block(text), plain(text), plain(f"<p>{text}")):
        made.encode()
        assert len(made) <= 2000


@given(st.binary(), st.none() | st.text(max_size=12))
def test_any_bytes_can_be_decoded(body: bytes, charset: str | None) -> None:
    decode(body, charset)
