"""The Cosmos DB adapter over the wire: what a call of it costs, and how many requests a plain job's documents are.

    python -m bench cosmos

The server is the one that tests use (@vercel/cosmosdb-server): its own time is in the rates, the requests are those that Cosmos DB
would see. Latency and request units of Azure cannot be measured here.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from bench.harness import in_parallel
from devtools.environment import ROOT
from devtools.services import Service, free_ports, is_free
from shared.adapters.opening import open_documents
from shared.calls import Calls
from shared.containers import JOBS
from shared.declarations import settings_of
from shared.ports import DocumentStore, Query, Where

_KEY = "bm90IGEgc2VjcmV0OiB0aGUgc2VydmVyIGNoZWNrcyBub25l"
_WIDTH = 16


def measure(*, quick: bool) -> dict[str, float]:
    """Calls a second of each operation, and requests a plain job."""
    (port,) = free_ports(1)
    script, modules = ROOT / "tests" / "support" / "cosmos_server.js", ROOT / "node_modules"
    server = Service(
        name="The document server",
        address=f"http://127.0.0.1:{port}/",
        command=["node", script, modules, str(port)],
        answers=lambda: not is_free(port),
    )
    with server:
        return asyncio.run(_measure(server.address, 200 if quick else 1000))


async def _measure(address: str, count: int) -> dict[str, float]:
    calls = Calls()
    documents = open_documents(settings_of({"COSMOS_ENDPOINT": address, "COSMOS_KEY": _KEY}), calls)
    await documents.read(JOBS, "none", "none")  # makes the container
    try:
        figures = {}
        for name, act in _operations(documents).items():
            calls.counts.clear()
            figures[f"cosmos_{name}_per_second"] = await _rate(count, act)
            if name in ("create", "finish"):
                figures[f"cosmos_{name}_requests"] = calls.counts.total() / count
    finally:
        await documents.close()
    requests = figures["cosmos_create_requests"] + figures["cosmos_finish_requests"]
    return {"document_requests_per_plain_job": requests, **figures}


def _operations(documents: DocumentStore) -> dict[str, Callable[[int], Awaitable[Any]]]:
    """What a plain job does, at its submission and at its end, and what looks at it meanwhile."""

    def page(**options: Any) -> Awaitable[Any]:
        return documents.query(JOBS, Query((Where("status", "=", "completed"),), limit=100, **options))

    return {
        "create": lambda n: documents.put_newer(JOBS, _summary(n, 1, "queued")),
        "read": lambda n: documents.read(JOBS, str(n), str(n)),
        "finish": lambda n: documents.put_newer(JOBS, _summary(n, 3, "completed")),
        "page_whole": lambda _: page(),
        "page_of_two_fields": lambda _: page(fields=("id", "version")),
    }


def _summary(n: int, version: int, status: str) -> dict[str, Any]:
    """A document of a job's size."""
    moments = dict.fromkeys(("created_at", "updated_at", "due_at", "started_at"), "2026-01-05T12:00:00.000000Z")
    rest = {f"property{number}": "x" * 40 for number in range(12)}
    return {"id": str(n), "pk": str(n), "version": version, "status": status, "kind": "bench-plain", **moments, **rest}


async def _rate(count: int, act: Callable[[int], Awaitable[Any]]) -> float:
    started = time.perf_counter()
    await in_parallel(count, _WIDTH, act)
    return count / (time.perf_counter() - started)
