"""The dashboard's page and its parts: files beside the code, without any data in them."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shared.web.answers import Answer, Problem, matches, quoted
from shared.web.routes import Api, Call, Parameter
from shared.web.rules import OPEN

if TYPE_CHECKING:
    from shared.app import App

_FOLDER = Path(__file__).parent.parent / "dashboard"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""Nothing but what comes from this app; no inline code or style; no text can ever become markup or code."""
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-cache",
}


api = Api(__name__, "dashboard", Parameter("name", "path", {"type": "string"}, "The part's name."))


@api.route("Dashboard", "GET dashboard", OPEN, {200: None, 304: None})
async def dashboard(app: App, call: Call) -> Answer:
    """The dashboard: a page for browsers. It holds no data: it asks for a key, and with it for the rest."""
    del app
    return page("index.html", call)


@api.route("DashboardPart", "GET dashboard/{name}", OPEN, {200: None, 304: None}, (404,))
async def dashboard_part(app: App, call: Call) -> Answer:
    """A style sheet, a script or an image of the dashboard."""
    del app
    return _file_answer(call.path["name"], call.if_none_match)


def page(name: str, call: Call) -> Answer:
    """A page, which looks for its parts beside itself: who asked for it with a slash at the end is sent to it without."""
    path = urlsplit(call.url).path
    if path.endswith("/"):
        return Answer(308, headers={**_HEADERS, "Location": f"../{path.rstrip('/').rpartition('/')[2]}"})
    return _file_answer(name, call.if_none_match)


def _file_answer(name: str, if_none_match: str | None) -> Answer:
    if name not in _names():
        raise Problem(404, "Not found", "the dashboard has no such part")
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
