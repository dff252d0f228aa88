"""What `Retry-After` is made of: the past of the kind, the state of the queue, and what is being done about both."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.api.jobs import explain_job, get_job
from shared.jobs import JobContext
from shared.jobs.model import Job, Status
from shared.jobs.testing import Faults
from shared.jobs.ticket import Options
from support.azurite import AzuriteProcess
from support.calls import call
from support.lab import Lab, Work, close_lab, open_lab


@pytest.fixture
async def lab(azurite: AzuriteProcess, unique: str, tmp_path: Path) -> AsyncIterator[Lab]:
    opened = await open_lab(azurite.connection_string, unique, tmp_path)
    yield opened
    await close_lab(opened)


async def taking(lab: Lab, seconds: float) -> None:
    """Complete a job that takes so long."""

    async def script(payload: Work, job: JobContext) -> Any:
        lab.clock.advance(seconds)

    lab.script = script
    await lab.run()


async def retry_after(lab: Lab, job_id: str) -> int:
    return int((await get_job(lab.app, call(job_id=job_id))).headers["Retry-After"])


async def test_a_kind_of_which_nothing_is_known_takes_the_default(lab: Lab) -> None:
    ticket = await lab.submit()
    assert await retry_after(lab, ticket.job.job_id) == lab.settings.retry_after_seconds


async def test_the_usual_duration_is_the_median_of_what_completed(lab: Lab) -> None:
    for seconds in (7, 40, 20, 9, 11):
        await taking(lab, seconds)
    lab.start()
    ticket = await lab.submit()
    assert await retry_after(lab, ticket.job.job_id) == 11


async def test_what_completed_long_ago_does_not_count(lab: Lab) -> None:
    await taking(lab, 40)
    lab.clock.advance(timedelta(days=1, hours=1).total_seconds())
    ticket = await lab.submit()
    assert await retry_after(lab, ticket.job.job_id) == lab.settings.retry_after_seconds


async def test_what_is_ahead_in_the_queue_counts(lab: Lab) -> None:
    await lab.submit()
    lab.clock.advance(30)
    ticket = await lab.submit()
    assert 31 <= await retry_after(lab, ticket.job.job_id) <= 34
    lab.clock.advance(10)
    later = await retry_after(lab, ticket.job.job_id)
    assert 31 <= later <= 34, "the first in line has now waited 40 s, and this one 10 of them"


async def test_a_delay_is_no_wait_in_line(lab: Lab) -> None:
    """A message that was put on the queue long before it was due has waited only since then."""
    due = lab.clock.now() + timedelta(seconds=100)
    await lab.submit(options=Options(not_before=due))
    lab.clock.advance(103)
    await lab.queues.release()
    ticket = await lab.submit()
    assert await retry_after(lab, ticket.job.job_id) <= 6


async def test_a_pause_counts(lab: Lab) -> None:
    await lab.engine.pauses.set("work", paused=True)
    ticket = await lab.submit()
    assert await retry_after(lab, ticket.job.job_id) == 32


async def test_nothing_fails_where_the_past_cannot_be_read(lab: Lab, caplog: pytest.LogCaptureFixture) -> None:
    ticket = await lab.submit()
    lab.start(Faults(only=lambda call: call in ("jobs.query", "queues.peek", "kinds.read")))
    assert await retry_after(lab, ticket.job.job_id) == lab.settings.retry_after_seconds
    assert caplog.text.count("estimate not read") == 2


async def test_a_job_of_a_kind_that_this_code_does_not_know(lab: Lab) -> None:
    now = lab.clock.now()
    job_id = "01a20000-0000-7000-8000-00000000000a"
    job = Job(
        job_id=job_id, kind="yet unknown", status=Status.QUEUED, version=1, created_at=now, updated_at=now, due_at=now
    )
    await lab.engine.deps.status.create(job)
    assert (await get_job(lab.app, call(job_id=job_id))).status == 200
    answer = await explain_job(lab.app, call(job_id=job_id))
    assert b'"code":"unknown_kind"' in answer.body


async def test_a_lost_message_is_told_from_a_long_line(lab: Lab) -> None:
    lab.start(Faults(only="queues.send".__eq__))
    ticket = await lab.submit()
    lab.start()
    lab.clock.advance(lab.engine.deps.timing.grace.total_seconds() + 1)
    assert b'"code":"message_lost"' in (await explain_job(lab.app, call(job_id=ticket.job.job_id))).body
    assert (await lab.engine.sweep()).resent == 1
    lab.start()
    assert b'"code":"backlog"' in (await explain_job(lab.app, call(job_id=ticket.job.job_id))).body
    await lab.pump()
    await lab.settled(ticket.job.job_id, Status.COMPLETED)
