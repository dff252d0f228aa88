"""The kept state of a schedule, and what an edit does to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from devhost.timers import NEVER, Status, moved_status
from shared.jobs.timers.schedule import Schedule

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)  # a Thursday


@pytest.mark.parametrize(
    ("expression", "monitored"),
    [("0 * * * * *", True), ("0 0 3 * * Mon", True), ("*/30 * * * * *", False), ("0,30 0 3 * * *", False)],
)
def test_state_is_kept_for_schedules_of_at_most_once_a_minute(expression: str, monitored: bool) -> None:
    assert Schedule(expression).is_monitored is monitored


def test_an_unedited_schedule_keeps_its_state() -> None:
    schedule = Schedule("0 0 * * * *")
    kept = Status(NOON, NOON + timedelta(hours=1), NOON)
    assert moved_status(kept, schedule, NOON + timedelta(days=1)) is None


def test_an_edited_schedule_is_reckoned_anew_and_not_past_due() -> None:
    kept = Status(NOON, NOON + timedelta(hours=1), NOON)
    now = NOON + timedelta(days=1, minutes=5)
    moved = moved_status(kept, Schedule("0 30 * * * *"), now)
    assert moved == Status(NEVER, NOON + timedelta(days=1, minutes=30), now)


def test_a_schedule_that_was_kept_but_never_ran_is_reckoned_from_when_it_was_kept() -> None:
    kept = Status(NEVER, NOON + timedelta(hours=1), NOON + timedelta(minutes=10))
    assert moved_status(kept, Schedule("0 0 * * * *"), NOON + timedelta(days=1)) is None


def test_state_survives_its_blob() -> None:
    status = Status(NEVER, NOON, NOON + timedelta(microseconds=5))
    assert Status.from_json(status.to_json()) == status
