"""The engine against the storage calls it makes: rate, latency, number of calls, memory."""

from __future__ import annotations

import asyncio
import gc
import itertools
import os
import time
from pathlib import Path
from typing import Any, ClassVar

from bench import peer
from bench.bare import Bare
from bench.harness import (
    DEDUPED,
    OUTSTANDING,
    PLAIN,
    SUBMITTERS,
    Bench,
    Calls,
    engine,
    in_parallel,
    median,
    quantile,
    served,
    storage,
)
from shared.jobs.envelope import encode, envelope_of
from shared.jobs.model import summary
from shared.ports import Document, DocumentStore

Figures = dict[str, float]
_numbers = itertools.count()


def measure(*, quick: bool) -> Figures:
    """Run every comparison of the engine; return the flat figures."""
    with storage() as (connection, folder):
        figures = asyncio.run(_measure(connection, folder, quick=quick))
        return figures | peer.compare(connection, folder, quick=quick)


async def _measure(connection: str, folder: Path, *, quick: bool) -> Figures:
    rounds, jobs = (3, 400) if quick else (5, 1500)
    async with engine(connection, folder) as bench:
        bare = await _bare(bench)
        figures = await _latency(bench, bare, 200 if quick else 1000)
        await _drop_queue(bench)
        async with served(bench):
            figures |= await _memory(bench)
            figures |= await _efficiency(bench, bare, rounds, jobs)
            figures |= await _transactions(bench, jobs)
            figures |= await _submit_to_running(bench, 30 if quick else 100)
        await bare.close()
    return figures


async def _bare(bench: Bench) -> Bare:
    """The yardstick, with the texts of a real job."""
    ticket = await bench.app.engine.submit(PLAIN, {"number": next(_numbers)})
    text = encode(envelope_of(ticket.job, ticket.etag, ticket.job.created_at))
    bare = Bare(bench, ticket.job.to_json(), text, summary(ticket.job))
    await bare.open()
    return bare


async def _drop_queue(bench: Bench) -> None:
    """Run nothing of what the latency of submissions was measured with."""
    while messages := await bench.app.queues.receive("bench-jobs"):
        await asyncio.gather(*(bench.app.queues.delete("bench-jobs", message) for message in messages))


async def _latency(bench: Bench, bare: Bare, count: int) -> Figures:
    """One submission after another, in turn with its bare writes, so that both meet the same weather."""
    ours: list[float] = []
    theirs: list[float] = []
    for number in range(count):
        started = time.perf_counter()
        await bench.app.engine.submit(PLAIN, {"number": next(_numbers)})
        middle = time.perf_counter()
        await bare.submit()
        theirs.append(time.perf_counter() - middle)
        ours.append(middle - started)
        if number % 100 == 99:
            await _drop_queue(bench)
            await bare.forget()
    await bare.forget()
    return {
        "submit_latency_ratio_p50": quantile(ours, 0.5) / quantile(theirs, 0.5),
        "submit_latency_ratio_p99": quantile(ours, 0.99) / quantile(theirs, 0.99),
        "submit_ms_p50": 1000 * quantile(ours, 0.5),
        "submit_ms_p99": 1000 * quantile(ours, 0.99),
        "bare_submit_ms_p50": 1000 * quantile(theirs, 0.5),
        "bare_submit_ms_p99": 1000 * quantile(theirs, 0.99),
    }


async def _efficiency(bench: Bench, bare: Bare, rounds: int, jobs: int) -> Figures:
    pairs = []
    for _ in range(rounds):
        bare_rate = await bare.rate(jobs)
        pairs.append((await _run_jobs(bench, jobs), bare_rate))
    return {
        "efficiency": median(ours / theirs for ours, theirs in pairs),
        "jobs_per_second": median(ours for ours, _ in pairs),
        "bare_jobs_per_second": median(theirs for _, theirs in pairs),
    }


