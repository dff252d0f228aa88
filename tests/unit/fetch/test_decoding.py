"""From bytes to text: one way, whatever the bytes are, and only encodings of the web."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.fetch.decoding import decode

RUSSIAN = "Пальто из шерсти, новая коллекция осени, доставка по всей стране за три дня"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"])
@pytest.mark.parametrize("charset", [None, "iso-8859-1", "utf-8", "utf-16"])
def test_marks_and_nothings_between_the_letters_go_before_what_anybody_claims(
    encoding: str, charset: str | None
) -> None:
    text = "<p>Caf\u00e9, and much more of it</p>"
    assert decode(text.encode(encoding), charset) == text


@pytest.mark.parametrize(
    ("body", "charset", "expected"),
    [
        (b"caf\xe9", "iso-8859-1", "caf\u00e9"),
        (b"\x93x\x94", "latin-1", "\u201cx\u201d"),  # what pages call Latin-1 is the Windows encoding
        (b'<?xml version="1.0" encoding="iso-8859-2"?>\xb1', None, '<?xml version="1.0" encoding="iso-8859-2"?>\u0105'),
        (b'<meta charset="windows-1251">\xcf', None, '<meta charset="windows-1251">\u041f'),
        (
            b'<?xml version="1.0" encoding="utf-16"?>caf\xc3\xa9',
            None,
            '<?xml version="1.0" encoding="utf-16"?>caf\u00e9',
        ),
        (b"caf\xe9 \xe2\x82\xac \xe2\x82\xac", "utf-8", "caf\ufffd \u20ac \u20ac"),  # one bad byte spoils one character
        (b"caf\xe9", "utf-8", "caf\u00e9"),  # and where all are bad, it is the claim that is
        (b"caf\xe9", None, "caf\u00e9"),
        ("你好".encode("gbk"), "gb2312", "你好"),
    ],
)
def test_the_claim_that_fits_is_believed(body: bytes, charset: str | None, expected: str) -> None:
    assert decode(body, charset) == expected


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-r"])
def test_an_encoding_that_nobody_declares_is_found_by_its_letters(encoding: str) -> None:
    assert decode((RUSSIAN * 3).encode(encoding)) == RUSSIAN * 3


@pytest.mark.parametrize(
    "charset", ["punycode", "idna", "unicode_escape", "raw_unicode_escape", "zlib", "hex", "rot13", "utf-7"]
)
def test_what_only_python_calls_an_encoding_is_none(charset: str) -> None:
    """The first of them takes the square of the length: 11 s for 256 KiB."""
    body = b"a" * 65_536 + b"-" + b"9" * 196_608
    declared = f'<?xml version="1.0" encoding="{charset}"?>'.encode() + body
    begun = time.thread_time()
    assert decode(body, charset) == body.decode()
    assert decode(declared) == declared.decode()
    assert time.thread_time() - begun < 1


@given(st.binary(), st.none() | st.text(max_size=12))
def test_any_bytes_are_some_text(body: bytes, charset: str | None) -> None:
    decode(body, charset).encode("utf-8", "surrogatepass")
