"""Traces: which span belongs to which, told by the record of a job alone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.jobs.model import Job, Status
from shared.jobs.tracing import SpanId, attempt, origin, submission, traceparent

NOW = datetime(2026, 11, 22, tzinfo=UTC)
TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def job(trace: str | None = None, attempts: int = 0, job_id: str = "j") -> Job:
    return Job(
        job_id=job_id, kind="work", status=Status.RUNNING, version=1, created_at=NOW, updated_at=NOW, due_at=NOW,
        attempt=attempts, trace=trace,
    )  # fmt: skip


def test_a_trace_goes_on() -> None:
    given = job(f"00-{TRACE}-{SPAN}-01", attempts=2)
    assert origin(given) == SpanId(int(TRACE, 16), int(SPAN, 16))
    ids = [submission(given), attempt(given, 1), attempt(given, 2)]
    assert {each.trace for each in ids} == {int(TRACE, 16)}
    assert len({each.span for each in ids}) == 3
    assert traceparent(given) == f"00-{TRACE}-{ids[2].span:016x}-01"
    assert [submission(given), attempt(given, 1), attempt(given, 2)] == ids


def test_what_was_passed_on_can_be_continued() -> None:
    parent = job(f"00-{TRACE}-{SPAN}-01", attempts=1)
    child = job(traceparent(parent), job_id="child")
    assert origin(child) == attempt(parent, 1)
    assert submission(child).trace == int(TRACE, 16)


def test_before_its_first_attempt_a_job_passes_on_its_submission() -> None:
    assert traceparent(job(f"00-{TRACE}-{SPAN}-01")) == submission(job(f"00-{TRACE}-{SPAN}-01")).traceparent


def test_who_does_not_want_to_be_recorded_is_not() -> None:
    given = job(f"00-{TRACE}-{SPAN}-00", attempts=1)
    assert not submission(given).sampled
    assert traceparent(given).endswith("-00")


@pytest.mark.parametrize(
    "trace",
    [
        None, "", "nonsense", f"00-{TRACE}-{SPAN}", f"ff-{TRACE}-{SPAN}-01", f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01", f"00-{TRACE.upper()}-{SPAN}-01", f"00-{TRACE}-{SPAN}-01\n",
    ],
)  # fmt: skip
def test_without_a_trace_each_job_has_its_own(trace: str | None) -> None:
    assert origin(job(trace)) is None
    assert submission(job(trace)).sampled
    assert submission(job(trace)).trace != submission(job(trace, job_id="k")).trace


def test_versions_to_come_may_say_more() -> None:
    assert origin(job(f"01-{TRACE}-{SPAN}-01-more")) == SpanId(int(TRACE, 16), int(SPAN, 16))
