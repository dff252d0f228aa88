"""How a timer does, by what the ledger holds of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.jobs.timers.health import TimerHistory, Trend, report, trend
from shared.jobs.timers.occurrence import Occurrence, State, Trigger
from shared.jobs.timers.schedule import Schedule
from shared.jobs.timers.timer import Missed, Timer
from shared.settings import Settings

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
NINE, DAY, HOUR = NOW.replace(hour=9), timedelta(days=1), timedelta(hours=1)
DAILY = Timer("D", lambda settings: "0 0 7 * * *", "work", Missed.ONCE, "Works.", healthy_for=36 * HOUR)
WEEKLY = Timer("W", lambda settings: "0 0 9 * * 1", "work", Missed.SKIP, "Works.")


def entry(at: datetime, state: State, took: float = 60) -> Occurrence:
    ended = at + timedelta(seconds=took) if state in (State.COMPLETED, State.FAILED) else None
    return Occurrence(
        timer="T", scheduled_at=at, state=state, created_at=at, decided_at=at, ended_at=ended, schedule="x",
        trigger=None if state.passed_over else Trigger.SCHEDULE, duration_seconds=took if ended else None,
    )  # fmt: skip


def history(*found: Occurrence, now: datetime = NOW, since: datetime = NOW - 90 * DAY) -> TimerHistory:
    return TimerHistory(now, timedelta(minutes=15), found, since, since)


def health(timer: Timer, known: TimerHistory) -> bool:
    return report(timer, Schedule(timer.schedule(Settings())), known).healthy


@pytest.mark.parametrize(("hours", "healthy"), [(1, True), (35.9, True), (36.1, False), (400, False)])
def test_a_daily_timer_needs_a_success_in_36_hours(hours: float, healthy: bool) -> None:
    success = entry(NOW - hours * HOUR - timedelta(seconds=60), State.COMPLETED)
    assert health(DAILY, history(entry(NOW, State.FAILED), success)) is healthy


@pytest.mark.parametrize(("hours", "healthy"), [(35, True), (37, False)])
def test_a_daily_timer_that_never_ran_is_noticed(hours: float, healthy: bool) -> None:
    assert health(DAILY, history(since=NOW - hours * HOUR)) is healthy


@pytest.mark.parametrize("state", list(State))
def test_a_weekly_timer_is_judged_by_its_latest_occurrence(state: State) -> None:
    bad = {State.MISSED, State.FAILED, State.DUE}
    assert health(WEEKLY, history(entry(NINE, state), entry(NINE - 7 * DAY, State.COMPLETED))) is (state not in bad)


def test_a_monday_that_is_not_recorded_is_unhealthy_once_the_grace_is_over() -> None:
    before = entry(NINE - 7 * DAY, State.COMPLETED)
    assert not health(WEEKLY, history(before))
    assert health(WEEKLY, history(before, now=NINE + timedelta(minutes=14)))
    assert health(WEEKLY, history(since=NINE + HOUR))


def test_a_run_by_hand_does_not_stand_for_a_missed_monday_but_making_it_up_does() -> None:
    by_hand = entry(NINE + HOUR, State.COMPLETED).model_copy(update={"schedule": None})
    assert not health(WEEKLY, history(by_hand, entry(NINE, State.MISSED)))
    assert health(WEEKLY, history(entry(NINE, State.COMPLETED)))


def test_the_report_counts_and_names() -> None:
    found = report(
        WEEKLY,
        Schedule("0 0 9 * * 1"),
        history(
            entry(NINE, State.MISSED), entry(NINE - 7 * DAY, State.SUBMITTED), entry(NINE - 14 * DAY, State.FAILED)
        ),
    )
    assert (found.missed, found.failed, found.unfinished, found.last_success_at) == (1, 1, 1, None)
    assert found.last
    assert (found.last.scheduled_at, found.next_at) == (NINE - 7 * DAY, NINE + 7 * DAY)
    assert found.reason == "the occurrence of Monday 2026-03-02 09:00 UTC was missed"


@pytest.mark.parametrize(
    ("seconds", "direction"),
    [([], "steady"), ([1] * 9, "steady"), ([10] * 15 + [11] * 5, "steady"), ([10] * 15 + [20] * 5, "slower"),
     ([20] * 15 + [10] * 5, "faster"), ([10] * 15 + [10, 10, 10, 10, 99], "steady")],
)  # fmt: skip
def test_where_durations_go(seconds: list[float], direction: str) -> None:
    assert trend(seconds).direction == direction
    assert isinstance(trend(seconds), Trend)
