"""A job with a callback is watched until the callback's job is made, once for each of its lives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.jobs.callbacks import id_of
from shared.jobs.errors import InvalidTransitionError
from shared.jobs.events import CalledBack, Cancelled, CancelRequested, Completed, Failed, Replayed, Retried
from shared.jobs.machine import apply
from shared.jobs.model import Failure, Job, Status, summary

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
LATER = NOW + timedelta(seconds=5)
ERROR = Failure(type="Broken", message="on purpose", attempt=1, at=NOW)
ENDINGS = (
    Completed(NOW, 1, {"n": 1}),
    Failed(NOW, ERROR, "letter", 1),
    Failed(NOW, ERROR, "letter"),
    Cancelled(NOW, 1),
)


def running(**changes: Any) -> Job:
    given: dict[str, Any] = {"status": Status.RUNNING, "callback_url": "https://example.org/?secret", **changes}
    moments: dict[str, Any] = dict.fromkeys(("created_at", "updated_at", "due_at", "watch_at"), NOW)
    return Job(job_id="j", kind="k", version=2, attempt=1, **moments, **given)


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda ending: type(ending).__name__)
def test_it_is_watched_until_it_is_told(ending: Any) -> None:
    job = apply(running(), ending)
    assert (job.callback_due, job.watch_at) == (True, NOW)
    told = apply(job, CalledBack(LATER, 0, "callback"))
    assert (told.callback_due, told.watch_at, told.callback_job_id) == (False, None, "callback")
    assert (told.version, told.due_at, told.history) == (job.version + 1, job.due_at, job.history)
    with pytest.raises(InvalidTransitionError):
        apply(told, CalledBack(LATER, 0, "callback"))


@pytest.mark.parametrize("ending", ENDINGS, ids=lambda ending: type(ending).__name__)
def test_who_wants_no_callback_is_left_alone(ending: Any) -> None:
    job = apply(running(callback_url=None), ending)
    assert (job.callback_due, job.watch_at) == (False, None)
    with pytest.raises(InvalidTransitionError):
        apply(job, CalledBack(LATER, 0, "callback"))


def test_a_queued_job_that_is_cancelled_and_one_that_fails_after_it_was_are_told() -> None:
    queued = running(status=Status.QUEUED)
    assert apply(queued, CancelRequested(NOW)).callback_due
    assert apply(running(cancel_requested=True), Retried(NOW, 1, ERROR, LATER)).callback_due


def test_a_job_that_has_not_ended_has_nothing_to_tell() -> None:
    with pytest.raises(InvalidTransitionError):
        apply(running(), CalledBack(LATER, 0, "callback"))


def test_each_life_is_told_for_itself() -> None:
    failed = apply(running(), Failed(NOW, ERROR, "letter", 1))
    with pytest.raises(InvalidTransitionError):
        apply(failed, Replayed(LATER, "test"))
    told = apply(failed, CalledBack(NOW, 0, id_of(failed)))
    again = apply(told, Replayed(LATER, "test"))
    assert (again.status, again.callback_job_id, again.watch_at) == (Status.QUEUED, None, LATER)
    second = apply(again, CancelRequested(LATER))
    assert second.callback_due
    assert id_of(second) != id_of(failed)
    with pytest.raises(InvalidTransitionError):
        apply(second, CalledBack(LATER, 0, "a late one of the first life"))


def test_the_index_does_not_hold_the_address() -> None:
    assert "secret" not in str(summary(running()))
