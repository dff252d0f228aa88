"""How a timer does: a pure function from what the ledger holds of it to a report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Literal

from shared.jobs.timers.occurrence import Occurrence, State
from shared.jobs.timers.schedule import Schedule
from shared.jobs.timers.timer import Missed, Timer

LATEST = 50
"""Occurrences that a report looks at."""
_RECENT = 5
"""Durations that are compared with those before them."""
_CHANGE = 1.25
"""By which factor they must differ to be called slower or faster."""

Direction = Literal["steady", "slower", "faster"]


@dataclass(frozen=True, slots=True)
class Trend:
    """How long the latest completed runs took, oldest first, and where it goes."""

    seconds: tuple[float, ...] = ()
    direction: Direction = "steady"


@dataclass(frozen=True, slots=True)
class TimerReport:
    """How a timer does."""

    name: str
    meaning: str
    kind: str
    policy: Missed
    schedule: str
    words: str
    next_at: datetime | None
    last: Occurrence | None
    """The latest occurrence that was begun, by whomever."""
    last_success_at: datetime | None
    missed: int
    """How many of the latest `LATEST` occurrences were missed."""
    failed: int
    unfinished: int
    """How many have a job that has not ended."""
    durations: Trend
    healthy: bool
    reason: str


@dataclass(frozen=True, slots=True)
class TimerHistory:
    """What a report is made from. `occurrences` newest first, none of them in the future."""

    now: datetime
    grace: timedelta
    occurrences: Sequence[Occurrence]
    first_seen_at: datetime
    since: datetime
    """From when on occurrences of this schedule are expected."""
    off: bool = False


def report(timer: Timer, schedule: Schedule, history: TimerHistory) -> TimerReport:
    """How a timer does."""
    found = history.occurrences
    begun = [each for each in found if not each.state.passed_over]
    healthy, reason = health(timer, schedule, history)
    return TimerReport(
        name=timer.name,
        meaning=timer.meaning,
        kind=timer.kind,
        policy=timer.missed,
        schedule=schedule.expression,
        words=schedule.words,
        next_at=schedule.after(history.now),
        last=begun[0] if begun else None,
        last_success_at=_last_success(found),
        missed=_count(found, State.MISSED),
        failed=_count(found, State.FAILED),
        unfinished=_count(found, State.DUE) + _count(found, State.SUBMITTED),
        durations=trend([each.duration_seconds or 0.0 for each in reversed(found) if each.state is State.COMPLETED]),
        healthy=healthy,
        reason=reason,
    )


def health(timer: Timer, schedule: Schedule, history: TimerHistory) -> tuple[bool, str]:
    """Whether a timer is healthy, and why it is held to be so, in words."""
    if history.off:
        return True, "switched off: nothing is begun"
    if timer.healthy_for is None:
        return _latest_was_begun(schedule, history)
    last = _last_success(history.occurrences)
    age, bound = history.now - (last or history.first_seen_at), _hours(timer.healthy_for)
    what = (
        f"the last success was {_hours(age)} ago" if last else f"no success since it was first seen, {_hours(age)} ago"
    )
    if age > timer.healthy_for:
        return False, f"{what}; there should be one every {bound}"
    return True, f"{what}; unhealthy after {bound}"


def trend(seconds: Sequence[float]) -> Trend:
    """Where durations go, oldest first: the median of the latest few against that of those before."""
    recent, before = seconds[-_RECENT:], seconds[-4 * _RECENT : -_RECENT]
    if len(before) < _RECENT:
        return Trend(tuple(seconds))
    now, then = median(recent), median(before)
    if now > then * _CHANGE:
        return Trend(tuple(seconds), "slower")
    return Trend(tuple(seconds), "faster" if then > now * _CHANGE else "steady")


def _latest_was_begun(schedule: Schedule, history: TimerHistory) -> tuple[bool, str]:
    expected = schedule.latest(history.now - history.grace)
    if expected is None or expected <= history.since:
        return True, "no occurrence was due yet"
    found = next((each for each in history.occurrences if each.scheduled_at == expected), None)
    moment = f"the occurrence of {expected:%A %Y-%m-%d %H:%M} UTC"
    if found is None:
        return False, f"{moment} is not recorded: neither its trigger nor the accounting ran"
    if found.state in (State.MISSED, State.FAILED, State.DUE):
        return False, f"{moment} was {_SAID.get(found.state, found.state)}" + (
            f": {found.reason}" if found.reason else ""
        )
    return True, f"{moment} was {_SAID.get(found.state, found.state)}"


_SAID = {State.DUE: "taken, but has no job yet"}


def _last_success(found: Sequence[Occurrence]) -> datetime | None:
    return max((each.ended_at for each in found if each.state is State.COMPLETED and each.ended_at), default=None)


def _count(found: Sequence[Occurrence], state: State) -> int:
    return sum(each.state is state for each in found)


def _hours(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours / 24:.0f} days" if hours >= 96 else f"{hours:.0f} h"
