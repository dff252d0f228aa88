"""What readers write a document into: blocks of text, whose offsets are kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shared.domains.documents.reading.refused import too_large
from shared.domains.documents.text import Heading, Page, Table, Text

MOST_CHARACTERS = 20_000_000
"""Of one document's text: a library of some 40 thick books."""
MOST_CELLS = 50_000
"""Cells of one document that are kept as tables. The text of larger tables is kept all the same."""
_MOST_LINKS = 2_000
_LONGEST_LINK = 2_000
_LONGEST_WORD = 500
"""Of a title or an author."""
_UNWANTED = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f\u200b\u2060\ufeff\ufffe\uffff\ud800-\udfff]")
_BLANKS = re.compile(r"[ \t\xa0]+")
_GAPS = re.compile(r"\n{3,}")


@dataclass(slots=True)
class About:
    """What a document says of itself."""

    title: str = ""
    author: str = ""
    created: str = ""
    modified: str = ""


class Writer:
    """A document being read."""

    def __init__(self) -> None:
        self.about = About()
        self._parts: list[str] = []
        self._length = 0
        self._pages: list[Page] = []
        self._headings: list[Heading] = []
        self._tables: list[Table] = []
        self._cells = 0
        self._links: dict[str, None] = {}
        self._page: tuple[int, str] | None = None

    @property
    def page_number(self) -> int:
        """The page that is being written, from 1; 1 too where there are none."""
        return len(self._pages) + 1

    def page(self, label: str = "") -> None:
        """Begin a page."""
        self._end_page()
        self._page = (self._length, clean_line(label))

    def heading(self, level: int, text: str) -> None:
        """A heading, of level 1 to 6."""
        title = clean_line(text)
        if title:
            level = max(1, min(level, 6))
            start = self._add(f"{'#' * level} {title}")
            self._headings.append(Heading(start, level, title))

    def paragraph(self, text: str) -> None:
        """A block of text, whose line breaks stay."""
        self._add(clean(text))

    def item(self, text: str, depth: int = 0) -> None:
        """An item of a list."""
        line = clean_line(text)
        if line:
            self._add(f"{'  ' * min(depth, 8)}- {line}", "\n" if self._last_is_item() else "\n\n")

    def as_written(self, text: str, headings: Iterable[tuple[int, int, str]] = ()) -> None:
        """Text that is kept to the letter, with where its headings are: offset, level, title."""
        start = self._add(text)
        self._headings += (Heading(start + at, level, title) for at, level, title in headings)

    def table(self, rows: Iterable[Sequence[str]]) -> None:
        """A table: a line for each row, its cells between bars."""
        kept: list[tuple[str, ...]] = []
        start = end = None
        for row in rows:
            cells = tuple(map(clean_line, row))
            if not any(cells):
                continue
            at = self._add(f"| {' | '.join(cells)} |", "\n\n" if start is None else "\n")
            start, end = at if start is None else start, self._length
            self._cells += len(cells)
            if self._cells <= MOST_CELLS:
                kept.append(cells)
        if start is not None and end is not None and kept:
            self._tables.append(Table(self.page_number, start, end, tuple(kept)))

    def link(self, url: str | None) -> None:
        """A link that the document holds."""
        url = (url or "").strip()
        if re.match(r"(https?://|mailto:)\S", url) and len(url) <= _LONGEST_LINK and len(self._links) < _MOST_LINKS:
            self._links[_UNWANTED.sub("", url)] = None

    def text(self, format: str) -> Text:
        """All that was written."""
        self._end_page()
        about = self.about
        return Text(
            "".join(self._parts),
            format,
            tuple(self._pages) or (Page(1, 0, self._length),),
            tuple(self._headings),
            tuple(self._tables),
            tuple(self._links),
            clean_line(about.title)[:_LONGEST_WORD],
            clean_line(about.author)[:_LONGEST_WORD],
            clean_line(about.created)[:40],
            clean_line(about.modified)[:40],
        )

    def _add(self, block: str, gap: str = "\n\n") -> int:
        """Add a block; return where it starts."""
        if not block.strip():
            return self._length
        if self._parts:
            block_start = self._length + len(gap)
            self._parts.append(gap)
        else:
            block_start = 0
        self._parts.append(block)
        self._length = block_start + len(block)
        if self._length > MOST_CHARACTERS:
            raise too_large(f"its text has more than {MOST_CHARACTERS:,} characters")
        return block_start

    def _last_is_item(self) -> bool:
        return bool(self._parts) and self._parts[-1].lstrip().startswith("- ")

    def _end_page(self) -> None:
        if self._page is None:
            return
        start, label = self._page
        if self._length > start and start:
            start += 2  # the gap before its first block
        self._pages.append(Page(len(self._pages) + 1, start, self._length, label))
        self._page = None


def clean(text: str) -> str:
    """Text without what nobody can see, and without gaps."""
    text = _UNWANTED.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0c", "\n"))
    return _GAPS.sub("\n\n", "\n".join(_BLANKS.sub(" ", line).strip() for line in text.split("\n"))).strip("\n")


def clean_line(text: str) -> str:
    """Text as one line."""
    return " ".join(_UNWANTED.sub("", text).split())
