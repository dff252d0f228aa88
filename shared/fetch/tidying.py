"""XML as strangers write it, made into XML that parsers take: what is broken is mended in its place, and spoils nothing else.

Every step takes a time that grows with the text's length only. What parsers need long for (doctypes, thousands of attributes, pages of
blanks) does not reach them.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping
from html.entities import html5

from shared.fetch.decoding import without_declaration

_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""What XML cannot hold."""
_REFERENCE = re.compile(r"&(?:#(\d{1,40}|[xX][0-9A-Fa-f]{1,40});|([A-Za-z_][\w.-]{0,40});|#?\w{0,12})")
_SURROGATES = re.compile(
    r"&#(5[56]\d{3}|[xX][dD][89abAB][0-9A-Fa-f]{2});&#(5[67]\d{3}|[xX][dD][c-fC-F][0-9A-Fa-f]{2});"
)
_ENTITY = re.compile(r"""<!ENTITY\s+([A-Za-z_][\w.-]{0,40})\s+(?:"([^"&<%]{0,1000})"|'([^'&<%]{0,1000})')\s*>""")
_LONG_TAG = re.compile(r"<([A-Za-z_][\w.:-]{0,60})[^<>]{2000,}?(/?)>")
_MOST_ATTRIBUTES = 100
_BLANKS = re.compile(r"(?<!\s)\s{200,}")
_LONG_WORD = re.compile(r"(?<![!-%'-;=?-~])[!-%'-;=?-~]{1000,}")
"""ASCII without a blank, a mark of markup or a reference: a picture written as text, or nothing that is read."""
_XML_ENTITIES = frozenset({"amp", "lt", "gt", "quot", "apos"})
_LONGEST_WORD = 1000


def tidied(text: str) -> str:
    """XML without its declaration, doctype, comments and broken references, to be parsed as UTF-8.

    Entities that its doctype declares, or that HTML has, are replaced by what they stand for; references to characters that do not exist
    are dropped; an ampersand that begins none is escaped. CDATA stays as it is.
    """
    text = _UNWRITABLE.sub("", without_declaration(text.lstrip("\ufeff"))).lstrip()
    text, entities = _without_doctype(text)
    mended = _mender(entities)
    return "".join(part if raw else mended(part) for part, raw in _parts(text))


def whole_characters(text: str) -> str:
    """The text with the references to two halves of a character made one."""
    return _SURROGATES.sub(_joined, text) if "&#" in text else text


def _parts(text: str) -> Iterator[tuple[str, bool]]:
    """The text without comments, in pieces; which of them are CDATA."""
    at = 0
    for start in re.finditer(r"<!\[CDATA\[|<!--", text):
        if start.start() < at:
            continue
        yield text[at : start.start()], False
        closing = "]]>" if start[0] != "<!--" else "-->"
        end = text.find(closing, start.end())
        at = len(text) if end < 0 else end + 3
        if closing == "]]>":
            inner = text[start.end() : at if end < 0 else end]
            yield f"<![CDATA[{_shortened(inner)}]]>", True
        elif end < 0:  # a comment without an end hides nothing
            yield text[start.end() :], False
    yield text[at:], False


def _without_doctype(text: str) -> tuple[str, dict[str, str]]:
    """The text after its doctype, and the plain entities that it declares: without references, markup or files."""
    start = re.match(
        r"\s*(?:<!--.{0,4000}?-->\s*|<\?[^>]{0,1000}>\s*){0,20}<!DOCTYPE\b", text, re.IGNORECASE | re.DOTALL
    )
    if not start:
        return text, {}
    bracket, close = text.find("[", start.end()), text.find(">", start.end())
    if 0 <= bracket < close:
        close = text.find(">", max(text.find("]", bracket), bracket))
        declared = re.compile(r"\]\s*>").search(text, bracket)
        close = declared.end() - 1 if declared else close
    end = close + 1 if close >= 0 else start.end()
    entities = {found[1]: found[2] or found[3] or "" for found in _ENTITY.finditer(text, start.end(), end)}
    return text[end:], entities


def _mender(entities: Mapping[str, str]) -> Callable[[str], str]:
    def meant(found: re.Match[str]) -> str:
        number, name = found[1], found[2]
        if number:
            return _character(int(number[1:], 16) if number[0] in "xX" else int(number))
        if name in _XML_ENTITIES:
            return found[0]
        value = entities.get(name) if name in entities else html5.get(f"{name};") if name else None
        return f"&amp;{found[0][1:]}" if value is None else html.escape(value, quote=True)

    def mended(part: str) -> str:
        return _REFERENCE.sub(meant, whole_characters(_shortened(_LONG_TAG.sub(_bounded_tag, part))))

    return mended


def _character(code: int) -> str:
    """A reference to a character of XML; nothing for one that there is none of."""
    if code > 0x10FFFF or _UNWRITABLE.fullmatch(chr(code)):
        return ""
    return html.escape(chr(code))


def _joined(found: re.Match[str]) -> str:
    """Two halves of a character, as JavaScript counts them."""
    high, low = (int(each[1:], 16) if each[0] in "xX" else int(each) for each in found.groups())
    if not (0xD800 <= high < 0xDC00 <= low < 0xE000):
        return found[0]
    return f"&#{0x10000 + (high - 0xD800) * 0x400 + low - 0xDC00};"


def _bounded_tag(found: re.Match[str]) -> str:
    return found[0] if found[0].count("=") <= _MOST_ATTRIBUTES else f"<{found[1]}{found[2]}>"


def _shortened(text: str) -> str:
    """Without pages of blanks, and words that nobody reads."""
    return _LONG_WORD.sub(lambda found: found[0][:_LONGEST_WORD], _BLANKS.sub("\n", text))
