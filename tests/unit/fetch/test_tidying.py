"""XML that strangers broke: each break is mended in its place."""

from __future__ import annotations

import time
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.fetch.tidying import tidied


def text(inner: str, head: str = "") -> str:
    """What a strict parser reads in an element."""
    return "".join(ET.fromstring(tidied(f"{head}<a>{inner}</a>").encode()).itertext())


@pytest.mark.parametrize(
    ("inner", "expected"),
    [
        ("?id=1&c=2", "?id=1&c=2"),
        ("?id=3&amp;c=4", "?id=3&c=4"),
        ("?a=1&copy=2&lt", "?a=1&copy=2&lt"),
        ("AT&T &bogus; &", "AT&T &bogus; &"),
        ("a&nbsp;b &eacute; &hellip;", "a\u00a0b \u00e9 \u2026"),
        ("&#233;&#xE9;", "\u00e9\u00e9"),
        ("&#55357;&#56832; &#xD83D;&#xDE00;", "\U0001f600 \U0001f600"),
        ("&#55357; &#56832;x", " x"),
        ("&#1114112;&#99999999999;&#0;&#xFFFF;x", "x"),
        ("a\x00\x0b\ud800b", "ab"),
        ("&lt;b&gt;", "<b>"),
        ("<![CDATA[&nbsp; & <b> &#55357;]]>", "&nbsp; & <b> &#55357;"),
        ("<!-- a -- b & c -->x<!-- never closed", "x never closed"),
    ],
)
def test_a_reference_is_what_it_stands_for_or_what_is_written(inner: str, expected: str) -> None:
    assert text(inner) == expected


def test_a_doctype_gives_its_plain_entities_and_is_gone() -> None:
    head = """<?xml version="1.0"?>\n<!DOCTYPE rss [\n<!ENTITY dir "D:\\media">\n<!ENTITY x SYSTEM "file:///etc/passwd">
      <!ENTITY lol "&dir;&dir;"> <!ENTITY who 'Ann &quot;x'> ]>"""
    assert text("&dir; &x; &lol;", head) == "D:\\media &x; &lol;"
    assert text("x", '<!DOCTYPE rss PUBLIC "-//Netscape//DTD RSS 0.91//EN" "http://x.example/rss.dtd">') == "x"
    assert text("x", "\ufeff\n\n<?xml version='1.0' encoding='latin-1'?>") == "x"


MEGABYTE = {
    "blank lines": "<?xml version='1.0'?>" + "\n" * 1_000_000 + "<a/>",
    "blanks somewhere": "<a>" + "\n" * 1_000_000 + "</a>",
    "blanks in runs": (" " * 199 + "x") * 5_000,
    "ampersands": "&" * 300_000,
    "tags that do not end": "<a" * 500_000,
    "tags of attributes": "<a " + 'b="1" ' * 150_000 + ">",
    "the same, and no end": "<a " + 'b="1" ' * 150_000,
    "CDATA that does not end": "<![CDATA[" * 110_000,
    "comments that do not end": "<!--" * 250_000,
    "doctypes": "<!DOCTYPE a [" * 80_000,
    "entities": "<!DOCTYPE a [" + '<!ENTITY b "c">' * 60_000 + "]>",
    "entities that do not end": "<!DOCTYPE a [" + '<!ENTITY b "' * 80_000,
    "halves of characters": "&#55357;" * 120_000,
    "one word": "a@" + "a." * 500_000,
}


@pytest.mark.parametrize("kind", MEGABYTE)
def test_time_grows_with_the_length_and_no_faster(kind: str) -> None:
    """A second or so for a megabyte; what takes its square would take hours."""
    begun = time.thread_time()
    tidied(MEGABYTE[kind])
    assert time.thread_time() - begun < 10


@given(st.text(alphabet=st.sampled_from("<>&;#x10a!-[]CDATA\"'= \n\x00\ud800\u00e9")))
def test_any_text_can_be_tidied(made: str) -> None:
    tidied(made).encode()
