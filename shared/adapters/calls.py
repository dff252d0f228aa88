"""Which operation a request to storage is: what its transactions are counted by, retries included."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

Naming = Callable[[Any], str]
"""From a request of the SDK to the operation that it is, of a fixed few."""


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
