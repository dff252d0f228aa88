"""The statistics: what is counted, when it is written, and what reading them costs."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.containers import OPERATIONS
from shared.jobs.events import Claimed, Completed, Event, Progressed, Released, Replayed, Retried, Snoozed
from shared.jobs.machine import apply
from shared.jobs.model import Entry, Failure, Job, Status
from shared.jobs.testing import FakeClock, MemoryDocuments
from shared.monitor.stats import Stats, floor
from shared.monitor.tally import OTHER
from shared.ports import Document, Page, Query, StorageError

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Counted(MemoryDocuments):
    """Documents that count what is asked of them, and that may fail."""

    def __init__(self, clock: FakeClock) -> None:
        super().__init__(clock)
        self.calls: Counter[str] = Counter()
        self.down = False

    async def put_newer(self, container: str, document: Document) -> bool:
        self.calls["documents.write"] += 1
        if self.down:
            raise StorageError("down")
        return await super().put_newer(container, document)

    async def query(self, container: str, query: Query) -> Page:
        self.calls["documents.query"] += 1
        return await super().query(container, query)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON)


@pytest.fixture
def documents(clock: FakeClock) -> Counted:
    return Counted(clock)


@pytest.fixture
def stats(documents: Counted, clock: FakeClock) -> Stats:
    return Stats(documents, clock, ("work",))


def job(kind: str = "work", at: datetime = NOON) -> Job:
    return Job(
        job_id="0", kind=kind, status=Status.QUEUED, version=1, created_at=at, updated_at=at, due_at=at,
        history=(Entry(at=at, event="submitted", attempt=0),),
    )  # fmt: skip


def live(stats: Stats, job: Job, *events: Event) -> Job:
    """Tell the statistics of a job's life."""
    for event in events:
        after = apply(job, event)
        stats.changed(job, after)
        job = after
    return job


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def claimed(seconds: float) -> Claimed:
    return Claimed(at(seconds), "m", at(seconds + 60))


ERROR = Failure(type="Broken", message="", attempt=1, at=NOON)


async def test_a_life_is_counted_step_by_step(stats: Stats) -> None:
    stats.changed(None, job())
    live(
        stats, job(), claimed(2), Progressed(at(3), 1, at(63)), Retried(at(4), 1, ERROR, at(10)),
        claimed(11), Snoozed(at(12), 2, at(20)), claimed(20), Released(at(21), 3, at(30)),
        claimed(30), claimed(95), Completed(at(100), 5, None),
    )  # fmt: skip
    (hour,) = await stats.read(NOON, NOON + HOUR)
    tally = hour.tally.kinds["work"]
    assert hour.at == NOON
    assert tally.jobs == {"submitted": 1, "completed": 1}
    assert {outcome: (each.count, each.sum) for outcome, each in tally.attempts.items()} == {
        "retried": (1, 2.0), "snoozed": (1, 1.0), "released": (1, 1.0), "lapsed": (1, 65.0), "completed": (1, 5.0),
    }  # fmt: skip
    assert (tally.waits.count, tally.waits.sum) == (4, 3.0)


async def test_a_replay_that_is_claimed_at_once_is_no_attempt_of_the_life_before(stats: Stats) -> None:
    failed = job().model_copy(update={"status": Status.FAILED, "started_at": NOON, "attempt": 1})
    after = apply(apply(failed, Replayed(at(5), "queue")), claimed(5))
    stats.changed(failed, after)
    (hour,) = await stats.read(NOON, NOON + HOUR)
    assert hour.tally.kinds["work"].jobs == {"replayed": 1}
    assert not hour.tally.kinds["work"].attempts


async def test_kinds_that_nobody_knows_share_one_name(stats: Stats) -> None:
    for n in range(50):
        stats.changed(None, job(f"made-up-{n}"))
    (hour,) = await stats.read(NOON, NOON + HOUR)
    assert list(hour.tally.kinds) == [OTHER]
    assert hour.tally.kinds[OTHER].jobs["submitted"] == 50


