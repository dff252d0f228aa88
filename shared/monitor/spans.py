"""From steps of jobs to spans."""

from __future__ import annotations

from collections.abc import Iterator

from shared.jobs.model import Job
from shared.jobs.tracing import Span, attempt, origin, submission
from shared.monitor.outcomes import attempt_ended

_FAILED = ("retried", "failed", "lapsed")


def spans_of(before: Job | None, after: Job) -> Iterator[Span]:
    """The spans that a step of a job has completed: its submission, or an attempt. Payloads and messages are in none."""
    attributes: dict[str, str | int] = {"nightshift.job.id": after.job_id, "nightshift.job.kind": after.kind}
    if before is None:
        yield Span(
            f"submit {after.kind}",
            "producer",
            submission(after),
            origin(after),
            after.created_at,
            after.created_at,
            attributes,
        )
    ended = attempt_ended(before, after)
    if before and ended and before.started_at:
        attributes |= {"nightshift.job.attempt": ended.number, "nightshift.job.outcome": ended.outcome}
        failed = ended.outcome in _FAILED
        if failed and after.error:
            attributes["error.type"] = after.error.type
        span = attempt(before, ended.number)
        yield Span(
            f"attempt {after.kind}", "consumer", span, submission(after), before.started_at, after.updated_at, attributes, failed
        )  # fmt: skip
