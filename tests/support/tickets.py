"""A running app with the kinds of `support.ticket_app`, and a client that talks to it as clients do."""

from __future__ import annotations

import asyncio
import base64
import shutil
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from shared.adapters.clock import SystemClock
from shared.adapters.sqlite import SqliteDocuments
from support.running import REPOSITORY, RunningApp

SECRET = f"whsec_{base64.b64encode(b'0123456789abcdef01234567').decode()}"
FINAL = ("completed", "failed", "cancelled")
_FUNCTION_APP = """
import sys
sys.path[:0] = [{repository!r}, {tests!r}]
from support.{module} import app
"""


@dataclass
class Desk:
    """Where tickets are had."""

    http: httpx.AsyncClient
    documents: SqliteDocuments
    app: RunningApp
    prefix: str

    async def submit(self, kind: str, headers: dict[str, str] | None = None, **body: Any) -> httpx.Response:
        """Ask for a job."""
        return await self.http.post(f"/api/jobs/{kind}", json=body, headers=headers or {})

    async def ticket(self, kind: str, **body: Any) -> str:
        """Ask for a job, and get one."""
        answer = await self.submit(kind, **body)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["job_id"])

    async def job(self, job_id: str) -> dict[str, Any]:
        """The job as it stands."""
        answer = await self.http.get(f"/api/jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def until(self, job_id: str, *statuses: str, seconds: float = 120) -> dict[str, Any]:
        """The job, once it is in one of these states (by default: ended)."""
        deadline = time.monotonic() + seconds
        while (job := await self.job(job_id))["status"] not in (statuses or FINAL):
            assert time.monotonic() < deadline, job
            await asyncio.sleep(0.02)
        return job

    async def explain(self, job_id: str) -> dict[str, Any]:
        """What the job waits for."""
        answer = await self.http.get(f"/api/jobs/{job_id}/explain")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


def app_folder(folder: Path, module: str = "ticket_app") -> Path:
    """A folder with the app's host.json and a function_app.py of its own: the app of a module of `support`."""
    folder.mkdir()
    shutil.copy(REPOSITORY / "host.json", folder)
    source = _FUNCTION_APP.format(repository=str(REPOSITORY), tests=str(REPOSITORY / "tests"), module=module)
    (folder / "function_app.py").write_text(source)
    # what the app itself says to other origins is to be seen, not devhost's refusal
    (folder / "local.settings.json").write_text('{"Host": {"CORS": "*"}}')
    return folder


@asynccontextmanager
async def open_desk(connection: str, name: str, folder: Path, **environ: str) -> AsyncIterator[Desk]:
    """Start the app, with a container and queues of its own."""
    names = {
        "NIGHTSHIFT_STATUS_CONTAINER": name,
        "JOBS_HIGH_QUEUE_NAME": f"{name}-high",
        "JOBS_QUEUE_NAME": name,
        "JOBS_LOW_QUEUE_NAME": f"{name}-low",
        "TASTE_JOB_QUEUE_NAME": f"{name}-taste",
        "WEBHOOK_SECRET": SECRET,
        "WEBHOOK_BASE_BACKOFF_SECONDS": "0.1",
        "WEBHOOK_MAX_ATTEMPTS": "3",
        "FETCH_ALLOWED_HOSTS": "127.0.0.1",
    }
    app = RunningApp(connection, folder, app=app_folder(folder / "app"), **{**names, **environ})
    documents = SqliteDocuments(folder / "nightshift.db", SystemClock())
    limits = httpx.Limits(max_connections=300)
    await app.start()
    try:
        async with httpx.AsyncClient(base_url=app.url, timeout=90, limits=limits) as http:
            yield Desk(http, documents, app, name)
    finally:
        await app.kill()
        await documents.close()
