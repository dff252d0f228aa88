"""One scheduled moment of a timer, and what became of it: a value, and pure functions that make the next one.

    (nothing) -> due -> submitted -> completed
                            ^------> failed      a replay of the job leads back
    (nothing) -> missed | skipped -> due         by hand, or once a clock that ran ahead is set right

`due` is the receipt: from it on, the occurrence's job will be submitted, whoever comes by.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict

from shared.jobs.ids import derived_id
from shared.jobs.model import Job, Status
from shared.ports import Document
from shared.storage import iso

_EARLIEST_LOOK = timedelta(minutes=5)
_LOOK_SHARE = 24
"""A failed occurrence is looked at again, for a replay, after this share of the time since it failed."""


class State(StrEnum):
    """What became of an occurrence."""

    DUE = "due"
    """Taken; its job is about to be submitted."""
    SUBMITTED = "submitted"
    """It has a job, which has not ended."""
    COMPLETED = "completed"
    FAILED = "failed"
    """Its job failed, or was cancelled."""
    SKIPPED = "skipped"
    """Passed over, since a later one stands for it."""
    MISSED = "missed"
    """Nothing began it in time; made up by hand, or not at all."""

    @property
    def passed_over(self) -> bool:
        """Whether it was left without a job."""
        return self in (State.SKIPPED, State.MISSED)


class Trigger(StrEnum):
    """Why an occurrence was begun."""

    SCHEDULE = "schedule"
    CATCH_UP = "catch-up"
    """It was missed, and is made up for by the timer's policy."""
    MANUAL = "manual"


class Occurrence(BaseModel):
    """Everything that is known of an occurrence."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    timer: str
    scheduled_at: datetime
    state: State
    trigger: Trigger | None = None
    """Why it was begun, if it was."""
    schedule: str | None = None
    """The NCRONTAB expression that it is a moment of; None for a run by hand at a moment of its own."""
    created_at: datetime
    decided_at: datetime
    """When it was last decided whether it is run."""
    submitted_at: datetime | None = None
    ended_at: datetime | None = None
    lateness_seconds: float | None = None
    """From the scheduled moment to the submission of its job."""
    duration_seconds: float | None = None
    """From the submission of its job, or the last replay, to the end."""
    job_id: str | None = None
    reason: str | None = None
    """In words, where there is something to say."""
    watch_at: datetime | None = None
    """When the accounting is to look at it; None once nothing is left to do."""

    @property
    def awaits_job(self) -> bool:
        """Whether its job may have become something else than is written here."""
        return self.job_id is not None and self.watch_at is not None

    @property
    def id(self) -> str:
        """The id of its document."""
        return iso(self.scheduled_at)

    def document(self, now: datetime, keep: timedelta) -> Document:
        """Its document as written now: it expires after `keep`, but not while there is something left to do."""
        fields = self.model_dump(mode="json", exclude_none=True)
        moments = {name: iso(value) for name, value in self if isinstance(value, datetime)}
        expiry = {} if self.watch_at else {"ttl": int(keep.total_seconds()), "expires_at": iso(now + keep)}
        return {**fields, **moments, **expiry, "id": self.id, "pk": self.timer, "sort": f"{self.id} {self.timer}"}


def job_id_of(timer: str, moment: datetime) -> str:
    """The id of an occurrence's job: the same, whoever submits it."""
    return derived_id(moment, f"timer/{timer}/{iso(moment)}")


def taken(timer: str, moment: datetime, now: datetime, trigger: Trigger, schedule: str | None) -> Occurrence:
    """An occurrence that is to be run."""
    return Occurrence(
        timer=timer, scheduled_at=moment, state=State.DUE, trigger=trigger, schedule=schedule,
        created_at=now, decided_at=now, watch_at=now,
    )  # fmt: skip


def passed_over(
    timer: str, moment: datetime, now: datetime, state: State, schedule: str, reason: str
) -> Occurrence:  # fmt: skip
    """An occurrence that is left without a job: missed, or skipped."""
    return Occurrence(
        timer=timer, scheduled_at=moment, state=state, schedule=schedule,
        created_at=now, decided_at=now, reason=reason,
    )  # fmt: skip


def made_up(before: Occurrence, wanted: Occurrence) -> Occurrence:
    """An occurrence that was passed over, and is run after all."""
    reason = f"{before.state} before: {before.reason}"
    return wanted.model_copy(update={"created_at": before.created_at, "reason": reason})


def submitted(before: Occurrence, job: Job) -> Occurrence:
    """An occurrence whose job was taken in."""
    changes = {
        "state": State.SUBMITTED,
        "job_id": job.job_id,
        "submitted_at": job.created_at,
        "lateness_seconds": max(0.0, (job.created_at - before.scheduled_at).total_seconds()),
    }
    return before.model_copy(update=changes)


def settled(before: Occurrence, job: Job | None, now: datetime) -> Occurrence:
    """An occurrence by what its job has become; the same where that is no news."""
    if job is None:
        reason = f"the record of its job {before.job_id} is gone: what became of it is not known"
        return _ended(before, State.FAILED, before.ended_at or now, reason=reason, watch_at=None)
    if not job.status.final:
        return before if before.state is State.SUBMITTED else _replayed(before, now)
    if job.status is Status.COMPLETED:
        return _ended(before, State.COMPLETED, job.due_at, job, reason=_reason_once_completed(before), watch_at=None)
    if job.status is Status.CANCELLED:
        return _ended(before, State.FAILED, job.due_at, job, reason="its job was cancelled", watch_at=None)
    wait = max(_EARLIEST_LOOK, (now - job.due_at) / _LOOK_SHARE)
    return _ended(before, State.FAILED, job.due_at, job, reason=_why(job), watch_at=now + wait)


def _ended(before: Occurrence, state: State, at: datetime, job: Job | None = None, **changes: Any) -> Occurrence:
    duration = _duration(job) if job else before.duration_seconds
    return before.model_copy(update={"state": state, "ended_at": at, "duration_seconds": duration, **changes})


def _replayed(before: Occurrence, now: datetime) -> Occurrence:
    changes = {"state": State.SUBMITTED, "ended_at": None, "duration_seconds": None, "watch_at": now}
    return before.model_copy(update={**changes, "reason": "its job was replayed after it had failed"})


def _reason_once_completed(before: Occurrence) -> str | None:
    return "its job was replayed after it had failed" if before.state is State.FAILED else before.reason


def _why(job: Job) -> str:
    return f"its job failed: {job.error.type}" if job.error else "its job failed"


def _duration(job: Job) -> float:
    """How long the job's present life took."""
    begun = max((entry.at for entry in job.history if entry.event == "replayed"), default=job.created_at)
    return max(0.0, (job.due_at - begun).total_seconds())
