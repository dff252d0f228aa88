"""How long a job will probably still take."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.jobs.estimate import LONGEST_WAIT, Conditions, remaining
from shared.jobs.model import FanOut, Job, Progress, Status

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
DEFAULT = 2.0


def job(status: Status = Status.QUEUED, due: float = 0, **changes: Any) -> Job:
    return Job(
        job_id="j", kind="k", status=status, version=1, created_at=NOW, updated_at=NOW,
        due_at=NOW + timedelta(seconds=due), **changes,
    )  # fmt: skip


def running(since: float, completed: int = 0, total: int = 0) -> Job:
    progress = Progress(step="s", completed=completed, total=total) if total else None
    return job(Status.RUNNING, 60, started_at=NOW - timedelta(seconds=since), progress=progress)


def parent(since: float, made: float, completed: int, total: int) -> Job:
    """A job that is made of jobs, in one of its later attempts."""
    changes = {"created_at": NOW - timedelta(seconds=made), "fan_out": FanOut(plan="p", total=total)}
    return running(since, completed, total).model_copy(update=changes)


@pytest.mark.parametrize(
    ("one", "conditions", "expected"),
    [
        (job(), Conditions(), 2),  # nothing is known
        (job(), Conditions(usual=0.01), 1),
        (job(), Conditions(usual=10.2), 11),
        (job(), Conditions(usual=5, queue_age=30), 35),
        (job(due=-20), Conditions(usual=5, queue_age=30), 15),  # it has waited 20 of the 30 already
        (job(due=-40), Conditions(usual=5, queue_age=30), 5),
        (job(due=100), Conditions(usual=5), 105),
        (job(due=7 * 86400), Conditions(usual=5), LONGEST_WAIT),
        (job(), Conditions(usual=5, pause=30), 35),
        (running(since=4), Conditions(usual=10), 6),
        (running(since=30), Conditions(usual=10), 15),  # over its time: half as long again
        (running(since=30, completed=3, total=4), Conditions(usual=100), 10),
        (parent(since=1, made=200, completed=50, total=100), Conditions(usual=1), 200),
        (running(since=30, completed=0, total=4), Conditions(usual=100), 70),
        (running(since=30, completed=4, total=4), Conditions(usual=100), 1),
        (job(Status.COMPLETED), Conditions(usual=5), 0),
    ],
)
def test_an_estimate(one: Job, conditions: Conditions, expected: int) -> None:
    assert remaining(one, conditions, NOW, DEFAULT) == expected


@given(
    st.sampled_from([Status.QUEUED, Status.RUNNING]),
    st.floats(-1e6, 1e6),
    st.none() | st.floats(0, 1e6),
    st.floats(0, 1e6),
    st.none() | st.floats(0, 60),
    st.integers(-5, 10),
    st.integers(-5, 10),
)
def test_an_estimate_is_always_within_bounds(
    status: Status, due: float, usual: float | None, age: float, pause: float | None, completed: int, total: int
) -> None:
    one = job(status, due, progress=Progress(step="s", completed=completed, total=total))
    assert 1 <= remaining(one, Conditions(usual, age, pause), NOW, DEFAULT) <= LONGEST_WAIT
