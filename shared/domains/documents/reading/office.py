"""What Word, PowerPoint and Excel files have in common: what they say of themselves, and the text of a paragraph."""

from __future__ import annotations

from shared.domains.documents.reading.package import Element, Package, local
from shared.domains.documents.reading.writer import About, Writer

_BREAKS = {"br": "\n", "cr": "\n", "tab": "\t", "noBreakHyphen": "-", "ptab": "\t"}
_NOT_SHOWN = frozenset({"del", "moveFrom", "delText", "instrText", "Fallback", "pPr", "rPr", "rt"})
"""What was deleted, the instructions of fields, the poorer of two alternatives, properties, readings above characters."""


def read_properties(package: Package, about: About) -> None:
    """Title, author and dates out of an Office file's core properties."""
    root = package.tree("docProps/core.xml")
    for each in [] if root is None else root:
        value = (each.text or "").strip()
        match local(each):
            case "title":
                about.title = value
            case "creator":
                about.author = value
            case "created":
                about.created = value
            case "modified":
                about.modified = value


def text_of(element: Element) -> str:
    """The text of a paragraph of WordprocessingML or DrawingML, its breaks included."""
    parts: list[str] = []
    _gather(element, parts)
    return "".join(parts)


def _gather(element: Element, parts: list[str]) -> None:
    for child in element:
        name = local(child)
        if name == "t":
            parts.append(child.text or "")
        elif name in _BREAKS:
            parts.append(_BREAKS[name])
        elif name == "sym":
            parts.append(_symbol(child))
        elif name not in _NOT_SHOWN and name != "txbxContent":
            _gather(child, parts)


def _symbol(element: Element) -> str:
    for key, value in element.attrib.items():
        if key.endswith("}char"):
            code = int(value, 16) if value else 0
            return "" if 0xE000 <= code <= 0xF8FF or not code else chr(code)  # a font's own, which says nothing
    return ""


def links_of(element: Element, relations: object, out: Writer) -> None:
    """Tell of the links that an element holds."""
    if not isinstance(relations, dict):
        return
    for each in element.iter("{*}hyperlink", "{*}hlinkClick"):
        for key, value in each.attrib.items():
            if key.endswith("}id") and value in relations and relations[value][2]:
                out.link(relations[value][1])
