"""Rich Text Format, by `striprtf`."""

from __future__ import annotations

import re

from shared.domains.documents.reading.refused import RefusedError, too_large
from shared.domains.documents.reading.writer import Writer
from shared.domains.documents.text import Outcome

_MOST_BYTES = 60 * 2**20
_PICTURE = re.compile(rb"(?:[0-9a-fA-F]{2}[\r\n ]*){500,}")
"""Pictures, written as hexadecimal digits: most of a large file, and none of its text."""
_FIELD = re.compile(r"\{\\(title|author)\s([^{}]{0,500})\}")
_DATE = re.compile(r"\{\\(creatim|revtim)\\yr(\d{1,4})\\mo(\d{1,2})\\dy(\d{1,2})(?:\\hr(\d{1,2})\\min(\d{1,2}))?")
_LINK = re.compile(r"HYPERLINK\s+\"([^\"]{1,2000})\"")


def read_rtf(data: bytes, out: Writer) -> None:
    """Read an RTF file."""
    from striprtf.striprtf import rtf_to_text

    data = _PICTURE.sub(b"", data)
    if len(data) > _MOST_BYTES:
        raise too_large(f"it has more than {_MOST_BYTES // 2**20} MiB without its pictures")
    source = data.decode("latin-1")
    try:
        text: str = rtf_to_text(source, errors="replace")  # type: ignore[no-untyped-call]
    except (UnicodeError, LookupError, ValueError, IndexError) as error:
        raise RefusedError(Outcome.BROKEN) from error
    _about(source, out)
    for block in re.split(r"\n", text):
        cells = block.split("|")
        if len(cells) > 2 and not cells[-1].strip():  # a row, as striprtf writes it
            out.paragraph(f"| {' | '.join(cell.strip() for cell in cells[:-1])} |")
        else:
            out.paragraph(block)


def _about(source: str, out: Writer) -> None:
    for name, value in _FIELD.findall(source[:100_000]):
        setattr(out.about, name, value)
    for name, year, month, day, hour, minute in _DATE.findall(source[:100_000]):
        moment = f"{int(year):04}-{int(month):02}-{int(day):02}T{int(hour or 0):02}:{int(minute or 0):02}:00"
        setattr(out.about, "created" if name == "creatim" else "modified", moment)
    for url in _LINK.findall(source):
        out.link(url)
