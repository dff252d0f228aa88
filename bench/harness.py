"""What the benchmarks run on: Azurite on disk, an engine with a kind that does nothing, devhost in this process."""

from __future__ import annotations

import asyncio
import logging
import statistics
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import azure.functions as func
from azure.core.pipeline.transport import AioHttpTransport
from pydantic import BaseModel

from devhost.host import Host
from devtools.services import azurite
from shared import bootstrap
from shared.adapters.clock import SystemClock
from shared.adapters.opening import open_blobs, open_documents, open_queues
from shared.app import App
from shared.declarations import settings_of
from shared.jobs import Dedupe, JobContext, job
from shared.jobs.envelope import Delivery
from shared.settings import Settings

PLAIN, DEDUPED = "bench-plain", "bench-deduped"
QUEUE = "bench-jobs"
SUBMITTERS = 16
"""Submissions under way at once."""
OUTSTANDING = 96
"""Jobs in flight at most: an emulated queue slows down with its depth."""
HOST_JSON = {
    "version": "2.0",
    "extensions": {"queues": {"batchSize": 16, "newBatchThreshold": 8, "maxPollingInterval": "00:00:01"}},
}


class Nothing(BaseModel):
    """The payload of the kinds that do nothing."""

    number: int


def _by_number(payload: Nothing) -> Dedupe:
    return Dedupe(str(payload.number))


@job(PLAIN, queue=QUEUE)
async def plain(payload: Nothing, _: JobContext) -> dict[str, int]:
    """Do nothing."""
    return {"number": payload.number}


@job(DEDUPED, queue=QUEUE, dedupe_ttl_seconds=3600, dedupe=_by_number)
async def deduped(payload: Nothing, _: JobContext) -> dict[str, int]:
    """Do nothing, once for each number."""
    return {"number": payload.number}


@dataclass
class Bench:
    """A running engine and the connection string of its storage."""

    app: App
    connection: str
    folder: Path
    finished: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    started_at: dict[str, float] = field(default_factory=dict)

    async def until(self, count: int) -> None:
        """Wait until so many jobs have finished."""
        while self.finished < count:
            self.arrived.clear()
            await self.arrived.wait()


@contextmanager
def storage() -> Iterator[tuple[str, Path]]:
    """Azurite on disk in a temporary folder: its connection string, and the folder."""
    with tempfile.TemporaryDirectory(prefix="nightshift-bench-") as name:
        folder = Path(name)
        with azurite(folder / "azurite") as service:
            yield service.address, folder


@asynccontextmanager
async def engine(connection: str, folder: Path) -> AsyncIterator[Bench]:
    """An engine on that storage, documents in SQLite, and no host yet."""
    settings = settings_of({"AzureWebJobsStorage": connection, "NIGHTSHIFT_SQLITE_PATH": str(folder / "documents.db")})
    app = _compose(settings)
    try:
        yield Bench(app, connection, folder)
    finally:
        await app.close()


@asynccontextmanager
async def served(bench: Bench) -> AsyncIterator[Host]:
    """Devhost, in this process, running the engine's queue."""
    logging.getLogger("devhost").setLevel(logging.WARNING)
    logging.getLogger("nightshift").setLevel(logging.ERROR)
    async with Host(_functions(bench), {"AzureWebJobsStorage": bench.connection}, host_json=HOST_JSON) as host:
        yield host


def _compose(settings: Settings) -> App:
    blobs, queues = open_blobs(settings, settings.status_container), open_queues(settings)
    documents = open_documents(settings)
    made = bootstrap.compose(settings, blobs, queues, documents, SystemClock(), (plain, deduped))
    return made.closing(blobs, queues, documents)


def _functions(bench: Bench) -> func.FunctionApp:
    functions = func.FunctionApp()

    @functions.function_name("RunBenchJobs")
    @functions.queue_trigger("msg", QUEUE, "AzureWebJobsStorage", data_type=func.DataType.BINARY)
    async def run(msg: func.QueueMessage) -> None:
        delivery = Delivery(QUEUE, msg.id or "", msg.get_body(), msg.insertion_time, msg.dequeue_count or 1)
        await bench.app.engine.process(delivery)
        bench.finished += 1
        bench.arrived.set()

    return functions


class Calls:
    """Counts every HTTP request that an Azure SDK of this process sends, by service and operation."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count within."""
        send = AioHttpTransport.send

        async def counted(transport: Any, request: Any, **options: Any) -> Any:
            self.counts[_operation(request.method, request.url)] += 1
            return await send(transport, request, **options)

        AioHttpTransport.send = counted
        try:
            yield
        finally:
            AioHttpTransport.send = send


def _operation(method: str, url: str) -> str:
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    if parts.path.endswith("/messages"):
        return "queue get" if method == "GET" else "queue put"
    if "/messages/" in parts.path:
        return "queue delete" if method == "DELETE" else "queue update"
    return f"blob {method.lower()} {query.get('comp', [''])[0]}".strip()


async def in_parallel(count: int, width: int, act: Callable[[int], Any]) -> None:
    """Do something for each number below `count`, `width` at once."""
    numbers = iter(range(count))

    async def worker() -> None:
        for number in numbers:
            await act(number)

    await asyncio.gather(*(worker() for _ in range(width)))


def quantile(values: Iterable[float], share: float) -> float:
    """The value below which that share of all values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def median(values: Iterable[float]) -> float:
    """The median."""
    return statistics.median(values)
