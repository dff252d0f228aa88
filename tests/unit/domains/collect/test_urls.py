"""Canonical addresses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.fetch.urls import address, canonical, former_keys, is_front_page, key


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
        ("  https://site.example/\n\ta ", "https://site.example/a"),
        ("https://site.example/red dress.jpg", "https://site.example/red%20dress.jpg"),
        ("/a b?q=c d", "https://base.example/a%20b?q=c%20d"),
        ("https://site.example/%7euser/caf%c3%a9%2fb", "https://site.example/~user/caf%C3%A9%2Fb"),
        ("https://site.example/a/%2e%2E/./b/..", "https://site.example/"),
        ("https:\\\\site.example\\a?b\\c", "https://site.example/a?b%5Cc"),
        ("https:/site.example/a", "https://site.example/a"),
        ("https:other", "https://base.example/dir/other"),
        ("https://B\u00fccher.example/", "https://xn--bcher-kva.example/"),
        ("https://fa\u00df.example/", "https://xn--fa-hia.example/"),
        ("https://\u2615.example/", "https://xn--53h.example/"),
        ("https://my_shop.example/", "https://my_shop.example/"),
        ("https://si%74e.example/", "https://site.example/"),
        ("https://\uff11\uff12\uff17.1/a", "https://127.0.0.1/a"),
        ("https://0x7f.1/a", "https://127.0.0.1/a"),
        ("https://site.example/100%", "https://site.example/100%"),
        ("https://site.example/\ud83d\ude00", "https://site.example/%EF%BF%BD%EF%BF%BD"),
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
     "http://", "http://[::1", "http://site.example:port/", "http://[::1]@]/a", "http://a..b.example/",
     "http://xn--a.example/", "http://1.2.3.4.5/", "http://1.2.3.400/", "http://%00.example/", "http://site.example:0/",
     "http://site.example:99999/", f"http://{'a' * 64}.example/", "http://[fe80::1%25eth0]/", f"http://site.example/{'a' * 3000}"],
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


def test_what_is_asked_for_keeps_what_only_tracks() -> None:
    assert address("https://site.example/a?utm_source=x#top") == "https://site.example/a?utm_source=x"


def test_the_keys_of_what_was_stored_before_can_be_told() -> None:
    now = canonical("https://b\u00fccher.example/%d0%bf%7e")
    assert now == "https://xn--bcher-kva.example/%D0%BF~"
    former = set(former_keys(now))
    assert {
        "b\u00fccher.example/%d0%bf%7e?",
        "b\u00fccher.example/%D0%BF~?",
        "xn--bcher-kva.example/%d0%bf~?",
    } <= former
    assert key(now) not in former
    assert list(former_keys("https://site.example/plain/path?x=%c3%a9")) == []
