"""The alarms: pure functions from facts to what they say, and from one moment's board of alarms to the next.

An alarm starts as soon as its rule says `on`. It ends once its rule has said nothing but `off` for `CALM`; between the two
lies a band in which it stays as it is. So a value that dances around its threshold makes one alarm, not twenty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal

from shared.monitor.queues import QueueFacts
from shared.monitor.tally import KindTally

CALM = timedelta(minutes=10)
"""For how long a rule must say `off` before its alarm ends."""
_HIGHEST = 0.5
"""More dead letters than this for each job that ends are never usual, whatever the baseline."""

Level = Literal["on", "off", "hold"]


class Alarm(StrEnum):
    """The alarms, each with its runbook `docs/runbooks/{alarm}.md`."""

    DEAD_LETTER_RATIO = "dead-letter-ratio"
    MISSED_DIGEST = "missed-digest"
    TIMER_SILENT = "timer-silent"
    QUEUE_STUCK = "queue-stuck"
    POISON_FAILING = "poison-failing"
    LOOP_BLOCKED = "loop-blocked"


@dataclass(frozen=True, slots=True)
class Limits:
    """The thresholds, from the app's settings."""

    dead_letter_ratio: float = 0.05
    dead_letter_factor: float = 3.0
    dead_letter_minimum: int = 5
    queue_age: timedelta = timedelta(hours=24)
    poison_age: timedelta = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class TimerFacts:
    """How a timer does, as the ledger reports it."""

    name: str
    daily: bool
    """Whether it has to succeed within some time; otherwise it must miss no occurrence."""
    healthy: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Seen:
    """The oldest message of a queue at an earlier look."""

    at: datetime
    oldest_seconds: float


_BLOCKED = 60
"""Seconds in two hours for which event loops may stand still."""


