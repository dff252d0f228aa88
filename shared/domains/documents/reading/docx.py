"""Word: WordprocessingML, of either edition of the standard."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shared.domains.documents.reading.charts import write_chart
from shared.domains.documents.reading.html import write_html
from shared.domains.documents.reading.office import links_of, read_properties, text_of
from shared.domains.documents.reading.package import Element, Package, attribute, local
from shared.domains.documents.reading.refused import RefusedError
from shared.domains.documents.reading.tables import Cell, bounded, grid, number
from shared.domains.documents.reading.writer import Writer
from shared.domains.documents.text import Outcome

_TRANSPARENT = frozenset(
    {"sdt", "sdtContent", "customXml", "smartTag", "ins", "moveTo", "body", "txbxContent", "footnote", "endnote", "comment", "hdr", "ftr"}
)  # fmt: skip
_HEADING = re.compile(r"(?:heading|überschrift|titre|título|titolo|kop)\s*([1-9])", re.IGNORECASE)
_MOST_NOTES = 20_000


def read_docx(package: Package, out: Writer) -> None:
    """Read a Word file: its body, then footnotes, endnotes and comments."""
    read_properties(package, out.about)
    main = _main_part(package)
    root = package.tree(main)
    if root is None:
        raise RefusedError(Outcome.BROKEN)
    reading = _Reading(package, main, out)
    body = next(root.iter("{*}body"), root)
    reading.blocks(body)
    for kind in ("footnotes", "endnotes", "comments"):
        reading.notes(kind)


def _main_part(package: Package) -> str:
    for kind, target, outside in package.relations("").values():
        if kind == "officeDocument" and not outside and target in package:
            return target
    return "word/document.xml"


class _Reading:
    """One Word file being read."""

    def __init__(self, package: Package, main: str, out: Writer) -> None:
        self._package = package
        self._out = out
        self._relations = package.relations(main)
        self._levels = dict(_heading_levels(package.tree(self._part("styles") or "word/styles.xml")))

    def _part(self, kind: str) -> str | None:
        return next((target for name, target, _ in self._relations.values() if name == kind), None)

    def blocks(self, parent: Element) -> None:
        """The blocks below an element, in order."""
        for child in parent:
            name = local(child)
            if name == "p":
                self._paragraph(child)
            elif name == "tbl":
                self._table(child)
            elif name in _TRANSPARENT:
                self.blocks(child)
            elif name == "altChunk":
                self._chunk(child)

    def notes(self, kind: str) -> None:
        """The notes of a kind; those that only draw a line are none."""
        part = self._part(kind)
        root = self._package.tree(part) if part else None
        for note in ([] if root is None else list(root))[:_MOST_NOTES]:
            if attribute(note, "type") not in ("separator", "continuationSeparator"):
                self.blocks(note)

    def _paragraph(self, paragraph: Element) -> None:
        text = text_of(paragraph)
        links_of(paragraph, self._relations, self._out)
        style, level, listed = _properties(paragraph)
        level = level if level is not None else self._levels.get(style)
        if level is not None and len(text) < 300:
            self._out.heading(level + 1, text)
        elif listed is not None:
            self._out.item(text, listed)
        else:
            self._out.paragraph(text)
        for box in _boxes(paragraph):
            self.blocks(box)
        for chart in paragraph.iter("{*}chart"):
            _, target, outside = self._relations.get(attribute(chart, "id"), ("", "", True))
            if not outside:
                write_chart(self._package, target, self._out)

    def _table(self, table: Element) -> None:
        rows = list(_rows(table))
        if len(rows) == 1 and len(rows[0]) == 1:  # a frame around text
            self.blocks(rows[0][0])
            return
        self._out.table(grid(_merged(rows)))
        links_of(table, self._relations, self._out)

    def _chunk(self, element: Element) -> None:
        """A document within the document, in HTML."""
        _, target, outside = self._relations.get(attribute(element, "id"), ("", "", True))
        data = None if outside else self._package.read(target)
        if data and re.search(rb"<(html|body|p)\b", data[:4096], re.IGNORECASE):
            write_html(data, self._out)


def _boxes(paragraph: Element) -> Iterator[Element]:
    """The text boxes anchored in a paragraph; of two alternatives the first."""
    for box in paragraph.iter("{*}txbxContent"):
        above = {local(each) for each in box.iterancestors()}
        if "Fallback" not in above and next(box.iterancestors("{*}p"), None) is paragraph:
            yield box


def _properties(paragraph: Element) -> tuple[str, int | None, int | None]:
    """A paragraph's style, its outline level, and its depth in a list."""
    style, level, listed = "", None, None
    properties = next((child for child in paragraph if local(child) == "pPr"), None)
    for each in () if properties is None else properties:
        name = local(each)
        if name == "pStyle":
            style = attribute(each, "val")
        elif name == "outlineLvl":
            level = _level(attribute(each, "val"))
        elif name == "numPr":
            depth = next((attribute(child, "val") for child in each if local(child) == "ilvl"), "0")
            listed = int(depth) if depth.isdecimal() else 0
    return style, level, listed


def _heading_levels(styles: Element | None) -> Iterator[tuple[str, int]]:
    """The outline level, from 0, of each style that is a heading."""
    for style in [] if styles is None else styles.iter("{*}style"):
        names = [attribute(each, "val") for each in style if local(each) == "name"]
        found = _HEADING.fullmatch(names[0]) if names else None
        outline = next((_level(attribute(each, "val")) for each in style.iter("{*}outlineLvl")), None)
        if found:
            yield attribute(style, "styleId"), int(found[1]) - 1
        elif names and names[0].casefold() == "title":
            yield attribute(style, "styleId"), 0
        elif outline is not None:
            yield attribute(style, "styleId"), outline


def _level(value: str) -> int | None:
    return int(value) if value.isdecimal() and int(value) < 9 else None


def _rows(table: Element) -> Iterator[list[Element]]:
    for row in table:
        if local(row) == "tr":
            yield list(_cells(row))
        elif local(row) in ("sdt", "sdtContent", "customXml"):
            yield from _rows(row)


def _cells(row: Element) -> Iterator[Element]:
    for cell in row:
        name = local(cell)
        if name == "tc":
            yield cell
        elif name in ("sdt", "sdtContent", "customXml"):
            yield from _cells(cell)


def _merged(rows: list[list[Element]]) -> Iterator[list[Cell]]:
    """The cells of a table; one that goes on from the row above says what that says."""
    above: dict[int, str] = {}
    for row in rows:
        cells, at = [], 0
        for each in row:
            columns, goes_on = _span(each)
            text = above.get(at, "") if goes_on else _cell(each)
            above[at] = text
            cells.append(Cell(text, columns))
            at += columns
        yield cells


def _span(cell: Element) -> tuple[int, bool]:
    columns, goes_on = 1, False
    for properties in cell:
        if local(properties) == "tcPr":
            for each in properties:
                if local(each) == "gridSpan":
                    columns = bounded(number(attribute(each, "val")))
                elif local(each) == "vMerge":
                    goes_on = attribute(each, "val") != "restart"
    return columns, goes_on


def _cell(cell: Element) -> str:
    """The text of a cell, tables within it included."""
    return " ".join(filter(None, (text_of(each).strip() for each in cell.iter("{*}p"))))
