"""Retention: when a job may go, by its own record; how long everything else is kept.

Nothing unfinished or unreplayed ever goes. The rule is a pure function of the record; what else keeps a job (an open dead
letter, the job that it is a part of) the purge looks up (`shared.jobs.purge`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.jobs.dead_letters.vault import KEEP
from shared.jobs.model import Job, Status

_MONTH = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Retention:
    """How long what is done with is kept."""

    completed: timedelta = _MONTH
    cancelled: timedelta = _MONTH
    discarded: timedelta = _MONTH
    """A failed job, from the moment at which its dead letter was discarded; before, for ever."""
    vault: timedelta = KEEP
    """A dead letter, from its last replay or from when it was discarded; before, for ever."""
    artifacts: timedelta = timedelta(days=400)
    """What jobs wrote beside their status."""
    remembered: timedelta = timedelta(days=1)
    """How long an idempotency key leads to its job."""

    @classmethod
    def of(cls, settings: Any) -> Retention:
        """As an app's settings say; the defaults where there are no settings."""
        if settings is None:
            return cls()
        return cls(
            completed=timedelta(days=settings.retention_completed_days),
            cancelled=timedelta(days=settings.retention_cancelled_days),
            discarded=timedelta(days=settings.retention_discarded_days),
            vault=timedelta(days=settings.retention_vault_days),
            artifacts=timedelta(days=settings.retention_artifact_days),
            remembered=timedelta(seconds=settings.idempotency_ttl_seconds),
        )

    def of_status(self, status: Status) -> timedelta:
        """How long a job of a final state is kept."""
        return {
            Status.COMPLETED: self.completed, Status.CANCELLED: self.cancelled, Status.FAILED: self.discarded
        }[status]  # fmt: skip


def expires_at(job: Job, retention: Retention, dedupe: timedelta = timedelta(0)) -> datetime | None:
    """When a job may go as it stands; None: never.

    A job outlives the keys that lead to it: without it, they would make a second one.

    Args:
        job: the record.
        retention: how long jobs are kept.
        dedupe: how long a dedupe key of its kind is remembered.
    """
    if not job.status.final or job.callback_due:
        return None
    ended = job.discarded_at if job.status is Status.FAILED else job.due_at
    return ended and ended + max(retention.of_status(job.status), retention.remembered, dedupe)
