"""PowerPoint: slides in the order in which they are shown."""

from __future__ import annotations

from collections.abc import Iterator

from shared.domains.documents.reading.charts import write_chart
from shared.domains.documents.reading.office import links_of, read_properties, text_of
from shared.domains.documents.reading.package import Element, Package, attribute, local
from shared.domains.documents.reading.refused import RefusedError, too_large
from shared.domains.documents.reading.tables import Cell, grid, number
from shared.domains.documents.reading.writer import Writer
from shared.domains.documents.text import Outcome

MOST_SLIDES = 5_000
_PLACEHOLDERS_LEFT_OUT = frozenset({"dt", "sldNum", "ftr", "hdr"})


def read_pptx(package: Package, out: Writer) -> None:
    """Read a presentation: each slide's title, text and tables, and its notes."""
    read_properties(package, out.about)
    slides = list(_slides(package))
    if len(slides) > MOST_SLIDES:
        raise too_large(f"it has more than {MOST_SLIDES:,} slides")
    if not slides:
        raise RefusedError(Outcome.NO_TEXT if "ppt/presentation.xml" in package else Outcome.BROKEN)
    for slide in slides:
        out.page()
        relations = package.relations(slide)
        root = package.tree(slide)
        if root is None:
            continue
        for shape in _shapes(root):
            _write(shape, out)
        links_of(root, relations, out)
        for kind, target, outside in relations.values():
            if outside:
                continue
            if kind == "chart":
                write_chart(package, target, out)
            elif kind in ("diagramData", "notesSlide", "comments"):
                _write_rest(package, target, kind, out)


def _slides(package: Package) -> Iterator[str]:
    root = package.tree("ppt/presentation.xml")
    relations = package.relations("ppt/presentation.xml")
    for each in [] if root is None else root.iter("{*}sldId"):
        for key, value in each.attrib.items():
            if key.startswith("{") and key.endswith("}id"):
                kind, target, outside = relations.get(value, ("", "", True))
                if kind == "slide" and not outside and target in package:
                    yield target


def _shapes(root: Element) -> Iterator[Element]:
    """The shapes of a slide that hold text, those in groups too; the title first, wherever it was drawn."""
    shapes = [each for each in root.iter("{*}sp", "{*}graphicFrame") if not _is_fallback(each)]
    kept = [each for each in shapes if _placeholder(each) not in _PLACEHOLDERS_LEFT_OUT]
    yield from sorted(kept, key=lambda each: not _is_title(each))


def _is_fallback(shape: Element) -> bool:
    return any(local(each) == "Fallback" for each in shape.iterancestors())


def _placeholder(shape: Element) -> str:
    found = next(shape.iter("{*}ph"), None)
    return "" if found is None else attribute(found, "type") or "body"


def _is_title(shape: Element) -> bool:
    return _placeholder(shape) in ("title", "ctrTitle")


def _write(shape: Element, out: Writer) -> None:
    if local(shape) == "graphicFrame":
        for table in shape.iter("{*}tbl"):
            out.table(
                grid([_cell(cell) for cell in row.iter("{*}tc") if not _goes_on(cell)] for row in table.iter("{*}tr"))
            )
        return
    if _is_title(shape):
        out.heading(1, text_of(shape))
        return
    for paragraph in shape.iter("{*}p"):
        text = text_of(paragraph)
        if _is_listed(paragraph):
            out.item(text, _depth(paragraph))
        else:
            out.paragraph(text)


def _is_listed(paragraph: Element) -> bool:
    return any(local(each) in ("buChar", "buAutoNum") for child in paragraph if local(child) == "pPr" for each in child)


def _depth(paragraph: Element) -> int:
    for child in paragraph:
        if local(child) == "pPr":
            level = child.get("lvl") or "0"
            return int(level) if level.isdecimal() else 0
    return 0


def _cell(cell: Element) -> Cell:
    text = " ".join(filter(None, (text_of(each).strip() for each in cell.iter("{*}p"))))
    return Cell(text, number(cell.get("gridSpan")), number(cell.get("rowSpan")))


def _goes_on(cell: Element) -> bool:
    """Whether it is covered by one to its left, or above it."""
    return cell.get("hMerge") in ("1", "true") or cell.get("vMerge") in ("1", "true")


def _write_rest(package: Package, part: str, kind: str, out: Writer) -> None:
    root = package.tree(part)
    if root is None:
        return
    if kind == "comments":
        for comment in root.iter("{*}text"):
            out.paragraph("".join(comment.itertext()))
        return
    for shape in root.iter("{*}sp", "{*}pt"):
        if kind == "diagramData" or _placeholder(shape) == "body":
            for paragraph in shape.iter("{*}p"):
                out.paragraph(text_of(paragraph))
