"""Jobs that put themselves off, and cancelling jobs that have children."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.jobs.errors import SupersededError
from shared.jobs.events import Cancelled, CancelRequested, Failed, Replayed, Retried, Snoozed
from shared.jobs.machine import apply
from shared.jobs.model import Failure, FanOut, Job, Status

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
LATER = NOW + timedelta(seconds=30)
ERROR = Failure(type="Broken", message="on purpose", attempt=1, at=NOW)
FAN_OUT = FanOut(plan="jobs/x/plan-0.json", total=3, next=2, under_way=(0, 1))


def running(**changes: object) -> Job:
    job = Job(
        job_id="x",
        kind="work",
        status=Status.RUNNING,
        version=3,
        created_at=NOW,
        updated_at=NOW,
        due_at=LATER,
        attempt=1,
    )
    return job.model_copy(update=changes)


def test_a_snooze_is_no_failure_and_lasts_until_its_moment() -> None:
    job = apply(running(failures=2, message_id="m"), Snoozed(NOW, 1, LATER, "waits"))
    assert (job.status, job.failures, job.due_at, job.watch_at) == (Status.QUEUED, 2, LATER, LATER)
    assert (job.message_id, job.history[-1].event, job.history[-1].detail) == (None, "snoozed", "waits")


def test_only_the_current_attempt_snoozes() -> None:
    with pytest.raises(SupersededError):
        apply(running(attempt=2), Snoozed(NOW, 1, LATER))


def test_a_job_that_is_to_stop_does_not_snooze() -> None:
    assert apply(running(cancel_requested=True), Snoozed(NOW, 1, LATER)).status is Status.CANCELLED


@pytest.mark.parametrize("event", [Snoozed(NOW, 1, LATER), Retried(NOW, 1, ERROR, LATER)])
def test_a_job_with_children_is_cancelled_by_an_attempt_of_its_own(event: Snoozed | Retried) -> None:
    job = apply(running(cancel_requested=True, fan_out=FAN_OUT), event)
    assert (job.status, job.cancel_requested) == (Status.QUEUED, True)


def test_cancelling_a_waiting_job_with_children_wakes_it() -> None:
    waiting = running(status=Status.QUEUED, fan_out=FAN_OUT)
    job = apply(waiting, CancelRequested(NOW))
    assert (job.status, job.due_at, job.watch_at, job.cancel_requested) == (Status.QUEUED, NOW, NOW, True)
    assert apply(job.model_copy(update={"status": Status.RUNNING}), Cancelled(NOW, 1)).status is Status.CANCELLED


def test_a_replay_goes_on_with_the_fan_out_unless_the_payload_is_another() -> None:
    failed = apply(running(fan_out=FAN_OUT, payload={"n": 1}), Failed(NOW, ERROR, "d", 1))
    assert apply(failed, Replayed(LATER, "api")).fan_out == FAN_OUT
    assert apply(failed, Replayed(LATER, "api", {"n": 2}, 1)).fan_out is None
