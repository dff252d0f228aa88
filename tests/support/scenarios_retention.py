"""Scenarios of retention for the crash sweep: a purge that dies leaves nothing half, and takes nothing that is needed."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from shared.containers import JOBS
from shared.jobs.errors import FinalError
from shared.jobs.model import Status
from support.lab import Work, succeed
from support.scenarios import BIG, Scenario, Trial

_DAY = 86400.0


async def _refuse(payload: Work, job: Any) -> Any:
    if payload.n == 0:
        raise FinalError("on purpose")
    return await succeed(payload, job)


async def _fail(trial: Trial) -> str:
    """A job that failed; its dead letter's id."""
    job = await trial.lab.run(n=0, note=BIG)
    assert job.status is Status.FAILED
    trial.tickets.append(job.job_id)
    return job.dead_letter_id or ""


async def _failed(trial: Trial) -> None:
    trial.lab.script = _refuse
    trial.key = await _fail(trial)


async def _discard(trial: Trial) -> None:
    await trial.lab.engine.discards.one(trial.key, by="ann", reason="a test")


async def _discarded(trial: Trial) -> None:
    job = await trial.lab.settled(trial.ticket, Status.FAILED)
    letter = await trial.lab.engine.vault.get(trial.key)
    assert (job.discarded_at is not None, letter.discarded is not None, letter.open) == (True, True, False)


async def _old_jobs(trial: Trial) -> None:
    """Jobs that may go, remembered in the key, and jobs that may not, which are the tickets."""
    lab = trial.lab
    lab.script = _refuse
    done = [(await lab.run(n=7, note=BIG)).job_id, (await lab.run(n=7)).job_id]
    cancelled = await lab.submit(n=7)
    await lab.engine.cancel(cancelled.job.job_id)
    await lab.engine.discards.one(await _fail(trial), by="ann", reason="a test")
    done += [cancelled.job.job_id, trial.tickets.pop()]
    await _fail(trial)
    trial.key = " ".join(done)
    lab.clock.advance(40 * _DAY)
    await trial.take(n=7)
    lab.runs.clear()


async def _purge(trial: Trial) -> None:
    await trial.lab.engine.purge()


async def _purged(trial: Trial) -> None:
    lab = trial.lab
    await lab.engine.purge()  # the next day's
    for job_id in trial.key.split():
        assert [info.name async for info in lab.blobs.list(f"jobs/{job_id}/")] == []
        assert await lab.documents.read(JOBS, job_id, job_id) is None
    kept, taken = trial.tickets
    job = await lab.settled(kept, Status.FAILED)
    assert job.payload_blob is not None
    assert await lab.blobs.read(job.payload_blob) is not None
    await lab.settled(taken, Status.COMPLETED)


async def _discarded_long_ago(trial: Trial) -> None:
    await _failed(trial)
    await _discard(trial)
    trial.lab.clock.advance(40 * _DAY)
    trial.lab.script = succeed


async def _replay_and_purge(trial: Trial) -> None:
    with suppress(LookupError):
        await trial.lab.engine.replays.one(trial.key)
    await trial.lab.engine.purge()


async def _replayed(trial: Trial) -> None:
    await trial.lab.engine.repair()
    await trial.lab.recover()
    job = await trial.lab.settled(trial.ticket, Status.COMPLETED)
    assert (job.replays, job.discarded_at) == (1, None)


SCENARIOS = (
    Scenario("discard", _discard, _discarded, arrange=_failed, insist=True),
    Scenario("purge", _purge, _purged, arrange=_old_jobs),
    Scenario(
        "replay what was discarded, and purge", _replay_and_purge, _replayed, arrange=_discarded_long_ago, insist=True
    ),
)