@dataclass(frozen=True, slots=True)
class AlarmInputs:
    """What the alarms are evaluated from."""

    now: datetime
    window: KindTally
    """What happened to all jobs in this hour and the one before."""
    baseline: KindTally
    """What happened to them in the days before that."""
    timers: tuple[TimerFacts, ...] = ()
    queues: tuple[QueueFacts, ...] = ()
    seen: Mapping[str, Seen] = field(default_factory=dict)
    """Queues whose oldest message was too old at the last evaluation."""
    poison_put_back: int = 0
    """How often, in the window, a dead letter could not be recorded and was put back on its poison queue."""
    loop_blocked_seconds: int = 0
    """For how long, in the window, handlers kept the event loops of their processes from turning."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """What a rule says: the level, why, and the numbers that it rests on."""

    level: Level
    reason: str
    facts: Mapping[str, Any] = field(default_factory=dict)


def dead_letter_ratio(facts: AlarmInputs, limits: Limits) -> Assessment:
    """Dead letters for each job that ends, in the last hour, against the days before."""
    dead, ratio = _dead_letters(facts.window)
    usual_dead, usual = _dead_letters(facts.baseline)
    usual = usual if facts.baseline.ended >= 10 * limits.dead_letter_minimum or not usual_dead else 0.0
    threshold = max(limits.dead_letter_ratio, min(limits.dead_letter_factor * usual, _HIGHEST))
    numbers = {"dead_letters": dead, "ratio": round(ratio, 4), "baseline": round(usual, 4), "threshold": round(threshold, 4)}  # fmt: skip
    reason = f"{dead} dead letters since the last full hour but one, {ratio:.1%} of what ended; usual is {usual:.1%}, and more than {threshold:.1%} is too much"  # fmt: skip
    if dead >= limits.dead_letter_minimum and ratio > threshold:
        return Assessment("on", reason, numbers)
    calm = ratio <= threshold / 2 or 2 * dead < limits.dead_letter_minimum
    return Assessment("off" if calm else "hold", reason, numbers)


def missed_digest(facts: AlarmInputs, limits: Limits) -> Assessment:
    """A timer that must miss no occurrence has missed its latest one, or failed at it."""
    del limits
    return _timers([timer for timer in facts.timers if not timer.daily])


def timer_silent(facts: AlarmInputs, limits: Limits) -> Assessment:
    """A timer that has to succeed every so often has not."""
    del limits
    return _timers([timer for timer in facts.timers if timer.daily])


def queue_stuck(facts: AlarmInputs, limits: Limits) -> Assessment:
    """The oldest message of a queue is too old, and gets older: nobody has taken it since the last look."""
    old = _too_old(facts, limits)
    growing = [queue for queue in old if _grows(queue, facts)]
    numbers = {queue.name: round(queue.oldest_seconds or 0.0) for queue in old}
    if growing:
        return Assessment(
            "on", f"waiting for more than {_hours(limits.queue_age)}, and growing older: {_said(growing)}", numbers
        )
    if old:
        return Assessment("hold", f"waiting for more than {_hours(limits.queue_age)}: {_said(old)}", numbers)
    return Assessment("off", f"no message has been due for more than {_hours(limits.queue_age)}")


def poison_failing(facts: AlarmInputs, limits: Limits) -> Assessment:
    """Dead letters stay on their poison queue: the trigger that records them does not run, or cannot."""
    poison = [queue for queue in facts.queues if queue.poison and queue.messages]
    old = [queue for queue in poison if (queue.oldest_seconds or 0.0) >= limits.poison_age.total_seconds()]
    numbers = {queue.name: queue.messages for queue in poison} | {"put_back": facts.poison_put_back}
    if old:
        return Assessment(
            "on", f"not recorded for more than {limits.poison_age.total_seconds() / 60:.0f} min: {_said(old)}", numbers
        )
    if poison and facts.poison_put_back:
        return Assessment(
            "on", f"put back {facts.poison_put_back} times, since storage failed: {_said(poison)}", numbers
        )
    waiting = any(2 * (queue.oldest_seconds or 0.0) >= limits.poison_age.total_seconds() for queue in poison)
    return Assessment("hold" if waiting else "off", "every dead letter was recorded in time", numbers)


def loop_blocked(facts: AlarmInputs, limits: Limits) -> Assessment:
    """Handlers block the event loops of their processes: everything else in these stands still meanwhile."""
    del limits
    seconds = facts.loop_blocked_seconds
    reason = f"event loops stood still for {seconds} s since the last full hour but one; {_BLOCKED} s is too much"
    level: Level = "on" if seconds >= _BLOCKED else "hold" if 2 * seconds >= _BLOCKED else "off"
    return Assessment(level, reason, {"seconds": seconds})


RULES: Mapping[Alarm, Callable[[AlarmInputs, Limits], Assessment]] = {
    Alarm.DEAD_LETTER_RATIO: dead_letter_ratio,
    Alarm.MISSED_DIGEST: missed_digest,
    Alarm.TIMER_SILENT: timer_silent,
    Alarm.QUEUE_STUCK: queue_stuck,
    Alarm.POISON_FAILING: poison_failing,
    Alarm.LOOP_BLOCKED: loop_blocked,
}


@dataclass(frozen=True, slots=True)
class Standing:
    """How an alarm stands."""

    on: bool = False
    since: datetime | None = None
    """When it started, or ended; None: it never has."""
    change: int = 0
    """How often it has started or ended."""
    calm_since: datetime | None = None
    """Since when its rule has said `off`, and nothing else."""
    reason: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """An alarm started or ended, and this is still to be told."""

    alarm: Alarm
    standing: Standing


@dataclass(frozen=True, slots=True)
class Board:
    """All alarms at a moment, what is still to be told, and what the next evaluation compares with."""

    at: datetime | None = None
    standings: Mapping[Alarm, Standing] = field(default_factory=dict)
    untold: tuple[Change, ...] = ()
    seen: Mapping[str, Seen] = field(default_factory=dict)

    def of(self, alarm: Alarm) -> Standing:
        """How an alarm stands."""
        return self.standings.get(alarm, Standing())


def advance(board: Board, facts: AlarmInputs, limits: Limits) -> Board:
    """The board after an evaluation."""
    standings = {alarm: _next(board.of(alarm), rule(facts, limits), facts.now) for alarm, rule in RULES.items()}
    changes = (Change(alarm, now) for alarm, now in standings.items() if now.change > board.of(alarm).change)
    seen = {queue.name: Seen(facts.now, queue.oldest_seconds or 0.0) for queue in _too_old(facts, limits)}
    return Board(facts.now, standings, (*board.untold, *changes), seen)


def _next(standing: Standing, assessment: Assessment, now: datetime) -> Standing:
    calm_since = (standing.calm_since or now) if assessment.level == "off" else None
    said = replace(standing, calm_since=calm_since, reason=assessment.reason, facts=assessment.facts)
    calm = calm_since is not None and now - calm_since >= CALM
    turned = calm if standing.on else assessment.level == "on"
    return replace(said, on=not standing.on, since=now, change=standing.change + 1) if turned else said


def _dead_letters(tally: KindTally) -> tuple[int, float]:
    """How many there are, and how many for each job that ended; what was never a job counts as one that ended."""
    dead = tally.dead_letters.total()
    return dead, dead / max(tally.ended, dead, 1)


def _timers(timers: list[TimerFacts]) -> Assessment:
    ill = [timer for timer in timers if not timer.healthy]
    reason = "; ".join(f"{timer.name}: {timer.reason}" for timer in ill or timers)
    return Assessment(
        "on" if ill else "off", reason or "there is no such timer", {timer.name: timer.healthy for timer in timers}
    )


def _too_old(facts: AlarmInputs, limits: Limits) -> list[QueueFacts]:
    limit = limits.queue_age.total_seconds()
    return [queue for queue in facts.queues if not queue.poison and (queue.oldest_seconds or 0.0) > limit]


def _grows(queue: QueueFacts, facts: AlarmInputs) -> bool:
    """Whether the oldest message is the one of the last look, or as old: its age grew by at least half of the time since."""
    seen = facts.seen.get(queue.name)
    if seen is None or seen.at >= facts.now:
        return False
    return (queue.oldest_seconds or 0.0) - seen.oldest_seconds >= (facts.now - seen.at).total_seconds() / 2


def _said(queues: list[QueueFacts]) -> str:
    return ", ".join(
        f"{queue.name} ({queue.messages} messages, the oldest {_hours(timedelta(seconds=queue.oldest_seconds or 0.0))})"
        for queue in queues
    )


def _hours(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours:.0f} h" if hours >= 2 else f"{hours * 60:.0f} min"
