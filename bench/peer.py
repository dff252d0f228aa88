"""The peer: the same jobs that do nothing, over Celery with its Azure Storage broker and result backend.

Both sides are two processes on one Azurite, one that submits and one that works, and take turns, so that both meet the
same weather. Celery works with the faster of two worker pools.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import subprocess
import sys
import time
from pathlib import Path

from bench.harness import OUTSTANDING, PLAIN, SUBMITTERS, Bench, engine, in_parallel, median
from devtools.environment import ROOT

_SCRIPT = Path(__file__).with_name("peer_celery.py")
_POOLS = (("threads", 16), ("prefork", 2))
_WARM_UP = 20


def compare(connection: str, folder: Path, *, quick: bool) -> dict[str, float]:
    """Our jobs per second over Celery's; its Python is the one that `NIGHTSHIFT_PEER_PYTHON` names.

    Raises:
        RuntimeError: the peer is not installed; `dev.py bench` does that.
    """
    python = os.environ.get("NIGHTSHIFT_PEER_PYTHON")
    if not python:
        raise RuntimeError("the peer is not installed: run `python dev.py bench`")
    jobs, rounds = (200, 3) if quick else (600, 5)
    pool = max(_POOLS, key=lambda each: _theirs(python, connection, folder, each, jobs // 2))
    pairs = [
        (asyncio.run(_ours(connection, folder, jobs)), _theirs(python, connection, folder, pool, jobs))
        for _ in range(rounds)
    ]
    return {
        "peer_ratio": median(ours / theirs for ours, theirs in pairs),
        "peer_jobs_per_second": median(theirs for _, theirs in pairs),
        "two_process_jobs_per_second": median(ours for ours, _ in pairs),
        "peer_uses_threads": float(pool == _POOLS[0]),
    }


def _theirs(python: str, connection: str, folder: Path, pool: tuple[str, int], jobs: int) -> float:
    command = [python, str(_SCRIPT), connection, pool[0], str(pool[1]), str(jobs)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=folder, timeout=600)
    return float(done.stdout.strip().splitlines()[-1])


async def _ours(connection: str, folder: Path, jobs: int) -> float:
    """Submit from here, let another process work, and count what it says it has done."""
    command = [sys.executable, "-m", "bench.worker", connection, str(folder)]
    worker = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        async with engine(connection, folder) as bench:
            counting = asyncio.create_task(_count(bench, worker.stdout))
            await _run(bench, _WARM_UP)
            rate = await _run(bench, jobs)
            counting.cancel()
    finally:
        worker.kill()
        await worker.wait()
    return rate


async def _run(bench: Bench, count: int) -> float:
    goal, submitted = bench.finished + count, itertools.count(bench.finished)

    async def submit(_: int) -> None:
        number = next(submitted)
        while number - bench.finished >= OUTSTANDING:
            bench.arrived.clear()
            await bench.arrived.wait()
        await bench.app.engine.submit(PLAIN, {"number": number})

    started = time.perf_counter()
    await asyncio.gather(in_parallel(count, SUBMITTERS, submit), bench.until(goal))
    return count / (time.perf_counter() - started)


async def _count(bench: Bench, finished: asyncio.StreamReader | None) -> None:
    while finished is not None and (dots := await finished.read(4096)):
        bench.finished += len(dots)
        bench.arrived.set()
