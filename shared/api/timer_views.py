"""How timers and their occurrences look from outside."""

from __future__ import annotations

from typing import Any, NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from shared.api.schemas import Moment, Uuid
from shared.jobs.timers.health import Direction, TimerReport
from shared.jobs.timers.occurrence import Occurrence, State, Trigger
from shared.jobs.timers.timer import Missed
from shared.storage import iso

_CLOSED = ConfigDict(extra="forbid")


@with_config(_CLOSED)
class OccurrenceView(TypedDict):
    """One occurrence. `schedule` is absent where it was run by hand at a moment of its own."""

    timer: str
    scheduled_at: Moment
    state: State
    trigger: NotRequired[Trigger]
    schedule: NotRequired[str]
    created_at: Moment
    decided_at: Moment
    submitted_at: NotRequired[Moment]
    ended_at: NotRequired[Moment]
    lateness_seconds: NotRequired[float]
    duration_seconds: NotRequired[float]
    job_id: NotRequired[Uuid]
    reason: NotRequired[str]


@with_config(_CLOSED)
class OccurrencePage(TypedDict):
    """One page of occurrences, newest first."""

    items: list[OccurrenceView]
    cursor: str | None


@with_config(_CLOSED)
class UpcomingView(TypedDict):
    """An occurrence that is to come."""

    scheduled_at: Moment


@with_config(_CLOSED)
class UpcomingList(TypedDict):
    """Occurrences that are to come, the next one first."""

    items: list[UpcomingView]


@with_config(_CLOSED)
class TrendView(TypedDict):
    """How long the latest completed runs took, oldest first, and where it goes."""

    seconds: list[float]
    direction: Direction


@with_config(_CLOSED)
class TimerView(TypedDict):
    """How a timer does. `missed`, `failed` and `unfinished` are counted over its latest 50 occurrences."""

    name: str
    meaning: str
    kind: str
    policy: Missed
    schedule: str
    words: str
    next_at: NotRequired[Moment]
    last: NotRequired[OccurrenceView]
    last_success_at: NotRequired[Moment]
    lateness_seconds: NotRequired[float]
    missed: int
    failed: int
    unfinished: int
    durations: TrendView
    healthy: bool
    reason: str


@with_config(_CLOSED)
class TimerList(TypedDict):
    """Every timer, by name."""

    items: list[TimerView]


def timer_view(report: TimerReport) -> TimerView:
    """How a timer does."""
    view: TimerView = {
        "name": report.name,
        "meaning": report.meaning,
        "kind": report.kind,
        "policy": report.policy,
        "schedule": report.schedule,
        "words": report.words,
        "missed": report.missed,
        "failed": report.failed,
        "unfinished": report.unfinished,
        "durations": {"seconds": list(report.durations.seconds), "direction": report.durations.direction},
        "healthy": report.healthy,
        "reason": report.reason,
    }
    if report.next_at:
        view["next_at"] = iso(report.next_at)
    if report.last:
        view["last"] = occurrence_view(report.last)
    if report.last and report.last.lateness_seconds is not None:
        view["lateness_seconds"] = report.last.lateness_seconds
    if report.last_success_at:
        view["last_success_at"] = iso(report.last_success_at)
    return view


def occurrence_view(entry: Occurrence) -> OccurrenceView:
    """An occurrence, without what is the ledger's own."""
    shown: dict[str, Any] = {name: value for name, value in entry if value is not None and name != "watch_at"}
    for name in ("scheduled_at", "created_at", "decided_at", "submitted_at", "ended_at"):
        if name in shown:
            shown[name] = iso(shown[name])
    view: OccurrenceView = shown  # type: ignore[assignment] # a TypedDict by construction; a test holds it to the schema
    return view
