"""How the app's condition looks from outside: whether it is ready, its statistics, its alarms."""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from shared.api.schemas import Moment
from shared.monitor.histogram import Histogram
from shared.monitor.stats import Hour
from shared.monitor.status import Condition, Dependency
from shared.monitor.tally import KindTally
from shared.monitor.workers import Role, Worker
from shared.settings import Settings
from shared.storage import iso

_CLOSED = ConfigDict(extra="forbid")


@with_config(_CLOSED)
class TroubleView(TypedDict):
    """What went wrong: a status or the name of an exception."""

    type: str
    at: Moment


@with_config(_CLOSED)
class DependencyView(TypedDict):
    """A service that the app depends on; `last_error` is what this instance met last, also where all is well by now."""

    name: str
    required: bool
    state: Literal["ok", "failing", "off", "not started"]
    latency_ms: NotRequired[float]
    last_error: NotRequired[TroubleView]


@with_config(_CLOSED)
class WorkerView(TypedDict):
    """A process outside of Functions."""

    id: int
    pid: int
    instance: str
    alive: bool


@with_config(_CLOSED)
class WorkersView(TypedDict):
    """Processes outside of Functions (`dev.py worker`): so many as are set, and those whose heart beats."""

    configured: int
    active: int
    workers: list[WorkerView]


@with_config(_CLOSED)
class StatusView(TypedDict):
    """Whether the app can do its work: 503 where a required dependency does not answer."""

    status: Literal["ready", "unready"]
    checked_at: Moment
    dependencies: list[DependencyView]
    worker_name: str
    processing_workers: WorkersView
    source_workers: WorkersView


@with_config(_CLOSED)
class HistogramView(TypedDict):
    """Durations in seconds: how many there are in each bucket (of `bounds`, and one beyond), and what that says."""

    count: int
    sum: float
    counts: list[int]
    p50: float | None
    p95: float | None
    p99: float | None


@with_config(_CLOSED)
class KindStatsView(TypedDict):
    """What happened to the jobs of a kind."""

    jobs: dict[str, int]
    retries: int
    dead_letters: dict[str, int]
    failure_rate: float | None
    durations: HistogramView
    waits: HistogramView
    attempts: dict[str, HistogramView]


@with_config(_CLOSED)
class HourView(TypedDict):
    """What happened in an hour, by kind; kinds to which nothing happened are left out."""

    hour: Moment
    kinds: dict[str, KindStatsView]
    events: dict[str, int]
    calls: dict[str, int]


@with_config(_CLOSED)
class StatsView(TypedDict):
    """Statistics, oldest hour first. `bounds`: upper bounds of the buckets, in seconds."""

    bounds: list[float]
    items: list[HourView]


@with_config(_CLOSED)
class AlarmView(TypedDict):
    """An alarm: since when it has been on, or off (not there where it never was on), and why."""

    alarm: Literal[
        "dead-letter-ratio", "missed-digest", "timer-silent", "queue-stuck", "poison-failing", "loop-blocked"
    ]
    state: Literal["on", "off"]
    since: NotRequired[Moment]
    reason: str
    facts: dict[str, Any]
    runbook: str


@with_config(_CLOSED)
class AlarmList(TypedDict):
    """Every alarm."""

    evaluated_at: Moment | None
    items: list[AlarmView]


def status_view(condition: Condition, settings: Settings, workers: list[Worker]) -> StatusView:
    """Whether the app can do its work, and who else does it."""
    return {
        "status": "ready" if condition.ready else "unready",
        "checked_at": iso(condition.at),
        "dependencies": [_dependency(each) for each in condition.dependencies],
        "worker_name": settings.worker_name,
        "processing_workers": workers_view("processing", settings.processing_workers, workers),
        "source_workers": workers_view("source", settings.source_workers, workers),
    }


def workers_view(role: Role, configured: int, workers: list[Worker]) -> WorkersView:
    """The processes of a role."""
    found: list[WorkerView] = [
        {"id": each.number, "pid": each.pid, "instance": each.instance, "alive": True}
        for each in workers
        if each.role == role
    ]
    return {"configured": configured, "active": len(found), "workers": found}


def _dependency(dependency: Dependency) -> DependencyView:
    view: DependencyView = {"name": dependency.name, "required": dependency.required, "state": dependency.state}
    if dependency.seconds is not None:
        view["latency_ms"] = round(dependency.seconds * 1000, 1)
    if dependency.last_error:
        view["last_error"] = {"type": dependency.last_error.type, "at": iso(dependency.last_error.at)}
    return view


def hour_view(hour: Hour) -> HourView:
    """What happened in an hour."""
    kinds = {name: _kind(tally) for name, tally in sorted(hour.tally.kinds.items())}
    return {"hour": iso(hour.at), "kinds": kinds, "events": dict(hour.tally.events), "calls": dict(hour.tally.calls)}


def _kind(tally: KindTally) -> KindStatsView:
    return {
        "jobs": dict(tally.jobs),
        "retries": tally.retries,
        "dead_letters": dict(tally.dead_letters),
        "failure_rate": tally.failure_rate,
        "durations": _histogram(tally.durations),
        "waits": _histogram(tally.waits),
        "attempts": {outcome: _histogram(each) for outcome, each in sorted(tally.attempts.items())},
    }


def _histogram(histogram: Histogram) -> HistogramView:
    p50, p95, p99 = (_rounded(histogram.percentile(share)) for share in (0.5, 0.95, 0.99))
    numbers = {"p50": p50, "p95": p95, "p99": p99}
    return {"count": histogram.count, "sum": round(histogram.sum, 3), "counts": histogram.counts, **numbers}  # type: ignore[typeddict-item]


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 4)