async def _run_jobs(bench: Bench, count: int, name: str = PLAIN) -> float:
    """Submit so many jobs with a bounded number in flight, and wait for all; return jobs per second."""
    goal = bench.finished + count
    submitted = goal - count

    async def submit(_: int) -> None:
        nonlocal submitted
        while submitted - bench.finished >= OUTSTANDING:
            bench.arrived.clear()
            await bench.arrived.wait()
        submitted += 1
        await bench.app.engine.submit(name, {"number": next(_numbers)})

    started = time.perf_counter()
    await asyncio.gather(in_parallel(count, SUBMITTERS, submit), bench.until(goal))
    return count / (time.perf_counter() - started)


async def _transactions(bench: Bench, count: int) -> Figures:
    plain = await _calls(bench, count, PLAIN)
    deduped = await _calls(bench, count, DEDUPED)
    figures = {
        "calls_per_plain_job": sum(n for name, n in plain.items() if not name.startswith("document")),
        "document_writes_per_job": plain["document write"],
        "calls_per_deduped_job": sum(n for name, n in deduped.items() if not name.startswith("document")),
        "document_writes_per_deduped_job": deduped["document write"],
        "document_reads_per_deduped_job": deduped.get("document read", 0.0),
    }
    raw = {f"plain {name}".replace(" ", "_"): n for name, n in plain.items()}
    duplicate = await _duplicate_calls(bench)
    return figures | raw | {f"duplicate {name}".replace(" ", "_"): n for name, n in duplicate.items()}


async def _calls(bench: Bench, count: int, name: str) -> dict[str, float]:
    calls = Calls()
    with calls.counting(), _documents_counted(bench.app.documents, calls):
        await _run_jobs(bench, count, name)
        await asyncio.sleep(0.2)  # the last deletes
    return {operation: n / count for operation, n in sorted(calls.counts.items())}


async def _duplicate_calls(bench: Bench) -> dict[str, float]:
    """What one more submission of the same thing costs."""
    payload = {"number": next(_numbers)}
    goal = bench.finished + 1
    await bench.app.engine.submit(DEDUPED, payload)
    await bench.until(goal)
    calls = Calls()
    with calls.counting(), _documents_counted(bench.app.documents, calls):
        ticket = await bench.app.engine.submit(DEDUPED, payload)
    if not ticket.duplicate:
        raise RuntimeError("the second submission was not a duplicate")
    del calls.counts["queue get"]  # the host polls meanwhile
    return {operation: float(n) for operation, n in calls.counts.items()}


class _documents_counted:  # noqa: N801 - used as a statement
    """Count the calls to a document store within."""

    _NAMES: ClassVar = {
        "create": "write",
        "replace": "write",
        "put_newer": "write",
        "delete": "write",
        "read": "read",
        "query": "read",
    }

    def __init__(self, documents: DocumentStore, calls: Calls) -> None:
        self._documents: Any = documents
        self._calls = calls

    def __enter__(self) -> None:
        for name, sort in self._NAMES.items():
            setattr(self._documents, name, self._counted(getattr(self._documents, name), sort))

    def __exit__(self, *_: object) -> None:
        for name in self._NAMES:
            delattr(self._documents, name)

    def _counted(self, act: Any, sort: str) -> Any:
        async def counted(container: str, *arguments: Document | str) -> Any:
            self._calls.counts[f"document {sort}"] += 1
            return await act(container, *arguments)

        return counted


async def _submit_to_running(bench: Bench, count: int) -> Figures:
    """From the call of submit to the end of a job that waits for nobody, polling of the host included."""
    times = []
    for _ in range(count):
        goal = bench.finished + 1
        started = time.perf_counter()
        await bench.app.engine.submit(PLAIN, {"number": next(_numbers)})
        await bench.until(goal)
        times.append(time.perf_counter() - started)
    return {"submit_to_done_ms_p50": 1000 * quantile(times, 0.5), "submit_to_done_ms_p99": 1000 * quantile(times, 0.99)}


async def _memory(bench: Bench) -> Figures:
    """Growth between 500 and 10,000 jobs."""
    await _run_jobs(bench, 500)
    before = _resident_mib()
    await _run_jobs(bench, 9_500)
    return {"memory_growth_mib": _resident_mib() - before, "memory_mib": _resident_mib()}


def _resident_mib() -> float:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
