"""Every line of the engine's log about a job says which job, of which kind, in which attempt; and nothing of payloads."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shared.jobs.testing import Faults
from support.lab import Broken, Lab, Work, close_lab, open_memory_lab

SECRET = "a-word-that-only-the-payload-has"


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    opened = open_memory_lab("logs", tmp_path)
    yield opened
    await close_lab(opened)


async def test_lines_name_job_kind_and_attempt(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "nightshift.jobs")

    async def play(payload: Work, job: Any) -> None:
        if payload.n == 1 and job.attempt == 1:
            raise Broken(payload.note)
        if payload.n == 2:
            raise ZeroDivisionError(payload.note)

    lab.script = play
    for n in (0, 1, 2):
        await lab.run(n=n, note=SECRET)
    lab.start(Faults(only=lambda name: name in ("queues.send", "jobs.create", "jobs.put_newer")))
    ticket = await lab.submit(note=SECRET)
    lab.start()
    await lab.recover()
    await lab.engine.deps.send(await lab.engine.get(ticket.job.job_id))
    await lab.pump()
    lines = [record.getMessage() for record in caplog.records if record.name == "nightshift.jobs"]
    told = " ".join(lines)
    for what in ("job completed", "attempt failed", "job failed", "left to the sweep", "sent again", "message dropped"):
        assert what in told, what
    assert SECRET not in told
    about_jobs = [line for line in lines if "job=" in line and not line.startswith("dead letter")]
    assert not [line for line in about_jobs if "kind=" not in line or "attempt=" not in line]
