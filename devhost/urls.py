"""Paths and queries as the host reads them: decoded, normalised, and made whole again for ``req.url``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

_ESCAPED = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_FEW = 10
"""Up to so many parameters the host keeps in a list, in which the last spelling of a name stands; else the first."""


class BadPathError(ValueError):
    """The path holds a NUL, or is none."""


def normalised(raw: str) -> str:
    """Decode a path and take out its dots. An encoded slash stays as it is, and so do bytes that are not UTF-8.

    Raises:
        BadPathError: where the host's server answers 400.
    """
    path = _unescaped(raw, keep="/")
    if "\0" in path or not path.startswith("/"):
        raise BadPathError
    return "/" + "/".join(_without_dots(path[1:].split("/")))


def rebuilt(path: str) -> str:
    """Percent-encode a decoded path; what looks encoded in it stands for itself."""
    parts = re.split(r"(%[0-9A-Fa-f]{2})", path)
    return "".join(part if number % 2 else quote(part, safe="/:@!$&'()*+,;=~") for number, part in enumerate(parts))


def parameters(query: str) -> dict[str, str]:
    """Read a query: several values are joined by commas, empty ones left out, names that differ in case are one."""
    values: dict[str, tuple[str, list[str]]] = {}
    for part in filter(None, query.split("&")):
        name, _, value = (_unescaped(text.replace("+", " ")) for text in part.partition("="))
        spelled, found = values.get(name.lower(), (name, []))
        values[name.lower()] = (name if len(values) <= _FEW else spelled, [*found, value])
    return {name: joined for name, found in values.values() if (joined := joined_values(found))}


def joined_values(values: Iterable[str]) -> str:
    """Join the values of one name as the host does."""
    return ",".join(filter(None, values))


def _without_dots(segments: Iterable[str]) -> list[str]:
    kept: list[str] = []
    segment = ""
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    return [*kept, ""] if segment in (".", "..") else kept


def _unescaped(text: str, keep: str = "") -> str:
    return _ESCAPED.sub(lambda run: _decoded(run[0], keep), text) if "%" in text else text


def _decoded(run: str, keep: str) -> str:
    """Decode a run of ``%XX``, character by character; what is no UTF-8, or to be kept, stays as it is."""
    data, done, result = bytes.fromhex(run.replace("%", "")), 0, ""
    while done < len(data):
        length, character = _character(data[done : done + 4])
        result += run[3 * done : 3 * (done + length)] if character is None or character in keep else character
        done += length
    return result


def _character(data: bytes) -> tuple[int, str | None]:
    """Return the first character and how many bytes it takes; None for a byte that begins none."""
    for length in range(1, len(data) + 1):
        try:
            return length, data[:length].decode()
        except UnicodeDecodeError:
            continue
    return 1, None
