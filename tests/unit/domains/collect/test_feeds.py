"""Feeds: every version, and what strangers make of them."""

from __future__ import annotations

import http.server
import threading
import time
from pathlib import Path

import pytest

from shared.domains.collect.feeds import parse_feed
from shared.domains.collect.model import Harvest, Item
from shared.fetch import Fetched
from shared.fetch.errors import ContentRefusedError

URL = "https://site.example/blog/feed.xml"
RSS = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/" xmlns:content="http://purl.org/rss/1.0/modules/content/"
     xmlns:slash="http://purl.org/rss/1.0/modules/slash/" xmlns:dc="http://purl.org/dc/elements/1.1/">
<channel><title>Blog</title><link>https://site.example/</link>
<item>
  <title>Caf&#233; &amp; &lt;b&gt;more&lt;/b&gt;</title><link>/posts/1?utm_source=rss#top</link><guid isPermaLink="false">post-1</guid>
  <pubDate>Mon, 11 Aug 2025 13:52:21 +0200</pubDate><dc:creator>Ann</dc:creator><slash:comments>7</slash:comments>
  <description>Short</description>
  <content:encoded><![CDATA[<p>First   paragraph.</p><script>alert(1)</script><img src="/i.png"><p>Second</p>]]></content:encoded>
</item></channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://base.example/"><title>t</title>
<entry><id>tag:x,1</id><title type="html">A &amp;amp; B</title><link rel="alternate" href="a/1"/>
<link rel="enclosure" type="image/png" href="i.png"/><updated>2025-08-11T13:52:21Z</updated>
<author><name>Bob</name></author><summary>Text</summary></entry></feed>"""
RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">
<channel rdf:about="https://site.example/"><title>t</title></channel>
<item rdf:about="https://site.example/1"><title>One</title><link>https://site.example/1</link></item></rdf:RDF>"""


def parse(body: str | bytes, kind: str = "application/xml", charset: str | None = None) -> Harvest:
    data = body.encode() if isinstance(body, str) else body
    return parse_feed(Fetched(data, kind, URL, charset), URL)


def rss(*items: str, head: str = "") -> str:
    inner = "".join(f"<item>{each}</item>" for each in items)
    return f"{head}<rss version='2.0'><channel><title>t</title>{inner}</channel></rss>"


def test_an_item_of_rss() -> None:
    assert parse(RSS).items == (
        Item(
            id="post-1",
            title="Caf\u00e9 & more",
            url="https://site.example/posts/1",
            source="rss",
            topic=URL,
            author="Ann",
            published="2025-08-11T11:52:21Z",
            comments=7,
            text="First paragraph. Second",
            image="https://site.example/i.png",
        ),
    )


def test_an_entry_of_atom() -> None:
    (item,) = parse(ATOM).items
    assert (item.id, item.title, item.url) == ("tag:x,1", "A & B", "https://base.example/a/1")
    assert (item.author, item.published, item.text) == ("Bob", "2025-08-11T13:52:21Z", "Text")
    assert item.image == "https://base.example/i.png"


def test_an_item_of_rdf() -> None:
    (item,) = parse(RDF).items
    assert (item.title, item.url, item.published) == ("One", "https://site.example/1", None)


def test_items_without_title_link_and_id_have_one_each() -> None:
    first, second = parse(
        rss("<description>Just a note</description>", "<description>Another note</description>")
    ).items
    assert (first.title, first.url) == ("Just a note", None)
    assert first.id != second.id
    assert first == parse(rss("<description>Just a note</description>")).items[0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "iso-8859-1", "windows-1252", "utf-8-sig"])
def test_encodings_that_are_declared(encoding: str) -> None:
    declared = encoding.removesuffix("-sig")
    body = rss("<title>Caf\u00e9</title>", head=f"<?xml version='1.0' encoding='{declared}'?>")
    assert parse(body.encode(encoding)).items[0].title == "Caf\u00e9"


