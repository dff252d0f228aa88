"""NCRONTAB: when a timer fires."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from devhost.timers import NEVER, Schedule, ScheduleError, Status, moved_status

DATA = Path(os.environ.get("NIGHTSHIFT_DATA", Path(__file__).parents[4] / "shared" / "data")) / "cron"
needs_data = pytest.mark.skipif(not DATA.exists(), reason=f"no NCRONTAB cases in {DATA}: set NIGHTSHIFT_DATA")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)  # a Thursday


def _rows(name: str) -> Iterator[dict[str, str]]:
    with (DATA / name).open(newline="") as file:
        yield from csv.DictReader(file)


@needs_data
def test_next_occurrences_of_the_reference_cases() -> None:
    wrong, cases = [], list(_rows("ncrontab_next.csv"))
    for case in cases:
        start = datetime.fromisoformat(case["from"]).replace(tzinfo=UTC)
        found = Schedule(case["expression"]).after(start)
        if found != datetime.fromisoformat(case["expected_next"]).replace(tzinfo=UTC):
            wrong.append((case, found))
    assert wrong == []
    assert len(cases) > 50


@needs_data
def test_the_invalid_reference_cases_are_refused() -> None:
    accepted, cases = [], list(_rows("ncrontab_invalid.csv"))
    for case in cases:
        try:
            Schedule(case["expression"])
        except ScheduleError:
            continue
        accepted.append(case["expression"])
    assert accepted == []
    assert len(cases) > 5


@pytest.mark.parametrize(
    "expression",
    ["", "* * * *", "* * * * * * *", "60 * * * * *", "* * * * * 7", "* * * * * 5-7", "0 0 L * *", "0 0 * * 5#2", "@daily",
     "00:05:00", "0 0 1W * *", "0 0 * * Foo", "0 0 mon * *"],
)  # fmt: skip
def test_what_the_host_would_not_take(expression: str) -> None:
    with pytest.raises(ScheduleError):
        Schedule(expression)


def test_both_day_fields_must_match() -> None:
    assert Schedule("0 0 0 13 * Fri").after(NOON) == datetime(2026, 2, 13, tzinfo=UTC)


def test_a_step_over_the_days_of_the_week_ends_on_saturday() -> None:
    schedule, moment, days = Schedule("0 0 0 * * 1/3"), NOON, []
    for _ in range(4):
        moment = schedule.after(moment) or NEVER
        days.append(moment.strftime("%a"))
    assert days == ["Mon", "Thu", "Mon", "Thu"]


def test_five_fields_have_no_seconds() -> None:
    assert Schedule("30 3 * * *").after(NOON) == Schedule("0 30 3 * * *").after(NOON)


def test_a_schedule_in_a_time_zone_follows_its_clock() -> None:
    schedule = Schedule("0 0 9 * * *", ZoneInfo("Europe/Berlin"))
    assert schedule.after(NOON) == datetime(2026, 1, 2, 8, tzinfo=UTC)
    assert schedule.after(datetime(2026, 7, 1, 12, tzinfo=UTC)) == datetime(2026, 7, 2, 7, tzinfo=UTC)


def test_a_day_that_never_comes() -> None:
    assert Schedule("0 0 0 31 2,4 Mon").after(NOON) is None


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
