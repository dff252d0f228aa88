"""Why a job is not running: each state of affairs has its reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.jobs.explain import Circumstances, explain
from shared.jobs.kept import KeptInfo, State
from shared.jobs.model import Failure, Job, Status
from shared.jobs.pauses import Pause

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
ERROR = Failure(type="Broken", message="on purpose", attempt=1, at=NOW)
CALLBACK: dict[str, Any] = {"callback_url": "https://example.org/"}
QUEUED, RUNNING = Status.QUEUED, Status.RUNNING
PAUSED: dict[str, Any] = {"pause": Pause(True, NOW - timedelta(hours=1), "the shop moves")}


def seconds(count: float) -> datetime:
    return NOW + timedelta(seconds=count)


def job(status: Status, due: float = 0, **changes: Any) -> Job:
    return Job(
        job_id="j", kind="k", status=status, version=1, created_at=NOW, updated_at=NOW, due_at=seconds(due),
        **{"watch_at": None if status.final else seconds(due), **changes},
    )  # fmt: skip


def circumstances(**changes: Any) -> Circumstances:
    given: dict[str, Any] = {
        "now": NOW, "queue": "jobs", "depth": 0, "queue_age": 0.0, "pause": Pause(), "known": True,
        "grace": timedelta(seconds=120), "sweep_schedule": "0 */5 * * * *",
    }  # fmt: skip
    return Circumstances(**{**given, **changes})


def kept(state: State) -> KeptInfo:
    return KeptInfo("page-1", effect=state is State.BEGUN, state=state, at=NOW, attempt=1, tries=2)


@pytest.mark.parametrize(
    ("one", "known", "codes"),
    [
        (job(QUEUED), {}, ["starting"]),
        (job(QUEUED), {"depth": 3}, ["backlog"]),
        (job(QUEUED, -110), {"depth": 3}, ["backlog"]),
        (job(QUEUED, -130), {"depth": 3}, ["message_lost"]),
        (job(QUEUED, -130), {"depth": 3, "queue_age": 200}, ["backlog"]),
        (job(QUEUED, -130, watch_at=seconds(100)), {"depth": 3}, ["backlog"]),  # the sweep has sent it again
        (job(QUEUED, 60), {}, ["not_before"]),
        (job(QUEUED, 60, failures=1, error=ERROR, attempt=1), {}, ["backoff"]),
        (job(QUEUED, 0, failures=1, error=ERROR, attempt=1), {}, ["starting"]),
        (job(QUEUED), PAUSED, ["paused"]),
        (job(QUEUED, 60), PAUSED, ["paused", "not_before"]),
        (job(QUEUED), {"known": False, "depth": 1}, ["unknown_kind"]),
        (job(RUNNING, 30, attempt=1), {}, ["running"]),
        (job(RUNNING, 30, attempt=1), PAUSED, ["running"]),
        (job(RUNNING, -1, attempt=1), {}, ["lease_ended"]),
        (job(RUNNING, 30, attempt=1, cancel_requested=True), {}, ["cancelling", "running"]),
        (job(Status.COMPLETED), {}, ["completed"]),
        (job(Status.CANCELLED), {}, ["cancelled"]),
        (job(Status.FAILED, error=ERROR, dead_letter_id="d"), {}, ["failed"]),
        (job(Status.COMPLETED, **CALLBACK), {}, ["completed", "callback_due"]),
        (job(Status.COMPLETED, **CALLBACK, callback_job_id="c"), {}, ["completed"]),
        (job(QUEUED, 60), {"kept": (kept(State.DONE), kept(State.WAITING))}, ["not_before", "step_waits", "steps"]),
        (job(RUNNING, 60), {"kept": (kept(State.WAITING), kept(State.BEGUN))}, ["running", "effect_unknown"]),
        (job(Status.FAILED), {"kept": (kept(State.NOT_DONE), kept(State.BEGUN))}, ["failed", "effect_unknown"]),
        (job(Status.COMPLETED), {"kept": (kept(State.DONE), kept(State.BEGUN))}, ["completed"]),
    ],
)
def test_each_state_has_its_reason(one: Job, known: dict[str, Any], codes: list[str]) -> None:
    reasons = explain(one, circumstances(**known))
    assert [reason.code for reason in reasons] == codes
    assert all(reason.text and reason.advice for reason in reasons)


@pytest.mark.parametrize(
    ("one", "known", "words"),
    [
        (job(QUEUED, 60, failures=1, error=ERROR, attempt=4), {}, ("Attempt 4", "Broken", "12:01:00Z")),
        (job(QUEUED), PAUSED, ("the shop moves", "11:00:00Z")),
        (job(QUEUED), {"depth": 17, "queue_age": 42.4}, ("17 messages", "42 s")),
        (job(RUNNING, 30, attempt=2, started_at=NOW), {}, ("Attempt 2", "12:00:30Z")),
        (job(Status.FAILED, error=ERROR), {}, ("Broken: on purpose",)),
    ],
)
def test_it_says_what_and_until_when(one: Job, known: dict[str, Any], words: tuple[str, ...]) -> None:
    text = explain(one, circumstances(**known))[0].text
    assert [word for word in words if word not in text] == [], text
