"""NCRONTAB: which moments a schedule names, forwards and backwards, and how it is told in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.jobs.timers.schedule import Schedule, ScheduleError

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)  # a Thursday
YEAR = timedelta(days=366)


def field(low: int, high: int) -> st.SearchStrategy[str]:
    """A field as people write it."""
    number = st.integers(low, high)
    span = st.tuples(number, number).map(lambda ends: f"{min(ends)}-{max(ends)}")
    step = st.tuples(st.one_of(st.just("*"), span, number.map(str)), st.integers(1, high)).map("{0[0]}/{0[1]}".format)
    term = st.one_of(number.map(str), span, step)
    return st.one_of(st.just("*"), st.lists(term, min_size=1, max_size=3).map(",".join))


SCHEDULES = st.builds(
    lambda *fields: Schedule(" ".join(fields)),
    field(0, 59), field(0, 59), field(0, 23), field(1, 28), field(1, 12), st.just("*"),
) | st.builds(
    lambda *fields: Schedule(" ".join(fields)),
    field(0, 59), field(0, 59), field(0, 23), st.just("*"), field(1, 12), field(0, 6),
)  # fmt: skip
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1)).map(lambda moment: moment.replace(tzinfo=UTC))  # noqa: DTZ001


def the(moment: datetime | None) -> datetime:
    """A moment that there must be."""
    assert moment is not None
    return moment


@given(SCHEDULES, MOMENTS)
def test_back_and_forth_lead_to_the_same_occurrence(schedule: Schedule, moment: datetime) -> None:
    following, previous = the(schedule.after(moment)), the(schedule.before(moment))
    assert previous < moment < following
    assert schedule.before(following) == the(schedule.latest(moment))
    assert schedule.after(previous) == (moment if moment in schedule else following)
    assert following in schedule
    assert previous in schedule


@given(SCHEDULES, MOMENTS, st.timedeltas(timedelta(seconds=1), timedelta(hours=3)))
def test_between_is_ordered_and_leaves_none_out(schedule: Schedule, start: datetime, span: timedelta) -> None:
    found = list(schedule.between(start, start + span))
    assert found == sorted(set(found))
    first = (start + timedelta(seconds=1)).replace(microsecond=0)
    every = [first + timedelta(seconds=n) for n in range(int(span.total_seconds()) + 2)]
    inside = set(every[:: max(1, len(every) // 50)]) | set(found[:50])  # each second would take its time
    expected = {moment for moment in inside if start < moment <= start + span and moment in schedule}
    assert expected == inside & set(found)
    for earlier, later in pairwise(found[:50]):
        assert schedule.after(earlier) == later


@given(SCHEDULES, MOMENTS)
def test_both_ends_of_between(schedule: Schedule, moment: datetime) -> None:
    following = the(schedule.after(moment))
    assert list(schedule.between(moment, following)) == [following]
    assert list(schedule.between(following, following)) == []


@given(SCHEDULES)
def test_every_schedule_can_be_told(schedule: Schedule) -> None:
    assert schedule.words


def test_both_day_fields_must_match() -> None:
    schedule = Schedule("0 0 0 13 * Fri")
    assert schedule.after(NOON) == datetime(2026, 2, 13, tzinfo=UTC)
    assert schedule.before(NOON) == datetime(2025, 6, 13, tzinfo=UTC)


def test_a_step_over_the_days_of_the_week_ends_on_saturday() -> None:
    schedule, moment, days = Schedule("0 0 0 * * 1/3"), NOON, []
    for _ in range(4):
        moment = the(schedule.after(moment))
        days.append(moment.strftime("%a"))
    assert days == ["Mon", "Thu", "Mon", "Thu"]


def test_five_fields_have_no_seconds() -> None:
    assert Schedule("30 3 * * *").after(NOON) == Schedule("0 30 3 * * *").after(NOON)


def test_a_range_that_is_written_backwards_is_read_forwards() -> None:
    assert Schedule("0 0 22-6 * * *").after(NOON) == NOON + timedelta(hours=1)


@pytest.mark.parametrize("expression", ["0 0 0 31 2 *", "0 0 0 31 2,4 Mon", "0 0 0 30 2 1-5"])
def test_a_day_that_never_comes(expression: str) -> None:
    schedule = Schedule(expression)
    assert schedule.after(NOON) is None
    assert schedule.latest(NOON) is None
    assert list(schedule.between(NOON, NOON + YEAR)) == []


def test_the_ends_of_the_calendar() -> None:
    schedule = Schedule("0 0 7 * * *")
    assert schedule.after(datetime(9999, 12, 31, 12, tzinfo=UTC)) is None
    assert schedule.before(datetime(1, 1, 1, 1, tzinfo=UTC)) is None


def test_a_schedule_in_a_time_zone_follows_its_clock_both_ways() -> None:
    schedule = Schedule("0 0 9 * * *", ZoneInfo("Europe/Berlin"))
    assert schedule.after(NOON) == datetime(2026, 1, 2, 8, tzinfo=UTC)
    assert schedule.before(datetime(2026, 7, 1, 12, tzinfo=UTC)) == datetime(2026, 7, 1, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("0 0 7 * * *", "At 07:00 every day"),
        ("0 0 9 * * 1", "At 09:00 on Monday"),
        ("0 0 9 * * Mon", "At 09:00 on Monday"),
        ("0 */5 * * * *", "Every fifth minute of every hour"),
        ("30 3 * * *", "At 03:30 every day"),
        ("0 30 3 13 * 5", "At 03:30 on the 13th day of every month, but only on Friday"),
        ("0 0 9 1-7 * Mon", "At 09:00 on every day of month from 1 through 7, but only on Monday"),
        ("0 0 6,18 * * 1-5", "At 06:00 and 18:00 on Monday through Friday"),
    ],
)
def test_in_words(expression: str, words: str) -> None:
    assert Schedule(expression).words == words


@pytest.mark.parametrize(
    "expression",
    ["", "* * * *", "* * * * * * *", "60 * * * * *", "* * * * * 7", "* * * * * 5-7", "0 0 L * *", "0 0 * * 5#2", "@daily",
     "00:05:00", "0 0 1W * *", "0 0 * * Foo", "0 0 mon * *", "0 0 0 * * ?"],
)  # fmt: skip
def test_what_the_host_would_not_take(expression: str) -> None:
    with pytest.raises(ScheduleError):
        Schedule(expression)


@pytest.mark.parametrize(
    ("expression", "same"),
    [
        ("0 0 9 * * 6/1", "0 0 9 * * 6"),  # from Saturday to the end of the week
        ("0 0 9 * * Sat/1", "0 0 9 * * 6"),
        ("0 0 22/1 * * *", "0 0 22,23 * * *"),
        ("0 0 3-3/2 * * *", "0 0 3 * * *"),  # a range of one value
        ("0 30-30/7 * * * *", "0 30 * * * *"),
        ("0 0 9 * * 5/2", "0 0 9 * * 5"),
        ("0 0 9 * * 4/2", "0 0 9 * * 4,6"),
        ("0 0 20/2 * * *", "0 0 20,22 * * *"),
        ("0 0 22-6/8 * * *", "0 0 6,14,22 * * *"),
        ("0 0 21/0 * * *", "0 0 21-23 * * *"),
        ("0 0/20,58/1 * * * *", "0 0,20,40,58,59 * * * *"),
        ("  0  0 9 * * 1 ", "0 0 9 * * 1"),
    ],
)
def test_steps_and_ranges_are_the_hosts(expression: str, same: str) -> None:
    span = NOON, NOON + timedelta(days=20)
    assert list(Schedule(expression).between(*span)) == list(Schedule(same).between(*span)) != []


@pytest.mark.parametrize(
    "expression",
    ["0\t0 9 * * 1", "0 0 9 * * 1\n", "\t0 0 9 * * 1", "0 0 9\u00a0* * 1 *", "0 0 9 * *\u20031 *", "0 0 9 * * 1/2/3", "0 0 /5 * * *",
     "0 0 -5 * * *", "0 0 5/ * * *", "0 0 \u0669 * * *", "0 0 5-/2 * * *", "0 0 9 * * 1,"],
)  # fmt: skip
def test_what_the_host_refuses_is_refused(expression: str) -> None:
    with pytest.raises(ScheduleError):
        Schedule(expression)
