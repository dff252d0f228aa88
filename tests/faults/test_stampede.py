"""A thousand submissions of one key, from four processes at once, make one job."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from shared.jobs.model import Status
from support import submitters
from support.azurite import AzuriteProcess
from support.lab import close_lab, open_lab

PROCESSES = 4
EACH = 250


async def tickets_of(start: asyncio.Barrier, *arguments: str) -> list[str]:
    """Run one process that submits when all of them are ready."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, submitters.__file__, *arguments, stdin=pipe, stdout=pipe
    )
    try:
        assert process.stdout is not None
        assert (await process.stdout.readline()).strip() == b"ready"
        await start.wait()
        said, _ = await process.communicate(b"go\n")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return said.decode().split()


async def test_one_key_makes_one_job(azurite: AzuriteProcess, unique: str, tmp_path: Path) -> None:
    arguments = (azurite.connection_string, unique, str(tmp_path), str(EACH))
    start = asyncio.Barrier(PROCESSES)
    async with asyncio.timeout(240), asyncio.TaskGroup() as group:
        tasks = [group.create_task(tickets_of(start, *arguments)) for _ in range(PROCESSES)]
    tickets = [ticket for task in tasks for ticket in task.result()]
    assert len(tickets) == PROCESSES * EACH
    assert len(set(tickets)) == 1
    await _runs_once(azurite, unique, tmp_path, tickets[0])


async def _runs_once(azurite: AzuriteProcess, name: str, folder: Path, job_id: str) -> None:
    lab = await open_lab(azurite.connection_string, name, folder)
    try:
        assert [info.name async for info in lab.blobs.list("jobs/")] == [f"jobs/{job_id}/status.json"]
        lab.queues.touched.add(lab.settings.queue_normal)
        assert await lab.pump() == 1
        await lab.settled(job_id, Status.COMPLETED)
        assert len(lab.runs) == 1
    finally:
        await close_lab(lab)
