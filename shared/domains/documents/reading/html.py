"""Web pages, whole: all that a reader sees of them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shared.domains.documents.reading.package import Element
from shared.domains.documents.reading.refused import RefusedError, too_large
from shared.domains.documents.reading.tables import Cell, grid, number
from shared.domains.documents.reading.writer import About, Writer
from shared.domains.documents.text import Outcome
from shared.fetch.decoding import decode, without_declaration

_MOST_TAGS = 500_000
_BLOCKS = frozenset((
    "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "dialog", "div", "dl", "dt", "fieldset",
    "figcaption", "figure", "footer", "form", "header", "hgroup", "hr", "html", "legend", "main", "menu", "nav", "noscript",
    "ol", "option", "p", "pre", "section", "select", "summary", "ul", "li", "table", "tbody", "thead", "tfoot", "tr", "td", "th",
    "caption", "h1", "h2", "h3", "h4", "h5", "h6",
))  # fmt: skip
_UNREAD = frozenset((
    "script", "style", "template", "head", "title", "meta", "link", "svg", "object", "iframe", "canvas", "audio", "video",
    "noframes", "datalist",
))  # fmt: skip
_HEADING = re.compile(r"h([1-6])")
_META = {
    "author": "author", "dc.creator": "author", "article:author": "author", "dc.title": "title", "og:title": "title",
    "article:published_time": "created", "dc.date": "created", "date": "created", "article:modified_time": "modified",
}  # fmt: skip


def write_html(data: bytes, out: Writer, charset: str | None = None) -> None:
    """Write a page, from its first heading to its last line.

    Raises:
        RefusedError: there is nothing in it, or it is too large to be a tree.
    """
    from lxml import etree, html

    markup = without_declaration(decode(data, charset)).replace("\0", "")
    if markup.count("<") > _MOST_TAGS:
        raise too_large(f"it has more than {_MOST_TAGS:,} tags")
    if not markup.strip():
        raise RefusedError(Outcome.NO_TEXT)
    try:
        root = html.document_fromstring(
            markup.encode(errors="replace"),
            parser=html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True),
        )
    except (etree.LxmlError, ValueError, AssertionError) as error:
        raise RefusedError(Outcome.BROKEN) from error
    _about(root, out.about)
    for each in root.iter("a"):
        out.link(each.get("href"))
    _Reading(out).read(root)


def _about(root: Element, about: About) -> None:
    title = root.findtext(".//title")
    if title and not about.title:
        about.title = title
    for meta in root.iter("meta"):
        field = _META.get((meta.get("name") or meta.get("property") or "").strip().lower())
        if field and not getattr(about, field):
            setattr(about, field, meta.get("content") or "")


class _Reading:
    """A tree walked without recursion: pages nest as deeply as they like."""

    def __init__(self, out: Writer) -> None:
        self._out = out
        self._line: list[str] = []
        self._depth = 0
        self._verbatim = 0

    def read(self, root: Element) -> None:
        """Walk the tree."""
        from lxml.etree import iterwalk

        walk = iterwalk(root, events=("start", "end"))
        for event, element in walk:
            tag = element.tag if isinstance(element.tag, str) else ""
            if event == "start":
                if tag in _UNREAD or not tag or (tag == "table" and self._is_data(element)):
                    walk.skip_subtree()
                    self._skipped(tag, element)
                    continue
                self._start(tag)
                self._add(element.text)
            else:
                if tag not in _UNREAD and not self._was_table(tag, element):
                    self._end(tag)
                self._add(element.tail if element is not root else None)
        self._flush()

    def _is_data(self, table: Element) -> bool:
        """Whether it is a table of values; those within which there are tables lay out a page."""
        return next(table.iterdescendants("table"), None) is None and next(table.iter("tr"), None) is not None

    def _was_table(self, tag: str, element: Element) -> bool:
        return tag == "table" and self._is_data(element)

    def _skipped(self, tag: str, element: Element) -> None:
        if tag == "table":
            self._flush()
            for caption in element.iter("caption"):
                self._out.paragraph(" ".join("".join(caption.itertext()).split()))
            rows = [[_cell(cell) for cell in row.iter("td", "th")] for row in element.iter("tr")]
            if all(len(row) <= 1 for row in rows):  # a frame around text
                for row in rows:
                    self._out.paragraph(" ".join(cell.text for cell in row))
            else:
                self._out.table(grid(rows))

    def _start(self, tag: str) -> None:
        if tag == "br":
            self._line.append("\n")
        elif tag in _BLOCKS:
            if tag in ("ul", "ol") and self._depth:  # a list below an item: the item ends here
                self._out.item("".join(self._line), self._depth - 1)
                self._line.clear()
            self._flush()
            self._depth += tag in ("ul", "ol")
            self._verbatim += tag == "pre"

    def _end(self, tag: str) -> None:
        if tag not in _BLOCKS:
            return
        found = _HEADING.fullmatch(tag)
        if found:
            self._out.heading(int(found[1]), "".join(self._line))
            self._line.clear()
        elif tag == "li":
            self._out.item("".join(self._line), self._depth - 1)
            self._line.clear()
        else:
            self._flush()
        self._depth -= tag in ("ul", "ol") and self._depth > 0
        self._verbatim -= tag == "pre"

    def _add(self, text: str | None) -> None:
        if text:
            self._line.append(text if self._verbatim else _BLANKS.sub(" ", text))

    def _flush(self) -> None:
        if self._line:
            self._out.paragraph("".join(self._line))
            self._line.clear()


_BLANKS = re.compile(r"\s+")


def _cell(cell: Element) -> Cell:
    text = " ".join("".join(_texts(cell)).split())
    return Cell(text, number(cell.get("colspan")), number(cell.get("rowspan")))


def _texts(element: Element) -> Iterator[str]:
    """The text of a cell, with gaps between its blocks."""
    from lxml.etree import iterwalk

    walk = iterwalk(element, events=("start", "end"))
    for event, each in walk:
        tag = each.tag if isinstance(each.tag, str) else ""
        if event == "start":
            if tag in _UNREAD or not tag:
                walk.skip_subtree()
                continue
            yield " " if tag in _BLOCKS or tag == "br" else ""
            yield each.text or ""
        else:
            yield " " if tag in _BLOCKS else ""
            yield (each.tail or "") if each is not element else ""
