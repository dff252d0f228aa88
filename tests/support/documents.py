"""Documents that tests make: small real ones of each format, and hostile ones."""

from __future__ import annotations

import io
import os
import zipfile
import zlib
from collections.abc import Mapping

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_MAIN = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    f'<Override PartName="/word/document.xml" ContentType="{_MAIN}"/></Types>'
)
_CORE = (
    '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/"><dc:title>{title}</dc:title>'
    "<dc:creator>Ann Author</dc:creator><dcterms:created>2024-05-06T07:08:09Z</dcterms:created></cp:coreProperties>"
)


def archive(parts: Mapping[str, str | bytes]) -> bytes:
    """An archive of these parts."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            file.writestr(name, content)
    return made.getvalue()


def docx(body: str, title: str = "A title", **parts: str | bytes) -> bytes:
    """A Word file with this body of WordprocessingML."""
    return archive(
        {
            "[Content_Types].xml": _TYPES,
            "word/document.xml": f"<w:document {W}><w:body>{body}</w:body></w:document>",
            "docProps/core.xml": _CORE.format(title=title),
            **parts,
        }
    )


def paragraph(text: str, style: str = "") -> str:
    """A paragraph of WordprocessingML."""
    properties = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{properties}<w:r><w:t>{text}</w:t></w:r></w:p>"


def pdf(*pages: str, title: str = "", packed: bool = False) -> bytes:
    """A PDF of these pages, each with its lines; its title."""
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b""]
    objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    kids = []
    for text in pages:
        lines = " T* ".join(f"({line.translate(_ESCAPED)}) Tj" for line in text.split("\n"))
        kids.append(page_object(objects, f"BT /F1 12 Tf 14 TL 72 720 Td {lines} ET".encode("latin-1"), packed=packed))
    return finished_pdf(objects, kids, title)


def page_object(objects: list[bytes], content: bytes, *, packed: bool = False) -> int:
    """Add a page with this content; return its number."""
    packing = b""
    if packed:
        content, packing = zlib.compress(content, 9), b" /Filter /FlateDecode"
    objects.append(b"<< /Length %d%s >>\nstream\n%s\nendstream" % (len(content), packing, content))
    objects.append(
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents %d 0 R >>"
        % len(objects)
    )
    return len(objects)


def finished_pdf(objects: list[bytes], kids: list[int], title: str = "") -> bytes:
    """The file of these objects: the second is made of the pages' numbers."""
    objects[1] = b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(kids), b" ".join(b"%d 0 R" % each for each in kids))
    info = b""
    if title:
        objects.append(
            f"<< /Title ({title}) /Author (Ann Author) /CreationDate (D:20240506070809Z) >>".encode("latin-1")
        )
        info = b" /Info %d 0 R" % len(objects)
    made, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, content in enumerate(objects, 1):
        offsets.append(len(made))
        made += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    start = len(made)
    made += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    made += b"".join(b"%010d 00000 n \n" % each for each in offsets)
    return bytes(made) + b"trailer << /Size %d /Root 1 0 R%s >>\nstartxref\n%d\n%%%%EOF" % (
        len(objects) + 1,
        info,
        start,
    )


_ESCAPED = str.maketrans({"(": r"\(", ")": r"\)", "\\": r"\\"})


def protected(data: bytes, password: str) -> bytes:
    """An Office file, encrypted as Office does it."""
    from msoffcrypto.format.ooxml import OOXMLFile

    made, plain = io.BytesIO(), io.BytesIO(data)
    with zipfile.ZipFile(plain, "a") as file:
        file.writestr(
            "docProps/thumbnail.jpeg", os.urandom(8192)
        )  # the library breaks files below 4 KiB, which Office never makes
    OOXMLFile(plain).encrypt(password, made)
    return made.getvalue()
