"""The alarms: each threshold from both sides, and that no value makes them flap."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.monitor.alarms import (
    CALM,
    Alarm,
    AlarmInputs,
    Board,
    Level,
    Limits,
    Seen,
    TimerFacts,
    advance,
    dead_letter_ratio,
    loop_blocked,
    missed_digest,
    poison_failing,
    queue_stuck,
    timer_silent,
)  # fmt: skip
from shared.monitor.queues import QueueFacts
from shared.monitor.tally import KindTally

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
LIMITS = Limits()
DAY = 86400.0


def tally(ended: int, dead: int = 0) -> KindTally:
    return KindTally(
        Counter(completed=ended - min(dead, ended), failed=min(dead, ended)), dead_letters=Counter(exhausted=dead)
    )


def facts(**given: Any) -> AlarmInputs:
    return AlarmInputs(**{"now": NOW, "window": tally(0), "baseline": tally(0), **given})


@pytest.mark.parametrize(
    ("ended", "dead", "usual_ended", "usual_dead", "level"),
    [
        (0, 0, 0, 0, "off"),
        (100, 5, 0, 0, "hold"),  # exactly the ratio
        (100, 6, 0, 0, "on"),
        (4, 4, 0, 0, "hold"),  # too few to say anything
        (5, 5, 0, 0, "on"),
        (0, 5, 0, 0, "on"),  # messages that never were jobs
        (1000, 25, 0, 0, "off"),  # half the ratio
        (1000, 26, 0, 0, "hold"),
        (2, 2, 0, 0, "off"),  # fewer than half of what says anything
        (100, 12, 1000, 40, "hold"),  # three times what is usual
        (100, 13, 1000, 40, "on"),
        (100, 13, 20, 10, "on"),  # a baseline of a few jobs says nothing
        (100, 51, 1000, 900, "on"),  # more than half is never usual
        (100, 50, 1000, 900, "hold"),
    ],
)
def test_dead_letter_ratio(ended: int, dead: int, usual_ended: int, usual_dead: int, level: Level) -> None:
    given = facts(window=tally(ended, dead), baseline=tally(usual_ended, usual_dead))
    assert dead_letter_ratio(given, LIMITS).level == level


@pytest.mark.parametrize("rule", [missed_digest, timer_silent])
@pytest.mark.parametrize(
    ("timers", "levels"),
    [
        ([], ("off", "off")),
        ([("digest", False, True), ("moods", True, True)], ("off", "off")),
        ([("digest", False, False), ("moods", True, True)], ("on", "off")),
        ([("digest", False, True), ("moods", True, True), ("scraper", True, False)], ("off", "on")),
    ],
)
def test_timers(rule: Any, timers: list[tuple[str, bool, bool]], levels: tuple[Level, Level]) -> None:
    given = facts(timers=tuple(TimerFacts(name, daily, healthy, f"said of {name}") for name, daily, healthy in timers))
    assessment = rule(given, LIMITS)
    assert assessment.level == levels[rule is timer_silent]
    for name, daily, healthy in timers:
        concerned = daily is (rule is timer_silent)
        assert (f"{name}: said of {name}" in assessment.reason) == (
            concerned and (not healthy or assessment.level == "off")
        )


@pytest.mark.parametrize(
    ("age", "seen", "level"),
    [
        (None, None, "off"),
        (DAY, DAY - 300, "off"),  # exactly a day
        (DAY + 1, None, "hold"),  # too old; whether it grows is not known yet
        (DAY + 1, DAY + 1 - 300, "on"),
        (2 * DAY, 2 * DAY - 150, "on"),
        (2 * DAY, 2 * DAY - 149, "hold"),  # the queue moves on
        (2 * DAY, 3 * DAY, "hold"),
    ],
)
def test_queue_stuck(age: float | None, seen: float | None, level: Level) -> None:
    queues = (
        QueueFacts("jobs", False, 3, age),
        QueueFacts("jobs-low", False, 0),
        QueueFacts("jobs-poison", True, 1, 9 * DAY),
    )
    before = {"jobs": Seen(NOW - timedelta(minutes=5), seen)} if seen is not None else {}
    assessment = queue_stuck(facts(queues=queues, seen=before), LIMITS)
    assert assessment.level == level
    assert ("jobs (3 messages, the oldest" in assessment.reason) == (level != "off")


def test_a_look_at_the_same_moment_says_nothing_of_growth() -> None:
    queues = (QueueFacts("jobs", False, 3, 2 * DAY),)
    assert queue_stuck(facts(queues=queues, seen={"jobs": Seen(NOW, DAY)}), LIMITS).level == "hold"


@pytest.mark.parametrize(
    ("messages", "age", "put_back", "level"),
    [
        (0, None, 0, "off"),
        (0, None, 3, "off"),  # all of them were recorded in the end
        (1, 10.0, 0, "off"),
        (1, 449.0, 0, "off"),
        (1, 450.0, 0, "hold"),
        (1, 899.0, 0, "hold"),
        (1, 900.0, 0, "on"),
        (1, None, 1, "on"),  # hidden until it is tried again
        (1, None, 0, "off"),
    ],
)
def test_poison_failing(messages: int, age: float | None, put_back: int, level: Level) -> None:
    queues = (QueueFacts("jobs-poison", True, messages, age), QueueFacts("jobs", False, 9, 9 * DAY))
    assert poison_failing(facts(queues=queues, poison_put_back=put_back), LIMITS).level == level


@pytest.mark.parametrize(("seconds", "level"), [(0, "off"), (29, "off"), (30, "hold"), (59, "hold"), (60, "on")])
def test_loop_blocked(seconds: int, level: Level) -> None:
    assert loop_blocked(facts(loop_blocked_seconds=seconds), LIMITS).level == level


def poison(level: Level, at: datetime) -> AlarmInputs:
    age = {"on": 900.0, "hold": 600.0, "off": 0.0}[level]
    return facts(now=at, queues=(QueueFacts("jobs-poison", True, 1, age),))


def test_an_alarm_starts_at_once_and_ends_after_a_calm() -> None:
    board, at = Board(), NOW
    history: list[bool] = []
    levels: tuple[Level, ...] = ("off", "on", "off", "hold", "off", "off", "off", "off", "on")
    for level in levels:
        board = advance(board, poison(level, at), LIMITS)
        history.append(board.of(Alarm.POISON_FAILING).on)
        at += timedelta(minutes=5)
    assert history == [False, True, True, True, True, True, False, False, True]
    assert [(each.alarm, each.standing.on, each.standing.change) for each in board.untold] == [
        (Alarm.POISON_FAILING, True, 1), (Alarm.POISON_FAILING, False, 2), (Alarm.POISON_FAILING, True, 3),
    ]  # fmt: skip
    assert board.of(Alarm.POISON_FAILING).since == at - timedelta(minutes=5)


@given(st.lists(st.tuples(st.sampled_from(("on", "hold", "off")), st.integers(10, 900)), max_size=60))
def test_no_alarm_flaps(course: list[tuple[Level, int]]) -> None:
    """It ends only after a calm in which nothing else was said, so two starts lie at least that far apart."""
    board, at = Board(), NOW
    for level, seconds in course:
        before = board.of(Alarm.POISON_FAILING)
        at += timedelta(seconds=seconds)
        board = advance(board, poison(level, at), LIMITS)
        now = board.of(Alarm.POISON_FAILING)
        assert now.on or level != "on"
        assert now.change - before.change == (now.on != before.on)
        if before.on and not now.on:
            assert now.since is not None
            assert before.calm_since is not None
            assert now.since - before.calm_since >= CALM
    assert len(board.untold) == board.of(Alarm.POISON_FAILING).change


def test_the_next_evaluation_compares_with_what_was_too_old() -> None:
    queues = (QueueFacts("jobs", False, 1, 2 * DAY), QueueFacts("jobs-low", False, 1, 10.0))
    board = advance(Board(), facts(queues=queues), LIMITS)
    assert board.seen == {"jobs": Seen(NOW, 2 * DAY)}
    assert not board.of(Alarm.QUEUE_STUCK).on
    later = facts(
        now=NOW + timedelta(minutes=5), queues=(QueueFacts("jobs", False, 1, 2 * DAY + 300),), seen=board.seen
    )
    assert advance(board, later, LIMITS).of(Alarm.QUEUE_STUCK).on
