"""Splitting a text into chunks: at headings, paragraphs, lines, sentences and words, in this order, each as long as it may be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.domains.documents.text import Heading, Page, Text

SIZE = 1_000
OVERLAP = 150
_BOUNDARIES = (
    re.compile(r"\n{2,}"),
    re.compile(r"\n"),
    re.compile(r"(?<=[.!?…])[\"'»”)\]]*\s+|(?<=[\u3002\uff01\uff1f])"),
    re.compile(r"\s+"),
)
"""Where a text is cut: after a paragraph, a line, a sentence, a word."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A stretch of a text, such as a search index takes."""

    number: int
    """From 0."""
    start: int
    end: int
    """Offsets: `text[start:end]` is the chunk."""
    text: str
    headings: tuple[str, ...] = ()
    """The headings above it, the outermost first."""
    page: int | None = None
    """The page on which it begins."""


def split(document: Text, size: int = SIZE, overlap: int = OVERLAP) -> list[Chunk]:
    """Split a document: no chunk crosses a heading, and each knows its page and the headings above it.

    Args:
        document: a document that was read.
        size: characters of a chunk, at most.
        overlap: characters, at most, that a chunk repeats of the one before: whole sentences or words of the same section.

    Raises:
        ValueError: the overlap is not smaller than the size, or the size is none.
    """
    chunks: list[Chunk] = []
    for start, end, above in _sections(document.text, document.headings):
        chunks += [
            Chunk(len(chunks) + number, at, to, document.text[at:to], above, _page_at(document.pages, at))
            for number, (at, to) in enumerate(spans(document.text, size, overlap, start, end))
        ]
    return chunks


def split_text(text: str, size: int = SIZE, overlap: int = OVERLAP) -> list[Chunk]:
    """Split plain text; as `split`."""
    return [Chunk(number, at, to, text[at:to]) for number, (at, to) in enumerate(spans(text, size, overlap))]


def spans(text: str, size: int, overlap: int, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
    """The chunks of a stretch of text, as offsets; blanks at their ends belong to none.

    Raises:
        ValueError: the overlap is not smaller than the size, or the size is none.
    """
    if not 0 <= overlap < size:
        raise ValueError(f"an overlap of {overlap} does not fit a size of {size}: 0 <= overlap < size")
    end = len(text) if end is None else end
    at = _after_blanks(text, start, end)
    while at < end:
        to = end if end - at <= size else _cut(text, at, at + size)
        stop = _before_blanks(text, at, to)
        yield at, stop
        if to >= end:
            return
        again = _overlapping(text, at, to, overlap)
        at = _after_blanks(text, again, end)


def _sections(text: str, headings: Sequence[Heading]) -> Iterator[tuple[int, int, tuple[str, ...]]]:
    """The stretches between headings, each with the headings above it, its own included."""
    starts = [heading.start for heading in headings]
    if not headings:
        yield 0, len(text), ()
        return
    if starts[0] > 0:
        yield 0, starts[0], ()
    above: list[Heading] = []
    for heading, end in zip(headings, [*starts[1:], len(text)], strict=True):
        above = [each for each in above if each.level < heading.level] + [heading]
        yield heading.start, end, tuple(each.title for each in above)


def _cut(text: str, at: int, most: int) -> int:
    """The last good place to end a chunk, in its second half; its very end, where there is none."""
    least = at + (most - at) // 2
    for boundary in _BOUNDARIES:
        last = None
        for found in boundary.finditer(text, least, most):
            last = found.end()
        if last is not None:
            return last
    return most


def _overlapping(text: str, at: int, to: int, overlap: int) -> int:
    """Where the next chunk starts: with the last whole sentences of this one that the overlap has room for, else its last words."""
    if not overlap:
        return to
    least = max(at + 1, to - overlap)
    for boundary in _BOUNDARIES[2:]:
        for found in boundary.finditer(text, least, to):
            if found.end() < to:
                return found.end()
    return to


def _after_blanks(text: str, at: int, end: int) -> int:
    while at < end and text[at].isspace():
        at += 1
    return at


def _before_blanks(text: str, at: int, end: int) -> int:
    while end > at and text[end - 1].isspace():
        end -= 1
    return end


def _page_at(pages: Sequence[Page], at: int) -> int | None:
    from bisect import bisect_right

    if not pages:
        return None
    found = bisect_right(pages, at, key=lambda page: page.start)
    return pages[max(found - 1, 0)].number
