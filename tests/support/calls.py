"""Calls as handlers get them."""

from __future__ import annotations

from collections.abc import Mapping

from shared.web.routes import Call

API_URL = "http://app/api"


def call(
    body: bytes = b"",
    *,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str | None] | None = None,
    **path: str,
) -> Call:
    """A call with these parameters of its path; a header that is None was not sent."""
    sent = {name: value for name, value in (headers or {}).items() if value is not None}
    return Call(path, query or {}, sent, body, f"{API_URL}/x", API_URL)
