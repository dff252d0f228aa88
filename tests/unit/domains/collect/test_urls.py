"""Canonical addresses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.fetch.urls import canonical, is_front_page, key


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://site.example/a", "https://site.example/a"),
        ("HTTPS://Site.EXAMPLE/A", "https://site.example/A"),
        ("https://site.example", "https://site.example/"),
        ("https://site.example:443/a", "https://site.example/a"),
        ("http://site.example:8080/a", "http://site.example:8080/a"),
        ("https://site.example./a", "https://site.example/a"),
        ("https://site.example/a#comments", "https://site.example/a"),
        ("https://site.example/a?utm_source=x&id=7&utm_medium=y", "https://site.example/a?id=7"),
        ("https://site.example/a?fbclid=1&gclid=2&UTM_Campaign=3", "https://site.example/a"),
        ("https://site.example/a?b=2&a=1", "https://site.example/a?b=2&a=1"),
        ("https://site.example/a?ref=home&source=x", "https://site.example/a?ref=home&source=x"),
        ("https://user:secret@site.example/a", "https://site.example/a"),
        ("  https://site.example/\n a ", "https://site.example/a"),
        ("https://site.example/caf\u00e9?q=\u00fc", "https://site.example/caf%C3%A9?q=%C3%BC"),
        ("https://site.example/a%2Fb?c=%26", "https://site.example/a%2Fb?c=%26"),
        ("http://[2001:DB8::1]:80/a", "http://[2001:db8::1]/a"),
        ("/b?c=1", "https://base.example/b?c=1"),
        ("../b", "https://base.example/b"),
        ("//other.example/b", "https://other.example/b"),
    ],
)
def test_an_address_in_its_canonical_form(url: str, expected: str) -> None:
    assert canonical(url, "https://base.example/dir/page") == expected
    assert canonical(expected) == expected


@pytest.mark.parametrize(
    "url",
    ["", " ", None, 7, "javascript:alert(1)", "data:text/html,x", "mailto:a@b.example", "ftp://site.example/a",
     "http://", "http://[::1", "http://site.example:port/", f"http://site.example/{'a' * 3000}"],
)  # fmt: skip
def test_what_is_no_address_of_the_web(url: object) -> None:
    assert canonical(url) is None


@given(st.text())
def test_any_text_is_an_address_or_none_and_never_breaks(text: str) -> None:
    for url in (text, f"http://{text}", f"http://site.example/{text}", f"http://site.example/?{text}"):
        made = canonical(url, "https://base.example/")
        assert made is None or made.isascii() or not text.isascii()
        if made:
            made.encode()
            assert canonical(made) == made
            key(made)


def test_spellings_of_one_address_have_one_key() -> None:
    spellings = ["https://www.site.example/a/?x=1&y=2", "http://site.example/a?y=2&x=1"]
    assert len({key(each) for each in spellings}) == 1
    assert key("https://site.example/a?x=1") != key("https://site.example/a?x=2")


def test_a_front_page_tells_nothing_apart() -> None:
    assert is_front_page("https://site.example/")
    assert not is_front_page("https://site.example/?p=7")
    assert not is_front_page("https://site.example/a")
