"""The app with a few more kinds of jobs, public ones, for tests of tickets over HTTP."""

from __future__ import annotations

import asyncio
import runpy
from pathlib import Path
from typing import Any

import azure.functions as func
from pydantic import BaseModel, ConfigDict, Field

from shared import declarations
from shared.jobs import JobContext, job
from shared.jobs.errors import FinalError
from shared.jobs.kinds import Kind
from shared.workflows import Flow, days, failed, workflow


class Echo(BaseModel):
    """What is said back."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=100)


class Steps(BaseModel):
    """A job that takes its time."""

    model_config = ConfigDict(extra="forbid")

    steps: int = Field(ge=1, le=1000)
    seconds: float = Field(0.1, ge=0, le=5)


class Large(BaseModel):
    """A job with a large result."""

    model_config = ConfigDict(extra="forbid")

    bytes: int = Field(ge=2, le=40_000_000)


class Fails(BaseModel):
    """A job that gives up until it was replayed so often."""

    model_config = ConfigDict(extra="forbid")

    until_replays: int = Field(1000, ge=0)


@job("echo", public=True, dedupe_ttl_seconds=3600)
async def echo(payload: Echo, job: JobContext) -> dict[str, Any]:
    """Say it back."""
    return {"said": payload.text, "attempt": job.attempt}


@job("steps", public=True, client_options=frozenset({"priority", "callback_url"}))
async def steps(payload: Steps, job: JobContext) -> int:
    """Work step by step."""
    for done in range(payload.steps):
        await job.progress(f"step {done + 1}", done, payload.steps)
        await asyncio.sleep(payload.seconds)
    return payload.steps


@job("large", public=True)
async def large(payload: Large, job: JobContext) -> str:
    """Have a result of so many bytes of JSON."""
    await job.progress("growing", 0, 1)
    return "é" * ((payload.bytes - 2) // 2) + "x" * (payload.bytes % 2)


@job("fails", public=True)
async def fails(payload: Fails, job: JobContext) -> str:
    """Give up at once, or succeed after enough replays."""
    if job.job.replays < payload.until_replays:
        raise FinalError("on purpose")
    return "mended"


@job("pays", public=True, max_attempts=3, base_backoff_seconds=0.1)
async def pays(payload: Echo, job: JobContext) -> list[Any]:
    """Write a bill, pay it, and never learn whether that was taken."""

    async def bill() -> dict[str, str]:
        return {"bill": payload.text}

    async def pay() -> None:
        raise TimeoutError("no answer")

    return [await job.step("the/bill 1", bill), await job.effect("pay", payload.text, pay)]


@job("apart", public=True, queue="apart-queue")
async def apart(payload: Echo, job: JobContext) -> str:
    """Travel on a queue that nothing serves."""
    return payload.text


@job("inner")
async def inner(payload: Echo, job: JobContext) -> str:
    """Be no business of clients."""
    return payload.text


class Letter(BaseModel):
    """What a letter is to say."""

    lines: list[str]
    until_replays: int = 0


@workflow("letter", payload=Letter)
def letter(flow: Flow[Letter]) -> None:
    """Write the lines, have them checked, wait until somebody signs."""
    written = flow.each("write", echo, over=None, items=lambda p: [{"text": line} for line in p.lines], width=2)
    checked = flow.step("check", fails, lambda run: Fails(until_replays=run.payload.until_replays), after=written)
    signed = flow.wait("signature", timeout=days(9), after=checked)
    flow.step("post", echo, lambda run: Echo(text=str(run.result(signed))), after=signed)
    flow.step("regret", inner, lambda run: Echo(text="sorry"), when=failed(checked))


_found = declarations.kinds


def _more_kinds() -> tuple[Kind[Any], ...]:
    return (*_found(), echo, steps, large, fails, pays, apart, inner, letter)


declarations.kinds = _more_kinds
app: func.FunctionApp = runpy.run_path(str(Path(__file__).parents[2] / "function_app.py"))["app"]
