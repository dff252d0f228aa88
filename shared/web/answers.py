"""Answers over HTTP as plain values; the blueprints hand them to the Functions library."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from shared.jobs.errors import FieldProblem

PROBLEM_TYPE = "application/problem+json"
HEADERS: Mapping[str, str] = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""What every answer says unless it says otherwise itself: no sniffing, no caching, no referrer, nothing to load or frame."""
HSTS: Mapping[str, str] = {"Strict-Transport-Security": "max-age=31536000"}
"""What answers over https say too."""


class Answer(NamedTuple):
    """Status, body and headers of an answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = {}
    content_type: str = "application/json"


class Problem(Exception):  # noqa: N818 - RFC 9457 calls it a problem
    """An answer that is a problem (RFC 9457): raised anywhere in a request's handling, answered as problem+json."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str = "",
        errors: Sequence[FieldProblem] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(detail or title)
        self.status = status
        self.title = title
        self.detail = detail
        self.errors = tuple(errors)
        self.retry_after = retry_after

    def answer(self, instance: str = "") -> Answer:
        """The problem as an answer; each of `errors` names a field and what was expected of it."""
        from shared.web.problems import type_of

        content: dict[str, Any] = {"type": type_of(self.title), "title": self.title, "status": self.status}
        content |= {"detail": self.detail} if self.detail else {}
        content |= {"instance": instance} if instance else {}
        if self.errors:
            content["errors"] = [{"field": each.field, "message": each.message} for each in self.errors]
        headers = {"Retry-After": str(self.retry_after)} if self.retry_after else {}
        return Answer(self.status, dumped(content), headers, PROBLEM_TYPE)


def json_answer(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """A JSON answer."""
    return Answer(status, dumped(content), headers or {})


def cached_answer(
    content: Any, etag: str, if_none_match: str | None, headers: Mapping[str, str] | None = None
) -> Answer:
    """A JSON answer with an ETag; 304 without a body where the client holds it already."""
    tag = quoted(etag)
    headers = {"ETag": tag, "Cache-Control": "no-cache", **(headers or {})}
    if if_none_match and matches(if_none_match, tag):
        return Answer(304, headers=headers)
    return json_answer(content, headers=headers)


def tagged_answer(content: Any, if_none_match: str | None) -> Answer:
    """A JSON answer whose ETag is made of its content, for what has no version of its own."""
    etag = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:24]
    return cached_answer(content, etag, if_none_match)


def quoted(etag: str) -> str:
    """An entity tag in the form that HTTP wants."""
    return etag if etag.endswith('"') else f'"{etag}"'


def matches(if_none_match: str, tag: str) -> bool:
    """Whether an `If-None-Match` header covers the tag: weak comparison, lists and `*` (RFC 9110)."""
    wanted = tag.removeprefix("W/")
    given = [each.strip().removeprefix("W/") for each in if_none_match.split(",")]
    return "*" in given or wanted in given


def dumped(content: Any) -> bytes:
    """JSON as answers hold it; a lone surrogate, which UTF-8 cannot tell, is a question mark."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
