"""The page to read adventures on: files beside the code, without any data in them."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from shared.web.answers import Answer, Problem, matches, quoted

_FOLDER = Path(__file__).parent / "reader"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_HEADERS = {
    # Audio is fetched with the key, and played from memory: hence `blob:`.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src blob:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-cache",
}


def part(name: str, if_none_match: str | None) -> Answer:
    """A part of the page, or nothing where the client has it; 404 for a name that is none."""
    if name not in _names():
        raise Problem(404, "Not found", "the page has no such part")
    data, tag = _file(name)
    headers = {**_HEADERS, "ETag": tag}
    if if_none_match and matches(if_none_match, tag):
        return Answer(304, headers=headers)
    return Answer(200, data, headers, _TYPES[Path(name).suffix])


@cache
def _names() -> frozenset[str]:
    return frozenset(path.name for path in _FOLDER.iterdir() if path.suffix in _TYPES)


@cache
def _file(name: str) -> tuple[bytes, str]:
    data = (_FOLDER / name).read_bytes()
    return data, quoted(hashlib.sha256(data).hexdigest()[:24])
