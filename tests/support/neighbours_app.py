"""The app with jobs that live side by side: patient ones, and those that block the process, end it, or eat its memory."""

from __future__ import annotations

import asyncio
import os
import runpy
import time
from pathlib import Path
from typing import Any

import azure.functions as func
from pydantic import BaseModel, ConfigDict

from shared import declarations
from shared.jobs import JobContext, job
from shared.jobs.errors import FinalError
from shared.jobs.kinds import Kind
from shared.sandbox import Failure, Limits
from shared.sandbox.pool import Sandbox
from support import sandboxed

DIARY = "NEIGHBOURS_DIARY"
"""The environment variable with the path of the file in which handlers write when they begin and end."""


class Named(BaseModel):
    """A job's name."""

    model_config = ConfigDict(extra="forbid")

    name: str


def note(word: str, payload: Named, job: JobContext) -> None:
    """Add a line to the diary; it is there even if the process ends in the next moment."""
    line = f"{word} {payload.name} {job.attempt} {os.getpid()} {time.time():.3f}\n"
    diary = os.open(os.environ[DIARY], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(diary, line.encode())
    os.close(diary)


@job("patient", public=True)
async def patient(payload: Named, job: JobContext) -> str:
    """Take twenty seconds."""
    note("begins", payload, job)
    await asyncio.sleep(20)
    note("ends", payload, job)
    return payload.name


@job("blocks", public=True, max_attempts=2, base_backoff_seconds=1, timeout_seconds=30)
async def blocks(payload: Named, job: JobContext) -> None:
    """Hold the event loop, three times as long as it may run at all."""
    note("begins", payload, job)
    await asyncio.sleep(1)
    time.sleep(90)  # noqa: ASYNC251 - that is the point
    note("ends", payload, job)
    raise TimeoutError("what it waited for did not come")


@job("exits", public=True)
async def exits(payload: Named, job: JobContext) -> None:
    """End the process, and all that runs in it; tried again as any other."""
    note("begins", payload, job)
    await asyncio.sleep(0.5)
    os._exit(7)


@job("eats", public=True)
async def eats(payload: Named, job: JobContext) -> None:
    """Eat memory in the sandbox, without end."""
    note("begins", payload, job)
    box = Sandbox(Limits(processes=1, memory=200 * 2**20))
    try:
        answer = await box.run(sandboxed.eat, 4096)
    finally:
        box.close()
    assert isinstance(answer, Failure)
    raise FinalError(f"the sandbox says: {answer.why.value}")


_found = declarations.kinds


def _more_kinds() -> tuple[Kind[Any], ...]:
    return (*_found(), patient, blocks, exits, eats)


declarations.kinds = _more_kinds
app: func.FunctionApp = runpy.run_path(str(Path(__file__).parents[2] / "function_app.py"))["app"]
