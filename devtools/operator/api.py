"""The app's HTTP API, as the operator's verbs ask it."""

from __future__ import annotations

import argparse
import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from devtools.environment import TroubleError
from devtools.operator.text import plain

LOCAL = "http://127.0.0.1:7071"
_SECONDS = 60


class RefusedError(TroubleError):
    """The app could not be asked, or said no; the message is its own words."""


class NoAnswerError(RefusedError):
    """The app could not be reached, or has trouble of its own: asking again may help."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the app said: the JSON, and when to ask again, where it said so."""

    content: dict[str, Any]
    retry_after: int | None = None


class Api:
    """Asks one app."""

    def __init__(self, url: str, key: str | None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise RefusedError(f"--url: expected an http or https address, found {url!r}")
        if key and parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
            raise RefusedError("a key is not sent over plain http to another machine: use https")
        if key and not (key.isascii() and key.isprintable()):
            raise RefusedError("--key: expected a function key, which is plain letters, digits and signs")
        self.url = url.rstrip("/").removesuffix("/api")
        self._headers = {"x-functions-key": key} if key else {}

    @classmethod
    def of(cls, args: argparse.Namespace) -> Api:
        """The app that the command line names."""
        return cls(args.url, args.key)

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Reply:
        """Ask; parameters that are None or empty are left out."""
        given = {name: value for name, value in (params or {}).items() if value not in (None, "")}
        return self._ask("GET", path + (f"?{urlencode(given)}" if given else ""))

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Reply:
        """Have something done."""
        return self._ask("POST", path, body or {})

    def items(self, path: str, params: Mapping[str, Any], limit: int) -> Iterator[dict[str, Any]]:
        """Up to `limit` items of a list, page by page."""
        cursor: str | None = None
        while limit > 0:
            page = self.get(path, {**params, "limit": min(limit, 200), "cursor": cursor}).content
            yield from page["items"]
            limit -= len(page["items"])
            cursor = page.get("cursor")
            if cursor is None:
                return

    def _ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Reply:
        headers = {**self._headers, **({"Content-Type": "application/json"} if body is not None else {})}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/api/{path}", data, headers, method=method)
        try:
            with _OPENER.open(request, timeout=_SECONDS) as response:
                wait = response.headers.get("Retry-After", "")
                return Reply(dict(json.load(response)), int(wait) if wait.isdigit() else None)
        except urllib.error.HTTPError as error:
            raise (NoAnswerError if error.code in (429, 502, 503, 504) else RefusedError)(_words(error)) from None
        except (OSError, ValueError, TypeError, http.client.HTTPException) as error:
            raise NoAnswerError(f"no answer from {self.url}: {getattr(error, 'reason', error)}") from None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would take the key to somebody else."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirects)


def segment(text: str) -> str:
    """One segment of a path."""
    return quote(text, safe="")


def _words(error: urllib.error.HTTPError) -> str:
    """What a problem document says, or else the status line."""
    try:
        problem = json.load(error)
        fields = [f"\n  {plain(each['field'])}: {plain(each['message'])}" for each in problem.get("errors", ())]
        said = plain(f"{problem.get('title', error.reason)}: {problem.get('detail', '')}".rstrip(": "))
        return "".join((f"{error.code} {said}", *fields))
    except (ValueError, AttributeError, KeyError, TypeError):
        hint = ": a function key is needed (--key, or env NIGHTSHIFT_KEY)" if error.code == 401 else ""
        return f"{error.code} {error.reason}{hint}"
