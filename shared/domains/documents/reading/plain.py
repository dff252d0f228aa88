"""Plain text, Markdown and its like, and CSV, in whatever encoding they are."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

from shared.domains.documents.reading.refused import RefusedError
from shared.domains.documents.reading.writer import Writer
from shared.domains.documents.text import Outcome
from shared.fetch.decoding import decode

_MARKDOWN = re.compile(r"^(#{1,6})[ \t]+(.{1,300}?)[ \t#]*$", re.MULTILINE)
_ASCIIDOC = re.compile(r"^(={1,6})[ \t]+(.{1,300}?)[ \t=]*$", re.MULTILINE)
_UNDERLINED = re.compile(r"^(?![ \t])([^\n]{1,300})\n([=\-~^\"'`*+#])\2{2,}[ \t]*$", re.MULTILINE)
_FENCE = re.compile(r"^(```|~~~)", re.MULTILINE)
_LINK = re.compile(r"https?://[^\s<>()\[\]\"'`]{1,2000}")
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_EBCDIC_SPACE = b"\x40"
_SNIFFED = 64 * 1024
_DELIMITERS = ",;\t|"
_MOST_COLUMNS = 5_000


def write_plain(data: bytes, out: Writer, format: str) -> None:
    """Write text as it is; of Markdown, AsciiDoc and reStructuredText the headings are known.

    Raises:
        RefusedError: it is no text, or empty.
    """
    text = decoded(data)
    out.as_written(text, sorted(_headings(text, format)))
    if format == "markdown":
        out.about.title = next((title for _, level, title in sorted(_headings(text, format)) if level == 1), "")
    for found in _LINK.finditer(text):
        out.link(found[0].rstrip(".,;:!?"))


def write_csv(data: bytes, out: Writer, delimiter: str | None = None) -> None:
    """Write values separated by commas, semicolons, tabs or bars as a table."""
    text = decoded(data)
    csv.field_size_limit(10 * 2**20)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter or _delimiter(text))
    try:
        out.table(row[:_MOST_COLUMNS] for row in rows)
    except csv.Error as error:
        raise RefusedError(Outcome.BROKEN) from error


def decoded(data: bytes) -> str:
    """Bytes as text, with the line ends of Unix.

    Raises:
        RefusedError: they are no text, or there is nothing but blanks.
    """
    text = _mainframe(data) or decode(data)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise RefusedError(Outcome.NO_TEXT)
    if not is_text(text):
        raise RefusedError(Outcome.UNSUPPORTED)
    return _CONTROL.sub("", text)


def is_text(text: str) -> bool:
    """Whether it reads like text: next to no control characters, nor bytes without a meaning."""
    sample = text[:_SNIFFED]
    strange = len(_CONTROL.findall(sample)) + sample.count("\ufffd")
    return strange <= len(sample) * 0.02


def _mainframe(data: bytes) -> str | None:
    """Text of a mainframe (EBCDIC), where blanks are at signs and letters have the high bit."""
    sample = data[:4096]
    if len(sample) < 20 or sample.count(_EBCDIC_SPACE) * 20 < len(sample) or b" " in sample:
        return None
    text = data.decode("cp500")
    letters = sum(each.isalpha() or each.isspace() for each in text[:4096])
    return text if letters * 10 > len(sample) * 7 else None


def _delimiter(text: str) -> str:
    """The character that splits most of the first lines into the same number of values."""
    lines = [line for line in text[:_SNIFFED].split("\n") if line.strip()][:50]
    best, score = ",", 0.0
    for each in _DELIMITERS:
        counts = [len(row) for row in csv.reader(lines, delimiter=each)]
        usual = max(set(counts), key=counts.count, default=1)
        share = counts.count(usual) / max(len(counts), 1) if usual > 1 else 0.0
        if share > score:
            best, score = each, share
    return best


def _headings(text: str, format: str) -> Iterator[tuple[int, int, str]]:
    marks = {"markdown": _MARKDOWN, "asciidoc": _ASCIIDOC}.get(format)
    fences = [found.start() for found in _FENCE.finditer(text)] if format == "markdown" else []
    for found in marks.finditer(text) if marks else ():
        if sum(at < found.start() for at in fences) % 2 == 0:
            yield found.start(), len(found[1]), found[2]
    if format in ("markdown", "rst"):
        order: list[str] = ["=", "-"] if format == "markdown" else []
        for found in _UNDERLINED.finditer(text):
            if format == "rst" and found[2] not in order:
                order.append(found[2])
            if found[2] in order and re.search(r"\w", found[1]):
                yield found.start(), min(order.index(found[2]) + 1, 6), found[1].strip()