@pytest.mark.parametrize(
    "kind", ["text/xml", "text/html", "text/plain", "application/octet-stream", "application/rss+xml"]
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-be", "utf-32-le", "iso-8859-1"])
def test_what_the_server_calls_it_changes_nothing(kind: str, encoding: str) -> None:
    body = rss("<title>Caf\u00e9</title>", head=f"<?xml version='1.0' encoding='{encoding}'?>").encode(encoding)
    assert parse(body, kind).items[0].title == "Caf\u00e9"
    assert parse(body, kind, "utf-8").items[0].title == "Caf\u00e9"


def test_encodings_that_are_declared_wrong() -> None:
    body = rss("<title>Caf\u00e9</title>", head="<?xml version='1.0' encoding='utf-8'?>")
    assert parse(body.encode("iso-8859-1")).items[0].title == "Caf\u00e9"
    assert parse(body.encode("iso-8859-1"), charset="utf-8").items[0].title == "Caf\u00e9"


@pytest.mark.parametrize(
    "body",
    [
        rss("<title>A & B</title>"),
        rss("<title>A &nbsp; B</title>"),
        rss("<title>A</b></title>"),
        rss("<title>A</title>")[:-20],
        "\n\n  " + rss("<title>A</title>", head="<?xml version='1.0'?>"),
        rss("<title>A\x00\x0b</title>"),
        rss("<title>A</title>") + "<p>trailing",
    ],
)
def test_malformed_xml_is_read_all_the_same(body: str) -> None:
    assert parse(body).items[0].title.startswith("A")


@pytest.mark.parametrize("body", [b"", b"<html><body>404</body></html>", b"{}", b"\x89PNG\r\n", b"\x00" * 100, b"<a/>"])
def test_what_is_no_feed_is_refused(body: bytes) -> None:
    with pytest.raises(ContentRefusedError, match="no feed"):
        parse(body, "text/html")


def test_a_feed_without_items_is_one() -> None:
    assert parse(rss()) == Harvest(URL, 0, ())


@pytest.mark.parametrize("date", ["", "never", "Mon, 99 Foo 2025", "0000-00-00T00:00:00Z", "-1"])
def test_dates_that_are_none(date: str) -> None:
    assert parse(rss(f"<title>A</title><pubDate>{date}</pubDate>")).items[0].published is None


def test_more_than_a_job_takes_is_counted_and_left() -> None:
    harvest = parse(rss(*(f"<title>{n}</title><link>https://site.example/{n}</link>" for n in range(150))))
    assert (harvest.found, len(harvest.items)) == (150, 100)


# --- what a feed must not make us do -----------------------------------------------------------------------------


def test_external_entities_are_not_resolved(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("the secret")
    hits: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hits.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    head = (
        f"<!DOCTYPE rss SYSTEM '{base}/dtd' [<!ENTITY file SYSTEM 'file://{secret}'><!ENTITY web SYSTEM '{base}/entity'>"
        f"<!ENTITY % parameter SYSTEM '{base}/parameter'> %parameter;]>"
    )
    items = parse(rss("<title>A &file; &web;</title>", head=head)).items
    server.shutdown()
    server.server_close()
    assert "the secret" not in str(items)
    assert hits == []


def test_entities_that_multiply_do_not() -> None:
    entities = "".join(f"<!ENTITY e{n} '{f'&e{n - 1};' * 10}'>" for n in range(1, 10))
    head = f"<!DOCTYPE rss [<!ENTITY e0 'lollollollol'>{entities}]>"
    begun = time.thread_time()
    items = parse(rss("<title>&e9;</title>", head=head)).items
    assert time.thread_time() - begun < 5
    assert len(str(items)) < 10_000


def test_a_body_is_never_taken_for_a_name(tmp_path: Path) -> None:
    file = tmp_path / "feed.xml"
    file.write_text(rss("<title>from the disk</title>"))
    with pytest.raises(ContentRefusedError):
        parse(str(file))
    with pytest.raises(ContentRefusedError):
        parse("http://127.0.0.1:9/feed.xml")


@pytest.mark.parametrize(
    "title",
    [
        "<" * 20_000,
        "<a " * 20_000,
        "&" * 50_000,
        "<!--" * 20_000,
        "<![CDATA[" * 5_000,
        "<b>" * 20_000,
        "<img src='" * 9_000,
    ],
    ids=["angles", "tags", "ampersands", "comments", "cdata", "nested", "images"],
)
def test_markup_made_to_be_slow_is_not(title: str) -> None:
    begun = time.thread_time()
    parse(rss(f"<title>{title}</title>", f"<description><![CDATA[{title.replace(']]>', '')}]]></description>"))
    assert time.thread_time() - begun < 5
