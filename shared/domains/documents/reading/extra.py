"""What is left, by the optional package `kreuzberg`: Word and PowerPoint of before 2007, and Outlook's messages."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from shared.domains.documents.reading.refused import RefusedError
from shared.domains.documents.reading.writer import Writer
from shared.domains.documents.text import Outcome

FORMATS = {
    "doc": "application/msword",
    "ppt": "application/vnd.ms-powerpoint",
    "msg": "application/vnd.ms-outlook",
}
"""By the names that `formats` has for them, what the package calls them."""


def is_installed() -> bool:
    """Whether the package is there."""
    return find_spec("kreuzberg") is not None


def read_extra(data: bytes, format: str, out: Writer) -> None:
    """Read a document of one of these formats."""
    import kreuzberg

    try:
        found: Any = kreuzberg.extract_bytes_sync(data, FORMATS[format])
    except kreuzberg.KreuzbergError as error:
        raise RefusedError(Outcome.UNSUPPORTED if "nsupported" in str(error) else Outcome.BROKEN) from error
    known = found.metadata if isinstance(found.metadata, dict) else {}
    out.about.title = str(known.get("title") or "")
    authors = known.get("authors") or ()
    out.about.author = ", ".join(map(str, authors)) if isinstance(authors, list | tuple) else str(authors)
    out.about.created, out.about.modified = str(known.get("created_at") or ""), str(known.get("modified_at") or "")
    out.paragraph(found.content)
