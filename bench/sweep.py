"""Whether a sweep costs what is overdue, and not what is stored; and whether it leaves a long line as long as it is.

The engine is the real one, and so are the documents (SQLite). Blobs and queues are in memory: their tags are found in time that
grows with what is tagged, as those of Azure are.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from statistics import median

from pydantic import BaseModel

from shared.adapters.sqlite import SqliteDocuments
from shared.containers import JOBS
from shared.jobs import JobContext, job
from shared.jobs.dependencies import Dependencies
from shared.jobs.engine import Engine
from shared.jobs.ids import derived_id
from shared.jobs.kinds import Queues, Registry
from shared.jobs.model import Entry, Job, Status, summary
from shared.jobs.store import name_of
from shared.jobs.testing import FakeClock, MemoryBlobs, MemoryQueues
from shared.ports import ReceivedMessage

STORED = (1_000, 100_000)
OVERDUE = 200
WAITING, QUICK_WAITING = 5_000, 1_000


class Nothing(BaseModel):
    """The payload of a job that does nothing."""


@job("nothing")
async def nothing(payload: Nothing, job: JobContext) -> None:
    """Nothing."""


def measure(*, quick: bool) -> dict[str, float]:
    """Time sweeps over few and over many finished jobs, and count the messages of a backlog after an hour of sweeps."""
    with _quiet(), tempfile.TemporaryDirectory() as folder:
        seconds = [asyncio.run(_sweep(Path(folder) / f"{stored}.db", stored, 3 if quick else 9)) for stored in STORED]
        amplification = asyncio.run(_backlog(Path(folder) / "backlog.db", QUICK_WAITING if quick else WAITING))
    return {
        "sweep_seconds": seconds[0],
        "sweep_growth": seconds[1] / seconds[0],
        "backlog_amplification": amplification,
    }


@contextmanager
def _quiet() -> Iterator[None]:
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def _engine(path: Path) -> tuple[Engine, MemoryBlobs, MemoryQueues, SqliteDocuments, FakeClock]:
    clock = FakeClock()
    blobs, queues, documents = MemoryBlobs(clock), MemoryQueues(clock), SqliteDocuments(path, clock)
    deps = Dependencies(blobs, queues, documents, clock, Registry((nothing,), Queues()))
    return Engine(deps), blobs, queues, documents, clock


async def _sweep(path: Path, stored: int, rounds: int) -> float:
    """The median time of a sweep that sends so many messages, where so many finished jobs are stored."""
    engine, blobs, queues, documents, clock = _engine(path)
    try:
        for number in range(stored):
            done = _finished(clock, number)
            data, metadata, tags = done.to_blob()
            await blobs.create(name_of(done.job_id), data, metadata, tags)
            await documents.put_newer(JOBS, summary(done))
        seconds = []
        for _ in range(rounds):
            for _ in range(OVERDUE):
                await engine.submit(nothing, Nothing())
            await _empty(queues)
            clock.advance(300)
            begin = time.perf_counter()
            report = await engine.sweep()
            seconds.append(time.perf_counter() - begin)
            assert report.resent == OVERDUE, report  # noqa: S101 - a sweep that mends nothing costs nothing
            await _run(engine, queues)
        return median(seconds)
    finally:
        await documents.close()


async def _backlog(path: Path, waiting: int) -> float:
    """Messages on the queue, over jobs that wait, after an hour in which nobody worked."""
    engine, _, queues, documents, clock = _engine(path)
    try:
        for _ in range(waiting):
            await engine.submit(nothing, Nothing())
        for _ in range(12):
            clock.advance(300)
            await engine.sweep()
        return await queues.depth("jobs") / waiting
    finally:
        await documents.close()


def _finished(clock: FakeClock, number: int) -> Job:
    at = clock.now() - timedelta(days=1)
    return Job(
        job_id=derived_id(at, f"{number}"), kind="nothing", status=Status.COMPLETED, version=3, payload={}, created_at=at,
        updated_at=at, due_at=at, started_at=at, attempt=1, history=(Entry(at=at, event="submitted", attempt=0),),
    )  # fmt: skip


async def _received(queues: MemoryQueues) -> list[ReceivedMessage]:
    received: list[ReceivedMessage] = []
    while some := await queues.receive("jobs"):
        received += some
    return received


async def _empty(queues: MemoryQueues) -> None:
    for message in await _received(queues):
        await queues.delete("jobs", message)


async def _run(engine: Engine, queues: MemoryQueues) -> None:
    from shared.jobs.envelope import Delivery

    for message in await _received(queues):
        await engine.process(Delivery("jobs", message.message_id, message.text.encode(), message.inserted_at))
        await queues.delete("jobs", message)
