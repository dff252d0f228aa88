"""What the host makes of what a function returned: an answer's headers and cookies, or a 500 where it cannot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from email.utils import format_datetime, parsedate_to_datetime
from http.cookies import Morsel, SimpleCookie
from typing import Any
from urllib.parse import quote

from azure.functions import meta

from devhost.server import Answer

_TEXT = ("Content-Type", "text/plain; charset=utf-8")


def answer_of(datum: meta.Datum | None) -> Answer:
    """Make the answer. Nothing returned is a 500, and so is a header that is not ASCII or holds a line break."""
    if datum is None:
        return Answer(500)
    if datum.type == "string":
        return Answer(200, (_TEXT,), datum.value.encode())
    return _of_response(datum.value)


def _of_response(content: Mapping[str, Any]) -> Answer:
    given = [(name, str(value.value)) for name, value in content["headers"].items()]
    body = bytes(content["body"].value)
    if any(ord(character) < 0x20 and character != "\t" for _, value in given for character in value):
        return Answer(500)
    if not all(value.isascii() for _, value in given):  # found out later, when the type is already set
        return Answer(500, [(name, value) for name, value in given if name.lower() == "content-type"])
    lengths = [value for name, value in given if name.lower() == "content-length"]
    if lengths and lengths != [str(len(body))]:
        return Answer(500)
    cookies = [("Set-Cookie", text) for text in _cookies(content["cookies"] or ())]
    return Answer(int(content["status_code"].value), [*given, *cookies], body)


def _cookies(given: Iterable[SimpleCookie]) -> Iterator[str]:
    for cookie in given:
        for morsel in cookie.values():
            yield "; ".join(_cookie(morsel))


def _cookie(morsel: Morsel[str]) -> Iterator[str]:
    """Write a cookie as the host does: anew, in its own order, the domain and path of one that has none empty."""
    yield f"{morsel.key}={quote(morsel.value, safe='-._~')}"
    if morsel["expires"]:
        yield f"expires={format_datetime(parsedate_to_datetime(morsel['expires']), usegmt=True)}"
    if morsel["max-age"]:
        yield f"max-age={int(float(morsel['max-age']))}"
    yield f"domain={morsel['domain']}"
    yield f"path={morsel['path']}"
    if morsel["secure"]:
        yield "secure"
    if morsel["samesite"]:
        yield f"samesite={morsel['samesite'].lower()}"
    if morsel["httponly"]:
        yield "httponly"
