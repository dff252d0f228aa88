"""What a document is: by what its bytes look like, and where that says little by its name."""

from __future__ import annotations

import posixpath
import re

from shared.domains.documents.reading.package import Package
from shared.domains.documents.reading.plain import is_text
from shared.fetch.decoding import decode

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_LOOKED_AT = 4096
_STREAMS = (
    ("encrypted-office", "EncryptedPackage"),
    ("doc", "WordDocument"),
    ("sheet", "Workbook"),
    ("sheet", "Book"),
    ("ppt", "PowerPoint Document"),
    ("msg", "__properties_version1.0"),
)
"""Streams of OLE files that tell what they are; names are UTF-16 within them."""
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body|title|h[1-6]|p|div|table|script|meta)\b", re.IGNORECASE)
_MAIL = re.compile(
    rb"(?:From |(?:Received|Return-Path|Message-ID|From|To|Date|Subject|MIME-Version|Delivered-To|X-[\w-]+|DKIM-Signature): ?[^\n]*\r?\n)"
)
_BY_NAME = {
    ".md": "markdown", ".markdown": "markdown", ".rst": "rst", ".adoc": "asciidoc", ".asciidoc": "asciidoc", ".csv": "csv", ".tsv": "tsv",
    ".tab": "tsv", ".psv": "psv", ".htm": "html", ".html": "html", ".xhtml": "html", ".eml": "mail", ".txt": "text", ".json": "text", ".log": "text",
    ".rtf": "rtf", ".pdf": "pdf", ".docx": "docx", ".pptx": "pptx", ".xlsx": "sheet", ".xls": "sheet", ".ods": "sheet", ".odt": "odf",
    ".odp": "odf", ".epub": "epub", ".doc": "doc", ".ppt": "ppt", ".msg": "msg",
}  # fmt: skip
BINARY = frozenset({"pdf", "docx", "pptx", "sheet", "odf", "epub", "doc", "ppt", "msg", "rtf"})
"""Formats that show by their bytes. A file that has only the name of one is damaged."""


def extension_of(name: str) -> str:
    """The end of a file's name, with its dot."""
    return posixpath.splitext(name.replace("\\", "/").lower())[1]


def named_format(name: str) -> str:
    """What a file's name says that it is; empty where that is nothing we know."""
    return _BY_NAME.get(extension_of(name), "")


def format_of(data: bytes, name: str) -> str:
    """What a document is; empty where nobody here can read it.

    Raises:
        RefusedError: it is an archive, and that is damaged, encrypted, or too large.
    """
    start = data[:_LOOKED_AT]
    if b"%PDF-" in data[:1024] or (b"%PDF-" in data[:20_000] and named_format(name) == "pdf"):
        return "pdf"
    if start.startswith(_ZIP):
        return _packed(Package(data))
    if start.startswith(_OLE):
        return _of_ole(data)
    if start.lstrip()[:5] == b"{\\rtf":
        return "rtf"
    if start.startswith(b"%!PS"):
        return "ps"
    return _of_text(data, name)


def _packed(package: Package) -> str:
    mimetype = (package.read("mimetype", 1024) or b"") if "mimetype" in package else b""
    if mimetype.startswith(b"application/epub"):
        return "epub"
    if b"opendocument.spreadsheet" in mimetype:
        return "sheet"
    if b"opendocument" in mimetype or ("content.xml" in package and "META-INF/manifest.xml" in package):
        return "odf"
    for folder, found in (("word/", "docx"), ("ppt/", "pptx"), ("xl/", "sheet")):
        if any(name.startswith(folder) for name in package.names):
            return found
    return "epub" if "META-INF/container.xml" in package else ""


def _of_ole(data: bytes) -> str:
    for found, stream in _STREAMS:
        if stream.encode("utf-16-le") in data:
            return found
    return ""


def _of_text(data: bytes, name: str) -> str:
    start, named = data[:_LOOKED_AT], named_format(name)
    if named in BINARY:
        return f"broken-{named}" if not _HTML.search(start) else "html"
    if named:
        return named
    if _MAIL.match(start) and len(re.findall(rb"^[A-Z][\w-]{1,40}: ", start, re.MULTILINE)) >= 3:
        return "mail"
    if _HTML.search(start):
        return "html"
    if not data.strip() or is_text(decode(data[: _LOOKED_AT * 4])):
        return "text"
    return ""
