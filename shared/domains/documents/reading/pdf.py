"""PDF, by `pypdfium2`: some seconds' worth of pages a call, since a document may have thousands."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from shared.domains.documents.reading.refused import RefusedError, too_large
from shared.domains.documents.reading.writer import About, Writer
from shared.domains.documents.text import Outcome

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument

MOST_PAGES = 5_000
_TURN_SECONDS = 2.0
"""CPU time after which a call leaves the rest of the pages to the next."""
_DATE = re.compile(r"D:(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(?:([Z+-])(\d\d)?'?(\d\d)?)?")
_PASSWORD, _SECURITY = 4, 5
"""PDFium's error codes."""
_HYPHEN = re.compile(r"[\ufffe\x02\u00ad]\s*\n?|-\ufffe\s*")
_MOST_LINKS_A_PAGE = 200


def read_pdf(data: bytes, password: str | None, out: Writer, first: int) -> int | None:
    """Read pages from `first`, from 0; return the first that is left for another call, None at the end.

    Raises:
        RefusedError: it cannot be opened, or has too many pages.
    """
    document = _opened(data, password)
    count = len(document)
    if count > MOST_PAGES:
        raise too_large(f"it has {count:,} pages; up to {MOST_PAGES:,} are read")
    if first == 0:
        _about(document, out.about)
    until = time.process_time() + _TURN_SECONDS
    for number in range(first, count):
        out.page()
        out.paragraph(_page(document, number, out))
        if time.process_time() > until and number + 1 < count:
            return number + 1
    return None


def _opened(data: bytes, password: str | None) -> PdfDocument:
    import pypdfium2

    for each in _spellings(password):
        try:
            return pypdfium2.PdfDocument(data, password=each)
        except pypdfium2.PdfiumError as error:
            code = getattr(error, "err_code", None)
            if code == _SECURITY:
                raise RefusedError(
                    Outcome.ENCRYPTED,
                    "This PDF is protected in a way that cannot be opened here. Save it without protection.",
                ) from error
            if code != _PASSWORD:
                raise RefusedError(Outcome.BROKEN) from error
    raise RefusedError(
        Outcome.ENCRYPTED,
        "The password does not open this document. Give the right one, and it is read again." if password else "",
    )


def _spellings(password: str | None) -> Iterator[bytes | str | None]:
    """A password as documents of either age have it: in UTF-8, or in the PDF's own Latin."""
    yield password
    if password and not password.isascii():
        try:
            yield password.encode("latin-1")
        except UnicodeEncodeError:
            return


def _page(document: PdfDocument, number: int, out: Writer) -> str:
    """The text of a page; nothing where it is damaged, which leaves the others as they are."""
    import pypdfium2

    try:
        page = document.get_page(number)
    except pypdfium2.PdfiumError:
        return ""
    try:
        shown = page.get_textpage()
        try:
            text = shown.get_text_range()
            _links(page, out)
        finally:
            shown.close()
    except pypdfium2.PdfiumError:
        return ""
    finally:
        page.close()
    return _HYPHEN.sub("", text.replace("\r\n", "\n"))


def _links(page: Any, out: Writer) -> None:
    """The addresses that a page's annotations link to."""
    import ctypes

    from pypdfium2 import raw

    position, link = ctypes.c_int(0), raw.FPDF_LINK()
    for _ in range(_MOST_LINKS_A_PAGE):
        if not raw.FPDFLink_Enumerate(page.raw, position, link):
            return
        action = raw.FPDFLink_GetAction(link)
        length = raw.FPDFAction_GetURIPath(page.pdf.raw, action, None, 0) if action else 0
        if 1 < length < 2048:
            buffer = ctypes.create_string_buffer(length)
            raw.FPDFAction_GetURIPath(page.pdf.raw, action, buffer, length)
            out.link(buffer.value.decode("utf-8", "replace"))


def _about(document: PdfDocument, about: About) -> None:
    known = document.get_metadata_dict(skip_empty=True)
    about.title, about.author = known.get("Title", ""), known.get("Author", "")
    about.created, about.modified = _moment(known.get("CreationDate", "")), _moment(known.get("ModDate", ""))


def _moment(text: str) -> str:
    found = _DATE.match(text)
    if not found:
        return ""
    year, month, day, hour, minute, second, sign, ahead, minutes = found.groups()
    zone = "" if sign is None else "+00:00" if sign == "Z" else f"{sign}{ahead or '00'}:{minutes or '00'}"
    return f"{year}-{month or '01'}-{day or '01'}T{hour or '00'}:{minute or '00'}:{second or '00'}{zone}"
