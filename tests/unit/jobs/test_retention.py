"""Retention over all states: nothing unfinished or unreplayed ever goes, and what is done with does."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.containers import JOBS
from shared.jobs.dead_letters.vault import DeadLetter, Discard, Reason, Replay, Vault
from shared.jobs.dependencies import Dependencies
from shared.jobs.ids import derived_id
from shared.jobs.kinds import Queues, Registry
from shared.jobs.model import Entry, Failure, Job, Status, summary
from shared.jobs.purge import Purger, Retention, expires_at
from shared.jobs.store import name_of
from shared.jobs.testing import FakeClock, MemoryBlobs, MemoryDocuments, MemoryQueues
from shared.settings import load
from support.examples import examples

NOW = datetime(2026, 6, 1, tzinfo=UTC)
KEPT = Retention()
NUMBERS = count()
DAY = timedelta(days=1)
AGES = st.integers(0, 120).map(lambda days: NOW - days * DAY)


def job_of(status: Status, at: datetime, **changes: object) -> Job:
    job = Job(
        job_id=derived_id(at, f"{next(NUMBERS)}"), kind="work", status=status, version=3, payload={"n": 1},
        created_at=at, updated_at=at, due_at=at, history=(Entry(at=at, event="submitted", attempt=0),),
    )  # fmt: skip
    return job.model_copy(update=changes)


def letter_of(job: Job, number: int, at: datetime, state: str) -> DeadLetter:
    letter = DeadLetter(
        id=f"{job.job_id}-{number}", reason=Reason.FINAL, recorded_at=at, fingerprint="f", queue="q", message_text="",
        kind="work", job_id=job.job_id, error=Failure(type="E", message="", attempt=1, at=at),
    )  # fmt: skip
    if state == "replayed":
        return letter.model_copy(update={"replays": (Replay(at=at, by="ann", job_id=job.job_id),)})
    return letter.model_copy(update={"discarded": Discard(at=at, by="ann", reason="r")} if state == "discarded" else {})


@dataclass(frozen=True)
class Case:
    """A job as it may be found, with its dead letters by state and the job that it is a part of."""

    job: Job
    letters: tuple[str, ...]
    parent_there: bool

    @property
    def must_stay(self) -> bool:
        """The rule in words of its own, apart from the code's."""
        job = self.job
        unfinished = job.status in (Status.QUEUED, Status.RUNNING)
        untold = bool(job.callback_url) and not job.callback_job_id
        unreplayed = "open" in self.letters or (job.status is Status.FAILED and job.discarded_at is None)
        return unfinished or untold or unreplayed or self.parent_there

    @property
    def done_with(self) -> datetime:
        """When a job that need not stay was done with."""
        return (self.job.discarded_at if self.job.status is Status.FAILED else None) or self.job.due_at


@st.composite
def cases(draw: st.DrawFn) -> Case:
    at = draw(AGES)
    status = draw(st.sampled_from(list(Status)))
    discarded = status is Status.FAILED and draw(st.booleans())
    parent = draw(st.sampled_from((None, "there", "gone")))
    url = draw(st.none() | st.just("https://example.org/told"))
    job = job_of(
        status,
        at,
        discarded_at=draw(AGES.filter(lambda moment: moment >= at)) if discarded else None,
        parent_id=derived_id(at, f"{next(NUMBERS)}") if parent else None,
        callback_url=url,
        callback_job_id=draw(st.none() | st.just("b")) if url and status.final else None,
        payload_blob="there" if draw(st.booleans()) else None,
        replays=draw(st.integers(0, 2)),
    )
    letters = tuple(draw(st.lists(st.sampled_from(("open", "replayed", "discarded")), max_size=2)))
    return Case(job, letters, parent == "there")


def deps_of(clock: FakeClock) -> Dependencies:
    registry = Registry((), Queues())
    return Dependencies(MemoryBlobs(clock), MemoryQueues(clock), MemoryDocuments(clock), clock, registry)


