"""Pausing a kind: its messages wait without spending attempts, and what is paused is not taken for lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shared.jobs import JobContext
from shared.jobs.model import Status
from shared.jobs.testing import Faults
from shared.jobs.ticket import Options
from support.azurite import AzuriteProcess
from support.lab import Lab, Work, close_lab, open_lab


@pytest.fixture
async def lab(azurite: AzuriteProcess, unique: str, tmp_path: Path) -> AsyncIterator[Lab]:
    opened = await open_lab(azurite.connection_string, unique, tmp_path)
    yield opened
    await close_lab(opened)


async def test_a_paused_job_waits_and_goes_on(lab: Lab) -> None:
    await lab.engine.pauses.set("work", paused=True)
    ticket, other = await lab.submit(), await lab.submit("once")
    lab.start()
    await lab.pump()
    for _ in range(3):
        lab.clock.advance(31)
        await lab.pump()
    assert [said for _, said in lab.host.deliveries] == ["waits, its kind is paused", "completed"]
    await lab.settled(other.job.job_id, Status.COMPLETED)
    job = await lab.job(ticket.job.job_id)
    assert (job.status, job.attempt, len(job.history)) == (Status.QUEUED, 0, 1)
    await lab.engine.resume("work")
    lab.clock.advance(6)
    await lab.pump()
    job = await lab.settled(job.job_id, Status.COMPLETED)
    assert job.attempt == 1


async def test_every_process_learns_of_it_in_a_few_seconds(lab: Lab) -> None:
    here, there = lab.app.engine, lab.start().engine
    assert not (await there.pauses.of("work")).paused
    await here.pauses.set("work", paused=True, reason="why not")
    assert (await here.pauses.of("work")).paused
    assert not (await there.pauses.of("work")).paused
    lab.clock.advance(5)
    pause = await there.pauses.of("work")
    assert (pause.paused, pause.reason) == (True, "why not")


async def test_what_runs_goes_on(lab: Lab) -> None:
    async def pausing(payload: Work, job: JobContext) -> Any:
        await lab.engine.pauses.set("work", paused=True)
        await job.progress("on", 1, 2)
        return payload.n

    lab.script = pausing
    job = await lab.run()
    await lab.settled(job.job_id, Status.COMPLETED)


async def test_a_job_cancelled_during_a_pause_is_done_with(lab: Lab) -> None:
    await lab.engine.pauses.set("work", paused=True)
    ticket = await lab.submit()
    await lab.engine.cancel(ticket.job.job_id)
    await lab.pump()
    assert [said for _, said in lab.host.deliveries] == ["dropped"]
    assert lab.queues.idle


async def test_a_job_that_was_due_later_waits_too(lab: Lab) -> None:
    await lab.engine.pauses.set("work", paused=True)
    await lab.submit(options=Options(not_before=lab.clock.now()))
    lab.clock.advance(10)
    await lab.pump()
    assert lab.runs == []


async def test_the_sweep_leaves_paused_jobs_alone(lab: Lab) -> None:
    ticket = await lab.submit()
    await lab.engine.pauses.set("work", paused=True)
    lab.clock.advance(700)
    await lab.pump()
    for look in (lab.engine.sweep, lab.engine.repair):
        assert (await look()).resent == 0
    await lab.engine.pauses.set("work", paused=False)
    assert (await lab.engine.sweep()).resent == 1
    await lab.recover()
    await lab.settled(ticket.job.job_id, Status.COMPLETED)


async def test_jobs_run_where_pauses_cannot_be_read(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    ticket = await lab.submit()
    lab.start(Faults(only="kinds.read".__eq__))
    await lab.pump()
    await lab.settled(ticket.job.job_id, Status.COMPLETED)
    assert "pauses not read" in caplog.text


async def test_jobs_share_one_look_at_the_pauses(lab: Lab) -> None:
    for _ in range(10):
        await lab.submit()
    faults = Faults()
    lab.start(faults)
    await lab.pump()
    assert len(lab.runs) == 10
    assert faults.calls.count("kinds.read") == 1
