"""Messages as mail programs save them (`.eml`)."""

from __future__ import annotations

import email.policy
from contextlib import suppress
from email.message import EmailMessage
from email.utils import parsedate_to_datetime

from shared.domains.documents.reading.html import write_html
from shared.domains.documents.reading.refused import RefusedError
from shared.domains.documents.reading.writer import Writer
from shared.domains.documents.text import Outcome

_SHOWN = ("From", "To", "Cc", "Date", "Subject")
_MOST_PARTS = 500


def read_mail(data: bytes, out: Writer) -> None:
    """Read a message: who wrote what to whom, and the names of what is attached."""
    message = email.message_from_bytes(data, policy=email.policy.default)
    if not isinstance(message, EmailMessage):
        raise RefusedError(Outcome.BROKEN)
    _about(message, out)
    for name in _SHOWN:
        value = _header(message, name)
        if value:
            out.paragraph(f"{name}: {value}")
    parts = [part for part, _ in zip(message.walk(), range(_MOST_PARTS), strict=False) if not part.is_multipart()]
    plain = [part for part in parts if part.get_content_type() == "text/plain" and not part.is_attachment()]
    rich = [part for part in parts if part.get_content_type() == "text/html" and not part.is_attachment()]
    for part in plain or rich:
        body = part.get_payload(decode=True)
        charset = part.get_content_charset()
        if isinstance(body, bytes) and body.strip():
            if part in rich:
                write_html(body, out, charset)
            else:
                from shared.fetch.decoding import decode

                out.paragraph(decode(body, charset))
    for part in parts:
        with suppress(Exception):  # a name in an encoding that does not exist is no name
            if part.is_attachment() and part.get_filename():
                out.item(str(part.get_filename()))


def _about(message: EmailMessage, out: Writer) -> None:
    out.about.title, out.about.author = _header(message, "Subject"), _header(message, "From")
    with suppress(ValueError, TypeError):
        out.about.created = parsedate_to_datetime(_header(message, "Date")).isoformat()


def _header(message: EmailMessage, name: str) -> str:
    try:
        return str(message.get(name) or "")
    except Exception:  # noqa: BLE001 - the library fails in many ways on headers that are none
        return ""
