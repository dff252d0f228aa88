"""From bytes to text, in one way for feeds, pages, maps, robots.txt and JSON.

By the byte order mark, the server's word, the document's own word, and what the bytes look like, in this order. Only the encodings of
the web are taken: Python knows more, and some of those (`punycode`, `idna`, `unicode_escape`) take minutes, or are no encodings.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from contextlib import suppress

_BOMS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_TAKEN = frozenset(
    {
        "ascii", "utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be",
        "cp866", "cp874", "cp932", "cp949", "cp950", *(f"cp125{n}" for n in range(9)),
        *(f"iso8859-{n}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16)), "tis-620",
        "koi8-r", "koi8-u", "mac-roman", "mac-cyrillic", "big5", "big5hkscs", "gb2312", "gbk", "gb18030",
        "euc_jp", "euc_kr", "iso2022_jp", "shift_jis", "johab",
    }
)  # fmt: skip
"""By Python's own names for them."""
_MEANT = {"ascii": "cp1252", "iso8859-1": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874", "tis-620": "cp874",
          "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "euc_kr": "cp949", "big5": "big5hkscs"}  # fmt: skip
"""What pages call these is, in practice, the encoding that contains them (WHATWG Encoding)."""
_WIDE = ("utf-16", "utf-32")
_DECLARED = re.compile(
    rb"""<\?xml[^>]{0,200}?encoding\s*=\s*["']\s*([\w.:-]{1,40})|<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{1,40})""",
    re.IGNORECASE,
)
_LOOKED_AT = 4096
"""Bytes in which a declaration is looked for."""
_SAMPLE = 32 * 1024
"""Bytes that the guess at an undeclared encoding looks at, around the first that is not ASCII."""
_TELLING = 40
"""Bytes that are not ASCII, from which a guess is better than the most usual encoding."""
_XML = re.compile(r"\s*<\?xml\s[^>]{0,500}\?>")


def decode(body: bytes, charset: str | None = None) -> str:
    """The text, without a byte order mark; never an error.

    Args:
        body: the bytes.
        charset: the encoding that the server claims.
    """
    for bom, encoding in _BOMS:
        if body.startswith(bom):
            return body[len(bom) :].decode(encoding, "replace")
    if wide := _wide(body):
        return body.decode(wide, "replace")
    claimed = list(dict.fromkeys(_claimed(body, charset)))
    for encoding in (*claimed, "utf-8"):
        with suppress(ValueError):
            return body.decode(encoding)
    return _guessed(body, claimed[0] if claimed else "utf-8")


def without_declaration(text: str) -> str:
    """XML without its first line, whose word on the encoding is history once the text is decoded."""
    found = _XML.match(text)
    return text[found.end() :] if found else text


def _claimed(body: bytes, charset: str | None) -> Iterator[str]:
    declared = _DECLARED.search(body, 0, _LOOKED_AT)
    words = (charset, (declared[1] or declared[2]).decode("ascii", "replace") if declared else None)
    for word in words:
        encoding = _known(word or "")
        if encoding and not encoding.startswith(_WIDE):  # its bytes belie it: they were looked at
            yield encoding


def _known(name: str) -> str | None:
    """Python's name of an encoding of the web; None for any other."""
    name = name.strip().lower()
    if not re.fullmatch(r"[\w.:-]{1,40}", name, re.ASCII):
        return None
    with suppress(LookupError, ValueError):
        found = codecs.lookup(name.removeprefix("x-")).name
        return _MEANT.get(found, found) if found in _TAKEN else None
    return None


def _wide(body: bytes) -> str | None:
    """UTF-16 or UTF-32 without its mark: every second byte of markup is nothing, or three of four."""
    start = body[:400]
    if b"\0" not in start or len(start) < 4:
        return None
    zeros = [start[at::4].count(0) * 4 > len(start) * 0.7 for at in range(4)]
    shapes = {
        (False, True, True, True): "utf-32-le",
        (True, True, True, False): "utf-32-be",
        (False, True, False, True): "utf-16-le",
        (True, False, True, False): "utf-16-be",
    }
    return shapes.get((zeros[0], zeros[1], zeros[2], zeros[3]))


def _guessed(body: bytes, claimed: str) -> str:
    """Text that is not quite what it says: with some bytes replaced, where most are in order, or in what it looks like."""
    lenient = body.decode(claimed, "replace")
    broken = lenient.count("\ufffd")
    sound = sum(map(len, re.findall(r"[^\x00-\x7f]+", lenient))) - broken
    if broken < sound:
        return lenient
    return body.decode(_detected(body) or "cp1252", "replace")


def _detected(body: bytes) -> str | None:
    first = re.search(rb"[\x80-\xff]", body)
    start = max(0, first.start() - _SAMPLE // 4) if first else 0
    sample = body[start : start + _SAMPLE]
    if len(re.findall(rb"[\x80-\xff]", sample)) < _TELLING:
        return None
    from charset_normalizer import from_bytes

    best = from_bytes(sample, cp_isolation=["cp1252", "cp1251", "koi8_r", "gb18030", "cp932", "cp949"]).best()
    return best.encoding if best else None
