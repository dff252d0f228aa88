"""Text from strangers: decoded, without markup and control characters, and bounded."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

TITLE = 300
"""Characters of a title that are kept."""
EXCERPT = 2_000
"""Characters of a text that are kept."""
ARTICLE = 100_000
"""Characters of a page's article that are kept."""

_UNWANTED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u2060\ufeff\ufffe\uffff\ud800-\udfff]")
_LINK = re.compile(r"!?\[([^\[\]]{0,300})\]\([^()\s]{0,2000}\)")
_MARKS = re.compile(r"\*\*|~~|`|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)|^(?:#{1,6}|>+|[*+-])\s+", re.MULTILINE)
_META_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{1,40})""", re.IGNORECASE)
# Of what Python knows, only what pages use: no `idna`, `punycode` or `unicode_escape`, which are slow, or no encodings.
_SANE = re.compile(
    r"(utf-?(8|16|32)([-_]?[lb]e)?|(iso|cp|windows|x-|mac|koi|tis|big|euc|gb|shift|johab|hz)[\w.-]{0,30})",
    re.IGNORECASE,
)
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
# What pages call these is, in practice, the Windows encoding that contains them (WHATWG Encoding).
_MEANT = {"iso-8859-1": "cp1252", "latin-1": "cp1252", "latin1": "cp1252", "ascii": "cp1252", "us-ascii": "cp1252",
          "gb2312": "gb18030", "gbk": "gb18030", "shift_jis": "cp932", "euc-kr": "cp949"}  # fmt: skip


def line(value: Any, limit: int = TITLE) -> str:
    """Anything as one line of at most `limit` characters; nothing where it is no text."""
    return _cut(" ".join(_clean(value).split()), limit)


def block(value: Any, limit: int = EXCERPT) -> str:
    """Anything as text whose paragraphs are lines."""
    lines = (" ".join(each.split()) for each in _clean(value).splitlines())
    return _cut("\n".join(each for each in lines if each), limit)


def plain(markup: Any, limit: int = EXCERPT) -> str:
    """The text of a piece of HTML, as one line."""
    text = _clean(markup)
    if "<" in text or "&" in text:
        text = " ".join(_texts(text))
    return line(text, limit)


def without_markdown(text: str) -> str:
    """A text without the marks of Markdown: of a link its words, of emphasis, headings, lists and quotes what is in them."""
    text = _LINK.sub(r"\1", text)
    return _MARKS.sub("", text).strip()


def image_in(markup: Any) -> str | None:
    """The address of the first image in a piece of HTML, as it is written there."""
    found = re.search(r"""<img\s[^>]{0,500}?src\s*=\s*["']([^"'<>]{1,2000})""", _clean(markup)[:50_000], re.IGNORECASE)
    return found[1] if found else None


def decode(body: bytes, charset: str | None = None) -> str:
    """A page's text: by its byte order mark, the server's word, its own word, UTF-8, in this order; never an error."""
    for encoding in _encodings(body, charset):
        with suppress(ValueError, LookupError):
            return body.decode(encoding)
    return body.decode("cp1252", errors="replace")


def _encodings(body: bytes, charset: str | None) -> Iterator[str]:
    yield from (encoding for bom, encoding in _BOMS if body.startswith(bom))
    claimed = _META_CHARSET.search(body, 0, 4096)
    for name in (charset, claimed[1].decode("ascii", "replace") if claimed else None):
        if name:
            yield _MEANT.get(name.strip().lower(), name if _SANE.fullmatch(name) else "utf-8")
    yield "utf-8"


def _texts(markup: str) -> Iterator[str]:
    from lxml import etree, html

    try:
        root = html.fragment_fromstring(markup, create_parent="div")
    except (etree.LxmlError, ValueError, AssertionError):
        yield re.sub(r"<[^>]{0,1000}>", " ", markup)
        return
    etree.strip_elements(root, "script", "style", etree.Comment, with_tail=False)
    yield from (str(part) for part in root.itertext())


def _clean(value: Any) -> str:
    return _UNWANTED.sub("", value) if isinstance(value, str) else ""


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
