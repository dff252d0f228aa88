"""devhost as a process of its own, and what it has printed."""

from __future__ import annotations

import asyncio
import os
import re
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]


class DevhostProcess:
    """A running devhost and what it has printed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.output = ""
        self._reading = asyncio.create_task(self._read())

    async def until(self, check: Callable[[str], Any], seconds: float = 40.0) -> Any:
        """Wait until what it has printed passes a check; return what the check did."""
        deadline = time.monotonic() + seconds
        while not (found := check(self.output)):
            assert time.monotonic() < deadline, self.output
            assert not self._reading.done(), self.output
            await asyncio.sleep(0.02)
        return found

    async def url(self) -> str:
        """Wait until it listens; return its address."""
        found = await self.until(lambda output: re.search(r"Listening on (http://\S+)", output))
        return str(found[1])

    async def ended(self, seconds: float = 15.0) -> int:
        """Wait for its end; return its exit code."""
        async with asyncio.timeout(seconds):
            await self._reading
            return await self.process.wait()

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.output += line.decode()


@asynccontextmanager
async def devhost_process(app: Path, *arguments: str, **environ: str) -> AsyncIterator[DevhostProcess]:
    """Run devhost on a folder and a free port; it is killed at the end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "devhost", "--app", str(app), "--port", "0", *arguments),
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        limit=2**20,
    )
    running = DevhostProcess(process)
    try:
        yield running
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await running.ended()
