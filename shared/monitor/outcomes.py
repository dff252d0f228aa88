"""What the step from one version of a job's record to the next says of its attempts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.jobs.model import Job, Status

_OUTCOMES: Mapping[str, str] = {
    "completed": "completed",
    "failed": "failed",
    "cancelled": "cancelled",
    "retry": "retried",
    "snoozed": "snoozed",
    "handed over": "handed_over",
    "released": "released",
    "storage failed": "let_down",
    "to give up": "released",
    "claimed after a lapse": "lapsed",
}
"""Outcomes of attempts by the entry that they leave in a job's history.

`released`: storage, or the host, kept it from its end. `let_down`: storage failed under the handler. `lapsed`: its worker
vanished. `snoozed`: it put itself off. `handed_over`: it goes on in the next attempt.
"""


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that has ended."""

    number: int
    outcome: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Step:
    """What the step from one version of a job to the next was."""

    passed: str | None
    """In the life of the job: `submitted`, `replayed`, `completed`, `failed`, `cancelled`, or none."""
    ended: Attempt | None
    """The attempt that it ended, if it ended one."""
    waited: float | None
    """For how many seconds the job had been due when it began an attempt, if it did; None after a stall."""


def step_of(before: Job | None, after: Job) -> Step:
    """What the step was."""
    return Step(_passed(before, after), attempt_ended(before, after), _waited(before, after))


def attempt_ended(before: Job | None, after: Job) -> Attempt | None:
    """The attempt that the step ended, if it ended one."""
    if before is None or before.status is not Status.RUNNING or before.started_at is None:
        return None
    outcome = _OUTCOMES.get(_event(before, after))
    if outcome is None:
        return None
    return Attempt(before.attempt, outcome, (after.updated_at - before.started_at).total_seconds())


def _waited(before: Job | None, after: Job) -> float | None:
    if before is None or before.status is not Status.QUEUED or after.status is not Status.RUNNING:
        return None
    return (after.updated_at - before.due_at).total_seconds()


def _passed(before: Job | None, after: Job) -> str | None:
    if before is None:
        return "submitted"
    if after.replays > before.replays:
        return "replayed"
    return after.status.value if after.status.final and not before.status.final else None


def _event(before: Job, after: Job) -> str:
    """The entry that the step has added: renewals of the lease and notes of progress add none."""
    return after.history[-1].event if after.history[-1:] != before.history[-1:] else ""