async def test_processes_add_up_and_a_second_write_adds_nothing(
    stats: Stats, documents: Counted, clock: FakeClock
) -> None:
    other = Stats(documents, clock, ("work",))
    stats.changed(None, job())
    for _ in range(3):
        other.changed(None, job())
        await other.flush()
    await stats.flush()
    await stats.flush()
    reader = Stats(documents, clock, ())
    for each in (stats, other, reader):
        assert (await each.total(NOON, NOON + HOUR)).kinds["work"].jobs["submitted"] == 4


async def test_what_is_not_written_yet_is_known_to_its_own_process(stats: Stats, documents: Counted) -> None:
    stats.changed(None, job())
    assert (await stats.total(NOON, NOON + HOUR)).kinds["work"].jobs["submitted"] == 1
    assert documents.calls["documents.write"] == 0


async def test_empty_hours_are_there_and_hours_to_come_are_not(stats: Stats, clock: FakeClock) -> None:
    hours = await stats.read(clock.now() - 5 * HOUR, clock.now() + 5 * HOUR)
    assert [hour.at for hour in hours] == [NOON - n * HOUR for n in (5, 4, 3, 2, 1, 0)]
    assert not await stats.read(clock.now() + 5 * HOUR, clock.now())


async def test_an_hour_that_is_over_is_read_once(stats: Stats, documents: Counted, clock: FakeClock) -> None:
    stats.changed(None, job())
    await stats.flush()
    clock.advance(3 * 3600)
    reader = Stats(documents, clock, ("work",))
    first = await reader.read(NOON, NOON + 2 * HOUR)
    assert documents.calls["documents.query"] == 1
    assert await reader.read(NOON, NOON + 2 * HOUR) == first
    assert documents.calls["documents.query"] == 1
    assert first[0].tally.kinds["work"].jobs["submitted"] == 1


async def test_what_the_store_did_not_take_is_written_the_next_time(
    stats: Stats, documents: Counted, clock: FakeClock
) -> None:
    documents.down = True
    stats.changed(None, job())
    await stats.flush()
    clock.advance(2 * 3600)
    documents.down = False
    await stats.tick()
    assert (await Stats(documents, clock, ()).total(NOON, NOON + HOUR)).kinds["work"].jobs["submitted"] == 1


async def test_hours_that_expired_are_absent_though_the_store_still_has_them(
    documents: Counted, clock: FakeClock
) -> None:
    stats = Stats(documents, clock, ("work",), keep=timedelta(days=1))
    stats.changed(None, job())
    await stats.flush()
    documents._kept = {
        key: kept.__class__(kept.body, kept.etag, kept.version, None) for key, kept in documents._kept.items()
    }
    clock.advance(25 * 3600 + 1)
    assert not (await Stats(documents, clock, ("work",), keep=timedelta(days=1)).total(NOON, clock.now())).kinds


async def test_an_idle_process_writes_its_transactions_once_an_hour(documents: Counted, clock: FakeClock) -> None:
    stats = Stats(documents, clock, ("work",))
    stats.start(documents.calls, 3600)
    for _ in range(24 * 12):
        clock.advance(300)
        documents.calls["blobs.list"] += 1
        stats.happened("sweeps")
        stats.happened("resent", 0)
        await stats.tick()
    assert stats._later is None
    assert documents.calls["documents.write"] == 24
    total = await stats.total(NOON, clock.now() + HOUR)
    assert total.calls["blobs.list"] == 24 * 12
    assert total.events == {"sweeps": 24 * 12}


async def test_counts_of_a_busy_process_are_written_together(documents: Counted, clock: FakeClock) -> None:
    stats = Stats(documents, clock, ("work",))
    stats.start({}, 0.01)
    for _ in range(1000):
        stats.changed(None, job())
    task: Any = stats._later
    await task
    assert documents.calls["documents.write"] == 1
    stats.changed(None, job())
    await stats.close()
    assert documents.calls["documents.write"] == 2
    found = await documents.query(OPERATIONS, Query())
    assert [each["kinds"]["work"]["jobs"]["submitted"] for each in found.items] == [1001]


def test_floor() -> None:
    assert floor(NOON + timedelta(minutes=59, seconds=59)) == NOON
