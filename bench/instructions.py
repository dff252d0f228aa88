"""Instructions that a plain job costs, counted by valgrind: the same on a busy machine as on an idle one.

    python -m bench instructions

Two processes under ``valgrind --tool=callgrind`` submit and run a number of jobs, one many more than the other, one job after
another; what the second has executed beyond the first, over the jobs that it did more, is a job's. Python and its imports drop
out. Counted is what runs in the process of the app: a submission, and the processing of its message; the host's own
receive and delete are the host's. Storage is Azurite in a process of its own.
"""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from bench.harness import PLAIN, QUEUE, engine, storage
from devtools.environment import ROOT
from shared.jobs.envelope import Delivery, encode, envelope_of

FEW, MANY = 20, 120
_TOTAL = re.compile(r"^(?:summary|totals): (\d+)", re.MULTILINE)


def measure(*, quick: bool) -> dict[str, float]:  # noqa: ARG001  there is no quicker way
    """Millions of instructions a plain job."""
    with storage() as (connection, folder):
        few, many = (_count(connection, folder, jobs) for jobs in (FEW, MANY))
    return {"million_instructions_per_plain_job": round((many - few) / (MANY - FEW) / 1e6, 2)}


def _count(connection: str, folder: Path, jobs: int) -> int:
    with tempfile.TemporaryDirectory() as out:
        profile = Path(out) / "callgrind.out"
        valgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={profile}", "--quiet"]
        work = [sys.executable, "-m", "bench.instructions", connection, str(folder), str(jobs)]
        environment = os.environ | {"PYTHONHASHSEED": "0"}
        subprocess.run([*valgrind, *work], check=True, cwd=ROOT, env=environment)
        found = _TOTAL.search(profile.read_text(encoding="utf-8"))
    if found is None:
        raise RuntimeError("callgrind has told no total")
    return int(found[1])


async def _run(connection: str, folder: Path, jobs: int) -> None:
    async with engine(connection, folder) as bench:
        for number in range(jobs):
            ticket = await bench.app.engine.submit(PLAIN, {"number": number})
            text = encode(envelope_of(ticket.job, ticket.etag, ticket.job.created_at))
            delivery = Delivery(QUEUE, f"message-{number}", text.encode(), ticket.job.created_at, 1)
            await bench.app.engine.process(delivery)


if __name__ == "__main__":
    asyncio.run(_run(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
