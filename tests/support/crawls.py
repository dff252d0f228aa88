"""A crawl as `dev.py worker` makes it: real processes over Azurite and SQLite, some of which are killed."""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

from shared.app import App
from shared.bootstrap import build
from shared.declarations import settings_of
from shared.domains.pipelines.api import api
from shared.domains.pipelines.crawling import reschedule
from shared.domains.pipelines.executions import Executions
from shared.domains.pipelines.vaults import VaultStore
from shared.jobs.concurrently import run_all
from shared.jobs.errors import JobNotFoundError
from shared.web.routes import Call

ROOT = Path(__file__).parents[2]
TEXT = """
executors:
  - id: blob_input
    type: azure_blob_input
    settings: {{blob_container_name: {container}, polling_interval_seconds: 2}}
  - {{id: done, type: pass_through}}
"""


class Workers:
    """`dev.py worker` and an app beside it, over the same storage."""

    def __init__(self, connection: str, unique: str, folder: Path, **settings: str) -> None:
        self.environ = {
            "AzureWebJobsStorage": connection, "NIGHTSHIFT_SQLITE_PATH": str(folder / "app.db"),
            "NIGHTSHIFT_STATUS_CONTAINER": unique, "JOBS_HIGH_QUEUE_NAME": f"{unique}-high", "JOBS_QUEUE_NAME": unique,
            "JOBS_LOW_QUEUE_NAME": f"{unique}-low", "STORAGE_WORKER_QUEUE_NAME": f"{unique}-tasks",
            "TASTE_ANALYSIS_QUEUE": f"{unique}-taste", "WORKER_NAME": "tests", "NUM_PROCESSING_WORKERS": "1",
            "NUM_SOURCE_WORKERS": "1", "QUEUE_POLL_INTERVAL_SECONDS": "0.2", "QUEUE_VISIBILITY_TIMEOUT_SECONDS": "10",
            "JOBS_LEASE_SECONDS": "10", "JOBS_SWEEP_GRACE_SECONDS": "5", "LOCK_TTL_SECONDS": "10", "API_PORT": "0", **settings,
        }  # fmt: skip
        self.container = f"{unique}-content"
        self.app: App = build(settings_of(self.environ))
        self._process: subprocess.Popen[str] | None = None
        self.address = ""

    def start(self) -> None:
        """Start the supervisor, and wait for its health."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "devtools.worker"], cwd=ROOT, env={**os.environ, **self.environ}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert self._process.stdout
        while not self.address:
            line = self._process.stdout.readline()
            assert line, "the worker ended"
            if found := re.search(r"(http://\S+)/health", line):
                self.address = found[1]

    def stop(self) -> int:
        """End it as a service manager does; its exit code."""
        assert self._process
        self._process.send_signal(signal.SIGTERM)
        self._process.communicate(timeout=60)
        return self._process.returncode

    async def close(self) -> None:
        """Let go of everything."""
        if self._process and self._process.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                self.stop()
            self._process.kill()
            self._process.wait()
        await self.app.close()

    async def ask(self, path: str) -> Any:
        """What the supervisor answers."""
        async with httpx.AsyncClient() as client:
            return (await client.get(f"{self.address}{path}")).json()

    async def kill_one(self) -> None:
        """End one of the processes that work, without a warning."""
        status = await self.ask("/status")
        pids = [
            each["pid"]
            for role in ("processing", "source")
            for each in status[f"{role}_workers"]["workers"]
            if each["alive"]
        ]
        if pids:
            with suppress(ProcessLookupError):
                os.kill(random.choice(pids), signal.SIGKILL)

    async def call(self, function: str, body: Any) -> Any:
        """Call a route of pipelines."""
        (route,) = [each for each in api.routes if each.function == function]
        return json.loads((await route.handler(self.app, Call(body=json.dumps(body).encode()))).body)

    async def begin(self) -> None:
        """Make the pipeline and its vault, which is looked at from now on."""
        await self.call("CreatePipeline", {"id": "p", "text": TEXT.format(container=self.container)})
        await self.call("CreateVault", {"id": "v", "name": "v", "pipeline_id": "p"})

    async def put(self, names: list[str]) -> None:
        """Put blobs, many in the same second."""
        blobs = self.app.engine.deps.containers(self.container)
        for start in range(0, len(names), 32):
            await run_all([blobs.create(name, b"x") for name in names[start : start + 32]])

    async def crawl_again(self) -> None:
        """Have another crawl come beside that which may be at work."""
        vaults = VaultStore(self.app.documents, self.app.settings)
        await reschedule(self.app.engine.submit, vaults, ["v"], self.app.clock.now())

    async def executed(self) -> Counter[str]:
        """How often each blob was executed: its executions, and the runs of these that completed."""
        executions = Executions(self.app.documents, self.app.blobs, self.app.settings, self.app.engine.submit)
        found: Counter[str] = Counter()
        cursor = None
        while True:
            page = await executions.page(1000, cursor, vault_id="v")
            for start in range(0, len(page.items), 64):
                batch = page.items[start : start + 64]
                done = await run_all([self._done(each["job_id"]) for each in batch])
                found.update(each["filename"] for each, ended in zip(batch, done, strict=True) if ended)
            cursor = page.cursor
            if cursor is None:
                return found

    async def _done(self, job_id: str) -> bool:
        try:
            return (await self.app.engine.get(job_id)).value.status.value == "completed"
        except JobNotFoundError:
            return False


async def until(what: Callable[[], Awaitable[bool]], seconds: float) -> None:
    """Wait for a state; AssertionError where it does not come in so many seconds."""
    end = time.monotonic() + seconds
    while not await what():
        assert time.monotonic() < end, "it did not come"
        await asyncio.sleep(0.3)
