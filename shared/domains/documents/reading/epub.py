"""Books in EPUB: their chapters in the order in which they are read."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from urllib.parse import unquote

from shared.domains.documents.reading.html import write_html
from shared.domains.documents.reading.package import Element, Package, local
from shared.domains.documents.reading.refused import RefusedError
from shared.domains.documents.reading.writer import Writer
from shared.domains.documents.text import Outcome

_MOST_CHAPTERS = 5_000


def read_epub(package: Package, out: Writer) -> None:
    """Read a book."""
    container = package.tree("META-INF/container.xml")
    paths = [] if container is None else [each.get("full-path") or "" for each in container.iter("{*}rootfile")]
    root = package.tree(paths[0]) if paths else None
    if root is None:
        raise RefusedError(Outcome.BROKEN)
    _about(root, out)
    about = out.about.title
    for path in list(_chapters(root, posixpath.dirname(paths[0])))[:_MOST_CHAPTERS]:
        data = package.read(path)
        if data and data.strip():
            out.page(posixpath.basename(path))
            write_html(data, out)
    out.about.title = about or out.about.title


def _chapters(root: Element, folder: str) -> Iterator[str]:
    items = {each.get("id"): each for each in root.iter("{*}item")}
    for each in root.iter("{*}itemref"):
        item = items.get(each.get("idref"))
        if item is not None and "html" in (item.get("media-type") or ""):
            yield posixpath.normpath(posixpath.join(folder, unquote(item.get("href") or "")))


def _about(root: Element, out: Writer) -> None:
    for each in root.iter():
        value = (each.text or "").strip()
        match local(each):
            case "title" if not out.about.title:
                out.about.title = value
            case "creator" if not out.about.author:
                out.about.author = value
            case "date" if not out.about.created:
                out.about.created = value
