"""OpenDocument texts and presentations."""

from __future__ import annotations

from collections.abc import Iterator

from shared.domains.documents.reading.package import Element, Package, attribute, local
from shared.domains.documents.reading.refused import RefusedError
from shared.domains.documents.reading.writer import About, Writer
from shared.domains.documents.text import Outcome

_NOT_SHOWN = frozenset(
    {"tracked-changes", "annotation", "note-citation", "forms", "sequence-decls", "soft-page-break", "desc", "title"}
)
_MOST_SPACES = 100
_MOST_REPEATED = 100
"""Columns that one cell stands for."""


def read_odf(package: Package, out: Writer) -> None:
    """Read an OpenDocument file."""
    if _is_encrypted(package):
        raise RefusedError(
            Outcome.ENCRYPTED,
            "This OpenDocument file is protected by a password, which cannot be opened here. Save it without one.",
        )
    read_about(package, out.about)
    root = package.tree("content.xml")
    body = None if root is None else next(root.iter("{*}body"), None)
    if body is None:
        raise RefusedError(Outcome.BROKEN)
    _blocks(body, out, 0)


def read_about(package: Package, about: About) -> None:
    """Title, author and dates."""
    root = package.tree("meta.xml")
    for each in [] if root is None else root.iter():
        value = (each.text or "").strip()
        match local(each):
            case "title":
                about.title = value
            case "initial-creator":
                about.author = value
            case "creator":
                about.author = about.author or value
            case "creation-date":
                about.created = value
            case "date":
                about.modified = value


def _is_encrypted(package: Package) -> bool:
    manifest = package.tree("META-INF/manifest.xml")
    return manifest is not None and next(manifest.iter("{*}encryption-data"), None) is not None


def _blocks(parent: Element, out: Writer, depth: int) -> None:
    for child in parent:
        name = local(child)
        if name == "h":
            level = attribute(child, "outline-level")
            out.heading(int(level) if level.isdecimal() else 1, _text(child, out))
            _inner(child, out)
        elif name == "p":
            text = _text(child, out)
            if depth:
                out.item(text, depth - 1)
            else:
                out.paragraph(text)
            _inner(child, out)
        elif name == "list":
            _blocks(child, out, depth + 1)
        elif name == "table":
            _table(child, out)
        elif name == "page":
            out.page(attribute(child, "name"))
            _blocks(child, out, depth)
        elif name not in _NOT_SHOWN:
            _blocks(child, out, depth)


def _inner(paragraph: Element, out: Writer) -> None:
    """What is anchored in a paragraph and is no part of its line: boxes and notes."""
    for each in paragraph.iter("{*}text-box", "{*}note-body"):
        if next(each.iterancestors("{*}p", "{*}h"), None) is paragraph:
            _blocks(each, out, 0)


def _text(element: Element, out: Writer) -> str:
    parts: list[str] = []
    _gather(element, parts, out)
    return "".join(parts)


def _gather(element: Element, parts: list[str], out: Writer) -> None:
    parts.append(element.text or "")
    for child in element:
        name = local(child)
        if name == "s":
            count = attribute(child, "c") or "1"
            parts.append(" " * min(int(count) if count.isdecimal() else 1, _MOST_SPACES))
        elif name == "tab":
            parts.append("\t")
        elif name == "line-break":
            parts.append("\n")
        elif name not in _NOT_SHOWN and name not in ("text-box", "note", "object"):
            if name == "a":
                out.link(attribute(child, "href"))
            _gather(child, parts, out)
        parts.append(child.tail or "")


def _table(table: Element, out: Writer) -> None:
    out.table(
        [each for cell in _cells(row) for each in _repeated(cell, out)]
        for row in table.iter("{*}table-row")
        if next(row.iterancestors("{*}table"), None) is table
    )


def _cells(row: Element) -> Iterator[Element]:
    return (cell for cell in row if local(cell) in ("table-cell", "covered-table-cell"))


def _repeated(cell: Element, out: Writer) -> list[str]:
    text = " ".join(filter(None, (_text(each, out).strip() for each in cell.iter("{*}p", "{*}h"))))
    times = attribute(cell, "number-columns-repeated")
    return [text] * (min(int(times), _MOST_REPEATED) if text and times.isdecimal() else 1)
