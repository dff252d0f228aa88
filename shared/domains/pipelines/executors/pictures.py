"""Pictures in documents. All of this runs in the sandbox."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from shared.domains.pipelines.executing import ContentError

MOST = 100
"""Pictures of one document that are taken."""
MOST_BYTES = 10 * 2**20
"""Bytes of all of them together."""
_MOST_PIXELS = 40_000_000
_FORMATS = {
    ".png": "png",
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".gif": "gif",
    ".bmp": "bmp",
    ".tif": "tiff",
    ".tiff": "tiff",
    ".webp": "webp",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which pictures, and how."""

    format: str = ""
    """Format that those of PDFs are written in."""
    least: int = 0
    """Pixels; smaller ones, both ways, are left out."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture in a document."""

    data: bytes
    format: str
    page: int | None = None
    width: int | None = None
    height: int | None = None


def pictures_in(data: bytes, wanted: Wanted) -> list[Picture]:
    """The pictures of a PDF, or of an office document, in its order; as many as are taken."""
    source = _of_pdf(data, wanted) if data[:1024].lstrip().startswith(b"%PDF") else _of_archive(data)
    taken: list[Picture] = []
    left = MOST_BYTES
    for each in source:
        left -= len(each.data)
        if left < 0 or len(taken) >= MOST:
            break
        taken.append(each)
    return taken


def _of_archive(data: bytes) -> Iterator[Picture]:
    """Those in the folder of media, as they are; nothing is unpacked that says it is larger than all may be."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, ValueError, OSError):
        return
    for entry in archive.infolist():
        path = PurePosixPath(entry.filename)
        known = _FORMATS.get(path.suffix.lower())
        if known and {"media", "Pictures"} & set(path.parts) and entry.file_size <= MOST_BYTES:
            try:
                with archive.open(entry) as stream:
                    yield Picture(stream.read(MOST_BYTES), known)
            except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, EOFError):
                continue


def _of_pdf(data: bytes, wanted: Wanted) -> Iterator[Picture]:
    import pypdfium2
    from pypdfium2 import raw

    try:
        document = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError:
        raise ContentError("the pictures of this PDF cannot be read") from None
    for number in range(len(document)):
        try:
            page = document.get_page(number)
            found = list(page.get_objects(filter=(raw.FPDF_PAGEOBJ_IMAGE,), max_depth=5))
        except pypdfium2.PdfiumError:
            continue
        for each in found:
            picture = _drawn(each, number + 1, wanted)
            if picture:
                yield picture
        page.close()


def _drawn(image: Any, page: int, wanted: Wanted) -> Picture | None:
    import pypdfium2

    try:
        width, height = image.get_px_size()
        if (width < wanted.least and height < wanted.least) or width * height > _MOST_PIXELS or not width * height:
            return None
        bitmap = image.get_bitmap(render=False).to_pil()
    except (pypdfium2.PdfiumError, ValueError, OSError):
        return None
    written = io.BytesIO()
    bitmap.convert("RGB" if wanted.format == "jpeg" or bitmap.mode not in ("L", "RGB", "RGBA") else bitmap.mode).save(
        written, wanted.format or "png"
    )
    return Picture(written.getvalue(), wanted.format or "png", page, width, height)