async def stored(deps: Dependencies, case: Case) -> None:
    job = case.job
    if job.payload_blob:
        job = job.model_copy(update={"payload_blob": f"jobs/{job.job_id}/payload-1.json"})
        await deps.blobs.create(job.payload_blob or "", b"{}")
    await deps.blobs.create(name_of(job.job_id), job.to_json())
    await deps.documents.put_newer(JOBS, summary(job))
    if case.parent_there:
        parent = job_of(Status.RUNNING, job.created_at, job_id=job.parent_id)
        await deps.blobs.create(name_of(parent.job_id), parent.to_json())
    vault = Vault(deps.documents, deps.clock)
    for number, state in enumerate(case.letters):
        await vault.keep(letter_of(job, number, job.due_at, state))


async def left(deps: Dependencies, job: Job) -> set[str]:
    """What is left of a job: blobs, and the index document."""
    blobs = {info.name.split("/")[2] async for info in deps.blobs.list(f"jobs/{job.job_id}/")}
    return blobs | ({"index"} if await deps.documents.read(JOBS, job.job_id, job.job_id) else set())


@examples(150)
@given(st.lists(cases(), min_size=1, max_size=6))
def test_nothing_unfinished_or_unreplayed_goes_and_what_is_done_with_does(found: list[Case]) -> None:
    async def play() -> None:
        deps = deps_of(FakeClock(NOW))
        for case in found:
            await stored(deps, case)
        report = await Purger(deps, Vault(deps.documents, deps.clock), KEPT).purge()
        gone = 0
        for case in found:
            stays = case.must_stay or case.done_with > NOW - 30 * DAY
            whole = {"status.json", "index", *({"payload-1.json"} if case.job.payload_blob else ())}
            assert await left(deps, case.job) == (whole if stays else set()), case
            gone += not stays
        assert (report.jobs, report.more) == (gone, False)

    asyncio.run(play())


@pytest.mark.parametrize("status", list(Status))
def test_only_what_is_final_has_an_expiry(status: Status) -> None:
    assert (expires_at(job_of(status, NOW), KEPT) is not None) is (status in (Status.COMPLETED, Status.CANCELLED))


def test_each_state_has_a_time_of_its_own() -> None:
    kept = Retention(completed=10 * DAY, cancelled=20 * DAY, discarded=40 * DAY)
    assert expires_at(job_of(Status.COMPLETED, NOW), kept) == NOW + 10 * DAY
    assert expires_at(job_of(Status.CANCELLED, NOW), kept) == NOW + 20 * DAY
    discarded = job_of(Status.FAILED, NOW - 90 * DAY, discarded_at=NOW)
    assert expires_at(discarded, kept) == NOW + 40 * DAY


def test_a_job_outlives_the_keys_that_lead_to_it() -> None:
    job = job_of(Status.COMPLETED, NOW)
    assert expires_at(job, Retention(remembered=60 * DAY)) == NOW + 60 * DAY
    assert expires_at(job, KEPT, dedupe=90 * DAY) == NOW + 90 * DAY


def test_the_settings_are_what_counts() -> None:
    chosen = load(
        {
            "RETENTION_COMPLETED_DAYS": "8", "RETENTION_CANCELLED_DAYS": "9", "RETENTION_DISCARDED_DAYS": "10",
            "RETENTION_VAULT_DAYS": "11", "RETENTION_ARTIFACT_DAYS": "400", "JOBS_IDEMPOTENCY_TTL_SECONDS": "60",
        }
    )  # fmt: skip
    assert Retention.of(chosen) == Retention(8 * DAY, 9 * DAY, 10 * DAY, 11 * DAY, 400 * DAY, timedelta(minutes=1))
    assert Retention.of(None) == Retention.of(load({}))


async def test_a_dead_letter_is_gone_so_long_after_it_was_settled() -> None:
    clock = FakeClock(NOW)
    vault = Vault(MemoryDocuments(clock), clock, keep=10 * DAY)
    job = job_of(Status.COMPLETED, NOW)
    for number, state in enumerate(("open", "replayed", "discarded")):
        await vault.keep(letter_of(job, number, NOW, state))
    clock.advance(9 * 86400)
    await vault.note_replay(f"{job.job_id}-1", Replay(at=clock.now(), by="ben", job_id=job.job_id))
    clock.advance(2 * 86400)
    assert [await vault.has(f"{job.job_id}-{number}") for number in range(3)] == [True, True, False]
    clock.advance(4000 * 86400)
    assert [await vault.has(f"{job.job_id}-{number}") for number in range(3)] == [True, False, False]
