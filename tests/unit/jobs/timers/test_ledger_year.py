"""A simulated year of the three timers: restarts, two instances, clocks that jump, outages, faults between storage calls."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from shared.jobs.timers.occurrence import Occurrence, State
from shared.jobs.timers.schedule import Schedule
from shared.jobs.timers.timer import Missed, Timer
from shared.settings import Settings
from support.timer_year import BEGIN, END, RULES, TIMERS, Chances, Year

pytestmark = pytest.mark.simulation

SLACK, PATIENCE, MARGIN = timedelta(seconds=2), timedelta(minutes=2), timedelta(minutes=1)


def schedule_of(timer: Timer) -> Schedule:
    return Schedule(timer.schedule(Settings()))


def began_in_time(year: Year, timer: Timer) -> set[datetime]:
    """Occurrences for which an undisturbed tick came on time, by the clock of the instance that it came to."""
    found = set()
    for asked in year.asked:
        moment = schedule_of(timer).latest(asked.at + SLACK)
        on_time = moment is not None and asked.at <= moment + RULES.grace - MARGIN
        if moment and on_time and asked.timer == timer.name and not asked.disturbed:
            found.add(moment)
    return found


def asked_in_time(year: Year, timer: Timer) -> set[datetime]:
    """Occurrences during whose grace anything at all was asked of the ledger about this timer."""
    found = set()
    for asked in year.asked:
        moment = schedule_of(timer).latest(asked.at + SLACK)
        if moment and asked.at <= moment + RULES.grace and asked.timer in (timer.name, None):
            found.add(moment)
    return found


def accounted(year: Year, timer: Timer) -> set[datetime]:
    """Occurrences that were the latest at an undisturbed accounting, and old enough for it to begin them."""
    schedule = schedule_of(timer)
    calls = [asked.at for asked in year.asked if asked.timer is None and not asked.disturbed]
    latest = [(schedule.latest(at - PATIENCE), schedule.latest(at + SLACK)) for at in calls]
    return {old for old, new in latest if old and old == new}


def check_each_once(year: Year, timer: Timer, entries: dict[datetime, Occurrence]) -> None:
    """Each occurrence is there, settled as the policy allows, and its job ran once if it was to run."""
    assert list(entries) == list(schedule_of(timer).between(BEGIN, year.end))
    passed_over = State.SKIPPED if timer.missed is Missed.ONCE else State.MISSED
    for moment, entry in entries.items():
        assert entry.state in (State.COMPLETED, passed_over), entry
        assert year.ran[timer.name, moment] == (entry.state is State.COMPLETED), entry
    jobs = [entry.job_id for entry in entries.values() if entry.job_id]
    assert len(set(jobs)) == len(jobs)


def check_policy(year: Year, timer: Timer, entries: dict[datetime, Occurrence]) -> None:
    """What was begun in time was run; what was not, was passed over; and something stands for what was skipped."""
    for moment in began_in_time(year, timer) & entries.keys():
        assert entries[moment].state is State.COMPLETED, entries[moment]
    if timer.missed is Missed.SKIP:
        for moment in entries.keys() - asked_in_time(year, timer):
            assert entries[moment].state is State.MISSED, entries[moment]
    for entry in entries.values():
        if entry.state is State.SKIPPED:
            stands = datetime.fromisoformat((entry.reason or "").split()[4])
            assert stands > entry.scheduled_at
            assert stands not in entries or entries[stands].state is State.COMPLETED


async def play(
    folder: Path, seed: int, chances: Chances, end: datetime = END
) -> tuple[Year, Counter[tuple[str, State]]]:
    year, states = Year(folder, seed, chances, end), Counter[tuple[str, State]]()
    await year.play()
    for timer in TIMERS:
        entries = {each.scheduled_at: each for each in await year.entries(timer.name) if each.scheduled_at <= end}
        check_each_once(year, timer, entries)
        check_policy(year, timer, entries)
        if not chances.jump and timer.missed is Missed.ONCE:
            for moment in accounted(year, timer) & entries.keys():
                assert entries[moment].state is State.COMPLETED, entries[moment]
        states.update((timer.name, each.state) for each in entries.values())
    await year.documents.close()
    return year, states


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
async def test_a_year_with_everything(tmp_path: Path, seed: int) -> None:
    year, states = await play(tmp_path, seed, Chances())
    assert {state for _, state in states} == {State.COMPLETED, State.SKIPPED, State.MISSED}
    assert sum(states.values()) == 365 + 365 + 52
    assert sum(asked.disturbed for asked in year.asked) > 300


@pytest.mark.slow
async def test_a_year_with_true_clocks(tmp_path: Path) -> None:
    _, states = await play(tmp_path, 11, Chances(jump=0))
    assert states["PluckItScraper", State.SKIPPED] > 0
    assert states["PluckItWeeklyDigest", State.MISSED] > 0


async def test_a_quiet_quarter_of_which_both_instances_take_each_part(tmp_path: Path) -> None:
    quiet = Chances(outage=0, jump=0, fault=0, restart=0, both=1, lost=0)
    _, states = await play(tmp_path, 12, quiet, BEGIN + timedelta(days=90))
    assert {state for _, state in states} == {State.COMPLETED}
