"""The purge over real storage: what it takes, what it leaves, and what happens beside it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from shared.containers import JOBS
from shared.jobs import purge
from shared.jobs.dead_letters.replay import ReplayOutcome
from shared.jobs.errors import DeadLetterNotFoundError, FinalError, InvalidTransitionError
from shared.jobs.model import Job, Status
from shared.jobs.purge import PurgeReport
from shared.ports import Query, Where
from support.lab import Lab, Work, succeed

DAY = 86400.0
BIG = "x" * 60_000


async def refuse(payload: Work, job: Any) -> Any:
    raise FinalError("on purpose")


async def failed(lab: Lab, **payload: Any) -> Job:
    lab.script = refuse
    job = await lab.settled((await lab.run(**payload)).job_id, Status.FAILED)
    lab.script = succeed
    return job


async def blobs_of(lab: Lab, job: Job) -> list[str]:
    return [info.name.rpartition("/")[2] async for info in lab.blobs.list(f"jobs/{job.job_id}/")]


async def test_a_finished_job_goes_with_all_that_is_its_own(lab: Lab) -> None:
    job, young = await lab.run(n=1, note=BIG), await lab.run(n=2)
    lab.clock.advance(30 * DAY - 60)
    assert await lab.engine.purge() == PurgeReport()
    lab.clock.advance(120)
    await lab.blobs.create(f"jobs/{job.job_id}/beside.json", b"{}")
    young = await lab.run(n=2)
    assert (await lab.engine.purge()).jobs == 2
    assert await blobs_of(lab, job) == []
    assert await lab.documents.read(JOBS, job.job_id, job.job_id) is None
    await lab.settled(young.job_id, Status.COMPLETED)
    report = await lab.engine.repair()
    assert (report.projected, report.resent) == (0, 0)


async def test_a_failed_job_stays_for_ever_and_can_be_replayed(lab: Lab) -> None:
    job = await failed(lab, n=3, note=BIG)
    lab.clock.advance(3650 * DAY)
    assert (await lab.engine.purge()).jobs == 0
    assert (await lab.engine.replays.one(job.dead_letter_id or "")).outcome is ReplayOutcome.REPLAYED
    await lab.pump()
    assert (await lab.settled(job.job_id, Status.COMPLETED)).results == {"n": 3}


async def test_a_discarded_job_goes_and_later_its_dead_letter(lab: Lab) -> None:
    job = await failed(lab, note=BIG)
    letter = await lab.engine.discards.one(job.dead_letter_id or "", by="ann", reason="a test")
    assert letter == await lab.engine.discards.one(letter.id, by="ben", reason="again")
    lab.clock.advance(31 * DAY)
    assert (await lab.engine.purge()).jobs == 1
    assert await blobs_of(lab, job) == []
    assert (await lab.engine.vault.get(letter.id)).discarded is not None
    lab.clock.advance(60 * DAY)
    with pytest.raises(DeadLetterNotFoundError):
        await lab.engine.vault.get(letter.id)


async def test_a_replay_makes_a_discarded_job_one_like_any_other(lab: Lab) -> None:
    job = await failed(lab)
    await lab.engine.discards.one(job.dead_letter_id or "", by="ann", reason="a test")
    await lab.engine.replays.one(job.dead_letter_id or "")
    lab.script = refuse
    await lab.pump()
    again = await lab.settled(job.job_id, Status.FAILED)
    assert again.discarded_at is None
    lab.clock.advance(400 * DAY)
    assert (await lab.engine.purge()).jobs == 0


async def test_what_was_replayed_is_not_discarded(lab: Lab) -> None:
    job = await failed(lab)
    await lab.engine.replays.one(job.dead_letter_id or "")
    with pytest.raises(InvalidTransitionError):
        await lab.engine.discards.one(job.dead_letter_id or "", by="ann", reason="late")


async def test_a_job_that_is_replayed_at_the_moment_of_its_purge_stays(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await failed(lab, n=5, note=BIG)
    letter = await lab.engine.discards.one(job.dead_letter_id or "", by="ann", reason="a test")
    lab.clock.advance(31 * DAY)
    delete = lab.blobs.delete

    async def after_a_replay(name: str, etag: str | None = None) -> bool:
        if name.endswith("/status.json"):
            await lab.engine.replays.one(letter.id)
        return bool(await delete(name, etag))

    monkeypatch.setattr(lab.blobs, "delete", after_a_replay)
    assert (await lab.engine.purge()).jobs == 0
    await lab.pump()
    assert (await lab.settled(job.job_id, Status.COMPLETED)).results == {"n": 5}


async def test_a_part_stays_while_what_it_is_a_part_of_is_there(lab: Lab) -> None:
    parent = await lab.submit("many", n=2)
    for _ in range(4):
        await lab.pump()
        lab.clock.advance(60)
    whole = await lab.settled(parent.job.job_id, Status.COMPLETED)
    page = await lab.app.documents.query(JOBS, Query((Where("parent_id", "=", whole.job_id),)))
    parts = [await lab.job(item["id"]) for item in page.items]
    assert len(parts) == 2
    lab.clock.advance(31 * DAY)
    assert (await lab.engine.purge()).jobs >= 1
    assert await blobs_of(lab, whole) == []
    await lab.engine.purge()
    assert [await blobs_of(lab, part) for part in parts] == [[], []]


async def test_what_dies_on_the_way_is_finished_by_the_next_run(lab: Lab) -> None:
    job = await lab.run(note=BIG)
    lab.clock.advance(31 * DAY)
    await lab.blobs.delete(f"jobs/{job.job_id}/status.json")  # and died
    assert (await lab.engine.purge()).jobs == 1
    assert await blobs_of(lab, job) == []
    assert await lab.documents.read(JOBS, job.job_id, job.job_id) is None


async def test_a_run_ends_in_time_and_says_that_there_is_more(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(3):
        await lab.run(n=n)
    lab.clock.advance(31 * DAY)
    monkeypatch.setattr(purge, "_BATCH", 1)
    look = lab.blobs.read

    async def slowly(name: str) -> Any:
        lab.clock.advance(400)
        return await look(name)

    monkeypatch.setattr(lab.blobs, "read", slowly)
    report = await lab.engine.purge()
    assert (report.jobs, report.more) == (1, True)
    monkeypatch.undo()
    assert await lab.engine.purge() == PurgeReport(jobs=2)


async def test_artifacts_go_by_age_and_jobs_are_none(lab: Lab) -> None:
    for name in ("20260101_060000_reddit_python.json", "digests/ann/2026-W01.json", "other/x"):
        await lab.blobs.create(name, b"{}")
    job = await failed(lab)
    lab.clock.advance(399 * DAY)
    assert (await lab.engine.purge(("20", "digests/"))).artifacts == 0
    lab.clock.advance(2 * DAY)
    assert (await lab.engine.purge(("20", "digests/"))).artifacts == 2
    assert [info.name async for info in lab.blobs.list("other")] == ["other/x"]
    assert await blobs_of(lab, job) == ["status.json"]
    for prefix in ("", "jobs", "jobs/"):
        with pytest.raises(ValueError, match="no artifacts"):
            await lab.engine.purge((prefix,))


def test_a_run_is_well_below_the_hosts_limit() -> None:
    assert timedelta(minutes=10) >= purge._BUDGET + purge._BUDGET_OF_ARTIFACTS + timedelta(minutes=3)
