"""No dead letter is left open of a job that did not fail: not where storage keeps the failure from being written down."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from shared.jobs import FinalError, JobContext, job
from shared.jobs.dead_letters.vault import Filter
from shared.jobs.model import Status
from shared.jobs.testing import Faults, MemoryApp, Mode


class Nothing(BaseModel):
    """No payload."""


RUNS: list[int] = []


@job("once-broken")
async def once_broken(payload: Nothing, job: JobContext) -> str:
    """Fails for good, were it not that another attempt would succeed."""
    RUNS.append(job.attempt)
    if job.attempt == 1:
        raise FinalError("bad gateway")
    return "mended"


@pytest.mark.parametrize("after", ["dead-letters.create", "dead-letters.create: itself"])
async def test_a_failure_that_cannot_be_written_down_is_brought_to_its_end_and_the_handler_runs_no_more(
    after: str,
) -> None:
    """The blobs fail after the dead letter was kept; or the vault fails."""
    RUNS.clear()
    app = MemoryApp(once_broken)
    ticket = await app.submit(once_broken, Nothing())
    outage: list[str] = []

    def strikes(name: str) -> bool:
        if name == "dead-letters.create" and not outage:
            outage.append(name)
            return after.endswith("itself")
        if outage and name.startswith("blobs.") and len(outage) < 7 and not after.endswith("itself"):
            outage.append(name)
            return True
        return False

    app.restart(Faults(mode=Mode.FAIL_BEFORE, only=strikes))
    await app.recover()
    assert outage
    failed = await app.job(ticket)
    assert (failed.status, RUNS, failed.decided) == (Status.FAILED, [1], None)
    ((letter,), _) = await app.engine.vault.find(Filter(), 10)
    assert (letter.id, letter.open) == (failed.dead_letter_id, True)
