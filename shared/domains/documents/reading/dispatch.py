"""Reading one document: what the sandbox is asked to do."""

from __future__ import annotations

import io
from dataclasses import dataclass

from shared.domains.documents.reading.formats import format_of
from shared.domains.documents.reading.package import Package
from shared.domains.documents.reading.refused import RefusedError
from shared.domains.documents.reading.writer import Writer
from shared.domains.documents.text import Outcome, Refusal, Text

_EXTRA_WORDS = "Documents of this format (.{format}) are read where the optional package `kreuzberg` is installed."
_DELIMITERS = {"csv": None, "tsv": "\t", "psv": "|"}
_PLAIN = frozenset({"html", "rtf", "mail", "markdown", "asciidoc", "rst", "text", *_DELIMITERS})
_PACKED = frozenset({"docx", "pptx", "odf", "epub"})


@dataclass(frozen=True, slots=True)
class Part:
    """Some pages of a document, and the first that is left for another call."""

    text: Text
    rest: int | None = None


def read_part(data: bytes, name: str, password: str | None = None, first: int = 0) -> Part | Refusal:
    """Read a document, or the pages of it from `first` on. What it cannot be read for is a value.

    Args:
        data: its bytes.
        name: the name of its file, which may say what it is.
        password: opens it, where it is encrypted.
        first: the first page wanted, from 0.
    """
    known = ""
    try:
        if not data:
            raise RefusedError(Outcome.NO_TEXT, "This file is empty.")
        known = format_of(data, name)
        if known == "encrypted-office":
            data = _decrypted(data, password)
            known = format_of(data, name)
        out = Writer()
        rest = _read(data, known, password, out, first)
        return Part(out.text(known), rest)
    except RefusedError as error:
        return Refusal.of(error.outcome, error.words, known.removeprefix("broken-").removeprefix("encrypted-"))
    except RecursionError:
        return Refusal.of(Outcome.BROKEN, "This document is nested too deeply to be read.", known)


def _read(data: bytes, format: str, password: str | None, out: Writer, first: int) -> int | None:
    if format == "pdf":
        from shared.domains.documents.reading.pdf import read_pdf

        return read_pdf(data, password, out, first)
    if format in _PLAIN:
        _read_plain(data, format, out)
    elif format in _PACKED:
        _read_package(Package(data), format, out)
    elif format == "sheet":
        _read_sheets(data, out)
    else:
        _read_extra(data, format, password, out)
    return None


def _read_plain(data: bytes, format: str, out: Writer) -> None:
    from shared.domains.documents.reading import html, mail, plain, rtf

    if format == "html":
        html.write_html(data, out)
    elif format == "rtf":
        rtf.read_rtf(data, out)
    elif format == "mail":
        mail.read_mail(data, out)
    elif format in _DELIMITERS:
        plain.write_csv(data, out, _DELIMITERS[format])
    else:
        plain.write_plain(data, out, format)


def _read_package(package: Package, format: str, out: Writer) -> None:
    from shared.domains.documents.reading import docx, epub, odf, pptx

    readers = {"docx": docx.read_docx, "pptx": pptx.read_pptx, "odf": odf.read_odf, "epub": epub.read_epub}
    readers[format](package, out)


def _read_sheets(data: bytes, out: Writer) -> None:
    from shared.domains.documents.reading import odf, office, sheets

    if data.startswith(b"PK"):
        package = Package(data)  # looks at what is declared, before anything is unpacked
        office.read_properties(package, out.about)
        odf.read_about(package, out.about)
    sheets.read_sheets(data, out)


def _read_extra(data: bytes, format: str, password: str | None, out: Writer) -> None:
    """What the optional package reads, where it is installed."""
    from shared.domains.documents.reading import extra

    if format.startswith("broken-"):
        raise RefusedError(Outcome.BROKEN)
    if format not in extra.FORMATS:
        raise RefusedError(Outcome.UNSUPPORTED)
    if format in ("doc", "ppt"):
        data = _decrypted_old(data, password)
    if not extra.is_installed():
        raise RefusedError(Outcome.UNSUPPORTED, _EXTRA_WORDS.format(format=format))
    extra.read_extra(data, format, out)


def _decrypted(data: bytes, password: str | None) -> bytes:
    """An encrypted Office file, opened by its password.

    Raises:
        RefusedError: there is none, or it is another one.
    """
    import msoffcrypto
    from msoffcrypto.exceptions import DecryptionError, FileFormatError, InvalidKeyError

    opened = io.BytesIO()
    try:
        file = msoffcrypto.OfficeFile(io.BytesIO(data))
        file.load_key(password=password or "VelvetSweatshop")  # what Excel itself uses where nobody gave one
        file.decrypt(opened)
    except (InvalidKeyError, DecryptionError) as error:
        words = "The password does not open this document. Give the right one, and it is read again."
        raise RefusedError(Outcome.ENCRYPTED, words if password else "") from error
    except (FileFormatError, ValueError, OSError) as error:
        raise RefusedError(Outcome.BROKEN) from error
    return opened.getvalue()


def _decrypted_old(data: bytes, password: str | None) -> bytes:
    """A Word or PowerPoint file of before 2007, opened where it is encrypted; else as it is."""
    import msoffcrypto

    try:
        encrypted = msoffcrypto.OfficeFile(io.BytesIO(data)).is_encrypted()
    except Exception:  # noqa: BLE001 - the library fails in many ways on files that are damaged
        return data
    if not encrypted:
        return data
    if not password:
        raise RefusedError(Outcome.ENCRYPTED)
    return _decrypted(data, password)
