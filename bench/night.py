"""What a night costs, simulated: fan-outs over SQLite in virtual time, every storage call counted.

The engine is the real one, and so are the documents (SQLite). Blobs and queues are in memory, and nobody waits for
anything: hours of a night pass as fast as the processor allows. A child does nothing but take its time.
"""

from __future__ import annotations

import asyncio
import logging
import random
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from devtools.virtual_time import VirtualClock, run
from shared.adapters.sqlite import SqliteDocuments
from shared.app import App
from shared.bootstrap import compose
from shared.declarations import settings_of
from shared.jobs import JobContext, job
from shared.jobs.envelope import Delivery
from shared.jobs.fanning import Child, fan_out
from shared.jobs.kinds import Kind
from shared.jobs.model import Job
from shared.jobs.testing import FaultyBlobs, FaultyDocuments, FaultyQueues, MemoryBlobs, MemoryQueues
from shared.settings import Settings

T = TypeVar("T")
SIZES, QUICK_SIZES = (1_000, 10_000), (200, 2_000)
WIDTH = 16
CHILD_SECONDS = 1.5
"""What a child spends on the network: about what a digest or a feed does."""
INSTANCES = 2
_BATCH = 24
"""Messages that an instance has in hand at most: `batchSize` and `newBatchThreshold` of host.json."""
_LONGEST_POLL = 2.0
_MESSAGE_LEASE = timedelta(hours=1)
"""The host renews its lease while the function runs; here it is long enough."""


class Size(BaseModel):
    """The payload of the parent, and of a child."""

    number: int


@dataclass
class Ledger:
    """Counts calls: what stands around the ports."""

    calls: Counter[str] = field(default_factory=Counter)

    async def around(self, name: str, call: Callable[[], Awaitable[T]]) -> T:
        """Count one call, and make it."""
        self.calls[name] += 1
        return await call()


@dataclass(frozen=True)
class NightResult:
    """One simulated fan-out."""

    children: int
    calls: Counter[str]
    hours: float
    """Virtual."""
    processor_seconds: float
    record_bytes: int
    plan_bytes: int

    @property
    def calls_per_child(self) -> float:
        """Blob and queue calls for each child, the parent's own included."""
        return sum(n for name, n in self.calls.items() if not _is_document(name)) / self.children

    @property
    def documents_per_child(self) -> float:
        """Document calls for each child."""
        return sum(n for name, n in self.calls.items() if _is_document(name)) / self.children


def _is_document(name: str) -> bool:
    return name.split(".", maxsplit=1)[0] not in ("blobs", "queues")


def measure(*, quick: bool) -> dict[str, float]:
    """Simulate two sizes, ten times apart: what each child costs should not depend on how many there are."""
    small, large = (simulate(size) for size in (QUICK_SIZES if quick else SIZES))
    return {
        "night_calls_per_child": large.calls_per_child,
        "night_document_calls_per_child": large.documents_per_child,
        "night_calls_growth_tenfold": large.calls_per_child / small.calls_per_child,
        "night_processor_growth_tenfold": (large.processor_seconds / large.children)
        / (small.processor_seconds / small.children),
        "night_record_growth_tenfold": large.record_bytes / small.record_bytes,
        "night_plan_bytes_per_child": large.plan_bytes / large.children,
        "night_children_per_second_and_width": large.children / (large.hours * 3600) / WIDTH,
    }


def simulate(children: int, width: int = WIDTH) -> NightResult:
    """Run one fan-out of so many children to its end."""
    logging.getLogger("nightshift").setLevel(logging.ERROR)
    random.seed(children)
    with tempfile.TemporaryDirectory(prefix="nightshift-bench-") as folder:
        return run(_simulate(children, width, Path(folder)))


async def _simulate(children: int, width: int, folder: Path) -> NightResult:
    clock, ledger = VirtualClock(), Ledger()
    blobs, queues = MemoryBlobs(clock), MemoryQueues(clock)
    documents = SqliteDocuments(folder / "night.db", clock)
    app = compose(
        settings_of({}), FaultyBlobs(blobs, ledger), FaultyQueues(queues, ledger), FaultyDocuments(documents, ledger), clock,
        kinds=_kinds(width),
    )  # fmt: skip
    began, used = clock.now(), time.process_time()
    ticket = await app.engine.submit("bench-parent", Size(number=children))
    job = await _worked_off(app, queues, ticket.job.job_id)
    results: Any = job.results
    if results["completed"] != children:
        raise AssertionError(results)
    plan = await blobs.read(job.fan_out.plan) if job.fan_out else None
    await documents.close()
    return NightResult(
        children, ledger.calls, (clock.now() - began).total_seconds() / 3600, time.process_time() - used,
        len(job.to_json()), len(plan.data) if plan else 0,
    )  # fmt: skip


def _kinds(width: int) -> tuple[Kind[Any], ...]:
    @job("bench-child")
    async def child(payload: Size, job: JobContext) -> dict[str, int]:
        await job.clock.sleep(CHILD_SECONDS)
        return {"done": 1, "number": payload.number}

    @job("bench-parent", timeout_seconds=540)
    async def parent(payload: Size, job: JobContext) -> dict[str, Any]:
        async def plan() -> AsyncIterator[Child]:
            for number in range(payload.number):
                yield Child(f"{number:08}", "bench-child", {"number": number})

        return await fan_out(job, plan, width=width)

    return child, parent


async def _worked_off(app: App, queues: MemoryQueues, job_id: str) -> Job:
    """Let instances of the host work until the job has ended."""
    workers = [asyncio.create_task(_instance(app, queues)) for _ in range(INSTANCES)]
    while not (job := (await app.engine.get(job_id)).value).status.final:  # noqa: ASYNC110 - asked as a client asks
        await asyncio.sleep(30)
    for worker in workers:
        worker.cancel()
    return job


async def _instance(app: App, queues: MemoryQueues) -> None:
    """One instance: polls as the host does, slower where there is nothing; its polls are not the jobs' cost."""
    settings: Settings = app.settings
    hands, pause = asyncio.Semaphore(_BATCH), 0.1

    async def deliver(message: Any) -> None:
        try:
            delivery = Delivery(settings.queue_normal, message.message_id, message.text.encode(), message.inserted_at)
            await app.engine.process_or_put_back(delivery)
            await queues.delete(settings.queue_normal, message)
        finally:
            hands.release()

    tasks: set[asyncio.Task[None]] = set()
    while True:
        await hands.acquire()
        received = await queues.receive(settings.queue_normal, 1, _MESSAGE_LEASE)
        if not received:
            hands.release()
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_POLL)
            continue
        pause = 0.1
        task = asyncio.create_task(deliver(received[0]))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
