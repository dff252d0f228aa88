"""Counting storage transactions: every request that goes out, retries included, by service and operation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

Naming = Callable[[Any], str]
"""From a request of the SDK to the operation that it is, of a fixed few."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """The last failure of a service: a status or the name of an exception, and when."""

    type: str
    at: datetime


@dataclass(slots=True)
class Calls:
    """What one process asked of its services so far."""

    counts: Counter[str] = field(default_factory=Counter)
    """Transactions by operation, as in `blobs.read`."""
    troubles: dict[str, Trouble] = field(default_factory=dict)
    """The last failure of each service."""

    def count(self, service: str, operation: str) -> None:
        """Count a transaction."""
        self.counts[f"{service}.{operation}"] += 1

    def failed(self, service: str, what: str) -> None:
        """Note a failure: the service's own, not an answer such as "there is none"."""
        self.troubles[service] = Trouble(what, datetime.now(UTC))


def blob_operation(request: Any) -> str:
    """`read`, `list`, `find`, `write`, `delete` or `other`."""
    if request.method == "GET":
        query = urlsplit(request.url).query
        return "list" if "comp=list" in query else "find" if "comp=blobs" in query else "read"
    return {"PUT": "write", "DELETE": "delete"}.get(request.method, "other")


def queue_operation(request: Any) -> str:
    """`send`, `receive`, `peek`, `delete`, `depth` or `other`."""
    url = urlsplit(request.url)
    if "/messages" not in url.path:
        return "depth" if request.method == "GET" and "comp=metadata" in url.query else "other"
    if request.method == "GET":
        return "peek" if "peekonly=true" in url.query.lower() else "receive"
    return {"POST": "send", "DELETE": "delete"}.get(request.method, "other")


def document_operation(request: Any) -> str:
    """`read`, `query`, `write`, `delete` or `other` (what the SDK asks of containers and accounts)."""
    if "/docs" not in urlsplit(request.url).path:
        return "other"
    if request.method == "POST":
        return "query" if "query" in request.headers.get("Content-Type", "") else "write"
    return {"GET": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}.get(request.method, "other")
