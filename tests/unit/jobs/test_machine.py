"""The state machine under random events: what holds whatever happens in whatever order."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from shared.jobs import events
from shared.jobs.errors import InvalidTransitionError, SupersededError
from shared.jobs.events import Event
from shared.jobs.machine import apply
from shared.jobs.model import HISTORY_LIMIT, Entry, Failure, Job, Progress, Status
from support.examples import examples

START = datetime(2026, 1, 5, 12, tzinfo=UTC)
LEASE = timedelta(seconds=60)
ENDS = {"completed", "failed", "cancelled"}


def new_job() -> Job:
    return Job(
        job_id="01a20266-6806-72a8-822d-9c048db10d4c", kind="work", status=Status.QUEUED, version=1, payload={"n": 1},
        created_at=START, updated_at=START, due_at=START, watch_at=START,
        history=(Entry(at=START, event="submitted", attempt=0),),
    )  # fmt: skip


def failure(at: datetime = START) -> Failure:
    return Failure(type="Broken", message="on purpose", attempt=1, at=at)


class JobMachine(RuleBasedStateMachine):
    """Applies events to one job; clocks of different writers may differ, so moments jump both ways."""

    def __init__(self) -> None:
        super().__init__()
        self.job = new_job()
        self.now = START
        self.ends = 0

    @initialize(url=st.none() | st.just("https://example.org/told"))
    def submit(self, url: str | None) -> None:
        self.job = new_job().model_copy(update={"callback_url": url})

    @rule(seconds=st.integers(-30, 300))
    def time(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(message=st.sampled_from("abc"))
    def claim(self, message: str) -> None:
        self.happens(events.Claimed(self.now, message, self.now + LEASE))

    @rule(behind=st.integers(0, 2), progress=st.none() | st.integers(0, 9))
    def progress(self, behind: int, progress: int | None) -> None:
        done = None if progress is None else Progress(step="s", completed=progress, total=9)
        self.happens(events.Progressed(self.now, self.job.attempt - behind, self.now + LEASE, done), behind)

    @rule(behind=st.integers(0, 2))
    def complete(self, behind: int) -> None:
        self.happens(events.Completed(self.now, self.job.attempt - behind, {"n": 1}), behind)

    @rule(behind=st.integers(0, 2), seconds=st.integers(0, 300))
    def retry(self, behind: int, seconds: int) -> None:
        due = self.now + timedelta(seconds=seconds)
        self.happens(events.Retried(self.now, self.job.attempt - behind, failure(self.now), due), behind)

    @rule(behind=st.integers(0, 2))
    def fail(self, behind: int) -> None:
        self.happens(events.Failed(self.now, failure(self.now), "letter", self.job.attempt - behind), behind)

    @rule()
    def fail_by_poison(self) -> None:
        self.happens(events.Failed(self.now, failure(self.now), "letter"))

    @rule()
    def ask_to_cancel(self) -> None:
        self.happens(events.CancelRequested(self.now))

    @rule(behind=st.integers(0, 2))
    def cancel(self, behind: int) -> None:
        self.happens(events.Cancelled(self.now, self.job.attempt - behind), behind)

    @rule(edited=st.booleans())
    def replay(self, edited: bool) -> None:
        payload: dict[str, object] | None = {"n": 2} if edited else None
        self.happens(events.Replayed(self.now, "ann", payload, 2 if edited else None))  # type: ignore[arg-type]

    @rule(behind=st.integers(0, 1))
    def call_back(self, behind: int) -> None:
        due, before = self.job.callback_due, self.job
        with suppress(InvalidTransitionError):
            self.job = apply(before, events.CalledBack(self.now, before.replays - behind, "callback"))
        assert (self.job.version == before.version + 1) is (due and behind == 0)
        assert (self.job.status, self.job.history) == (before.status, before.history)

    @rule()
    def resend(self) -> None:
        self.happens(events.Resent(self.now, self.now + LEASE))

    def happens(self, event: Event, behind: int = 0) -> None:
        before = self.job
        try:
            self.job = apply(before, event)
        except SupersededError:
            assert behind > 0, "the current attempt was told that it is not"
        except InvalidTransitionError:
            replayable = before.status is Status.FAILED and not before.callback_due
            assert not (replayable and isinstance(event, events.Replayed))
        else:
            assert behind == 0, "a stale fence changed something"
            self.conflict(before, event)

    def conflict(self, before: Job, event: Event) -> None:
        after = self.job
        assert after.version == before.version + 1
        assert after.updated_at >= before.updated_at
        assert after.attempt == before.attempt + isinstance(event, events.Claimed)
        assert (after.job_id, after.kind, after.created_at) == (before.job_id, before.kind, before.created_at)
        if before.status.final:
            assert isinstance(event, events.Replayed)
            assert (before.status, after.status) == (Status.FAILED, Status.QUEUED)
            assert (after.failures, after.stalls, after.resends) == (0, 0, 0)
        if isinstance(event, events.Retried):
            assert after.status is (Status.CANCELLED if before.cancel_requested else Status.QUEUED)
        if isinstance(event, events.CancelRequested):
            assert after.cancel_requested
            assert after.status is (Status.CANCELLED if before.status is Status.QUEUED else Status.RUNNING)
        self.ends += after.status.final

    @invariant()
    def only_what_is_not_done_is_watched(self) -> None:
        assert (self.job.watch_at is None) is (self.job.status.final and not self.job.callback_due)

    @invariant()
    def the_history_is_bounded_and_begins_at_the_beginning(self) -> None:
        assert len(self.job.history) <= HISTORY_LIMIT
        assert self.job.history[0].event == "submitted"

    @invariant()
    def each_life_ends_once(self) -> None:
        assert self.ends == self.job.replays + self.job.status.final
        if self.job.status.final:
            assert self.job.history[-1].event == self.job.status.value

    @invariant()
    def a_failed_job_says_why_and_where_it_is_kept(self) -> None:
        if self.job.status is Status.FAILED:
            assert self.job.error is not None
            assert self.job.dead_letter_id is not None
        if self.job.status is Status.COMPLETED:
            assert (self.job.error, self.job.results) == (None, {"n": 1})

    @invariant()
    def it_survives_being_written(self) -> None:
        assert Job.model_validate_json(self.job.to_json()) == self.job


def test_whatever_happens() -> None:
    run_state_machine_as_test(JobMachine, settings=settings(examples(60), stateful_step_count=70))


def test_a_long_history_keeps_its_first_entry_and_its_newest() -> None:
    job = new_job()
    for n in range(3 * HISTORY_LIMIT):
        job = apply(job, events.Claimed(START + timedelta(seconds=n), "m", START + LEASE))
    assert len(job.history) == HISTORY_LIMIT
    assert job.history[0].event == "submitted"
    assert [entry.attempt for entry in job.history[1:]] == list(range(2 * HISTORY_LIMIT + 2, 3 * HISTORY_LIMIT + 1))


def test_a_lapsed_claim_is_counted_apart_from_failures() -> None:
    job = apply(new_job(), events.Claimed(START, "a", START + LEASE))
    job = apply(job, events.Claimed(START, "b", START + LEASE))
    assert (job.stalls, job.failures, job.attempt, job.message_id) == (1, 0, 2, "b")


def test_progress_without_news_leaves_the_last_one_standing() -> None:
    job = apply(new_job(), events.Claimed(START, "a", START + LEASE))
    job = apply(job, events.Progressed(START, 1, START + LEASE, Progress(step="s", completed=1, total=2)))
    later = START + timedelta(seconds=30)
    job = apply(job, events.Progressed(later, 1, later + LEASE))
    assert job.progress == Progress(step="s", completed=1, total=2)
    assert job.due_at == later + LEASE


def test_a_stale_fence_is_superseded() -> None:
    job = apply(new_job(), events.Claimed(START, "a", START + LEASE))
    job = apply(job, events.Claimed(START, "b", START + LEASE))
    with pytest.raises(SupersededError, match="attempt 1 was superseded by attempt 2"):
        apply(job, events.Completed(START, 1, None))


def test_a_replay_with_another_payload_forgets_the_blob_of_the_old_one() -> None:
    job = apply(
        new_job().model_copy(update={"payload": None, "payload_blob": "b"}), events.Failed(START, failure(), "l")
    )
    assert apply(job, events.Replayed(START, "ann")).payload_blob == "b"
    edited = apply(job, events.Replayed(START, "ann", {"n": 2}, 3))
    assert (edited.payload, edited.payload_blob, edited.payload_version) == ({"n": 2}, None, 3)
    assert edited.history[-1].detail == "ann, payload edited"
