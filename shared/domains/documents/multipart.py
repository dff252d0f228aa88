"""Forms with a file in them (`multipart/form-data`, RFC 7578), read byte for byte."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from email.message import Message
from email.utils import collapse_rfc2231_value

_MOST_PARTS = 50
_LARGEST_HEAD = 8 * 1024
_LARGEST_FIELD = 4 * 1024


class FormError(ValueError):
    """The body is no form of this kind."""


@dataclass(slots=True)
class Form:
    """The fields of a form, and its files: name and bytes."""

    fields: dict[str, str] = field(default_factory=dict)
    files: list[tuple[str, bytes]] = field(default_factory=list)


def read_form(body: bytes, content_type: str) -> Form:
    """Read a form.

    Raises:
        FormError: it is none.
    """
    boundary = _boundary(content_type)
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary)
    if len(pieces) < 3 or not pieces[-1].startswith(b"--"):
        raise FormError("the body does not end as a form does")
    if len(pieces) > _MOST_PARTS:
        raise FormError("the form has too many parts")
    form = Form()
    for piece in pieces[1:-1]:
        _take(form, piece)
    return form


def _boundary(content_type: str) -> bytes:
    message = Message()
    message["Content-Type"] = content_type
    found = message.get_param("boundary")
    if not isinstance(found, str) or not re.fullmatch(r"[ -~]{1,70}", found):
        raise FormError("the content type names no boundary")
    return found.encode("ascii")


def _take(form: Form, piece: bytes) -> None:
    head, gap, content = piece.partition(b"\r\n\r\n")
    if not gap or len(head) > _LARGEST_HEAD:
        raise FormError("a part of the form has no headers")
    disposition = re.search(rb"^content-disposition:[ \t]*([^\r\n]*)", head, re.IGNORECASE | re.MULTILINE)
    message = Message()
    message["Content-Disposition"] = disposition[1].decode("utf-8", "replace") if disposition else ""
    name, file = message.get_param("name", header="content-disposition"), message.get_filename()
    if file is not None:
        form.files.append((collapse_rfc2231_value(file), content))
    elif isinstance(name, str):
        if len(content) > _LARGEST_FIELD:
            raise FormError(f"the field {name[:50]} is too long")
        form.fields[name] = content.decode("utf-8", "replace")
