"""The metrics page: what is asked of the app's storage to make it, and how it is shown.

Counters and histograms are of the whole app, whichever instance answers: they add up what every process has written, and
count from midnight UTC on (their `_created`). No label can take more values than the app has kinds, queues, timers,
alarms and operations: whatever else turns up as a kind is `other`.
"""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.containers import JOBS
from shared.jobs.engine import Engine
from shared.jobs.model import Status
from shared.jobs.timers.health import TimerReport
from shared.jobs.timers.ledger import Ledger
from shared.monitor.alarms import Alarm, Board
from shared.monitor.openmetrics import Family, exposition
from shared.monitor.queues import QueueFacts, read_queues
from shared.monitor.stats import Stats
from shared.monitor.tally import Tally
from shared.monitor.watch import Watch
from shared.ports import Query, Where
from shared.storage import Cached

FRESH = timedelta(seconds=10)
"""How long a page is shared by all who ask."""
MOST = 1000
"""Jobs that have not ended are counted up to this number, since counting them reads them."""
_ACTIVE = (Status.QUEUED.value, Status.RUNNING.value)


@dataclass(frozen=True, slots=True)
class Measurements:
    """What the page is made of."""

    since: datetime
    tally: Tally
    active: Counter[tuple[str, str]]
    """Jobs that have not ended, by kind and state."""
    truncated: bool
    queues: list[QueueFacts]
    timers: list[TimerReport]
    board: Board


class Metrics:
    """Makes the page, at most once in `FRESH`."""

    def __init__(self, engine: Engine, ledger: Ledger, stats: Stats, watch: Watch) -> None:
        self._engine = engine
        self._ledger = ledger
        self._stats = stats
        self._watch = watch
        self._clock = engine.deps.clock
        self._last: Cached[str, bytes] = Cached(self._clock, FRESH, self._make)

    async def page(self) -> bytes:
        """The page. Besides two calls for each timer and one or two for each queue it costs three."""
        return await self._last.get("page")

    async def _make(self, _: str) -> bytes:
        return exposition(tuple(families(await self._gather())))

    async def _gather(self) -> Measurements:
        now = self._clock.now()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        tally = await self._stats.total(midnight, now + timedelta(hours=1))
        active, truncated = await self._active()
        board = await self._watch.last()
        return Measurements(
            midnight, tally, active, truncated, await read_queues(self._engine), await self._ledger.reports(), board
        )

    async def _active(self) -> tuple[Counter[tuple[str, str]], bool]:
        """What the sweep watches is what has not ended; in the order of the index, so that no more than `MOST` are read."""
        query = Query((Where("watch_at", ">", "0"),), order_by="watch_at", limit=MOST, fields=("kind", "status"))
        page = await self._engine.deps.documents.query(JOBS, query)
        known = self._stats.known
        active = Counter((known(item["kind"]), item["status"]) for item in page.items if item["status"] in _ACTIVE)
        return active, page.cursor is not None


def families(facts: Measurements) -> Iterator[Family]:
    """The metrics of the page."""
    yield Family("nightshift_build", "info", "What runs here.", [({"python": platform.python_version()}, 1)])
    yield from _jobs(facts)
    yield from _attempts(facts)
    yield from _mending(facts)
    yield from _queues(facts.queues)
    yield from _timers(facts.timers)
    calls = [_split(name, count) for name, count in sorted(facts.tally.calls.items())]
    yield Family(
        "nightshift_storage_transactions",
        "counter",
        "Requests to storage by the app (not by its host), by operation.",
        calls,
        facts.since,
    )
    alarms = [({"alarm": alarm.value}, int(facts.board.of(alarm).on)) for alarm in Alarm]
    yield Family("nightshift_alarm", "gauge", "1 while an alarm is on.", alarms)


def _jobs(facts: Measurements) -> Iterator[Family]:
    kinds = sorted(facts.tally.kinds.items())
    counts = [({"kind": kind, "event": event}, n) for kind, each in kinds for event, n in sorted(each.jobs.items())]
    yield Family(
        "nightshift_jobs",
        "counter",
        "Jobs that were submitted, replayed, or came to an end, by kind.",
        counts,
        facts.since,
    )
    active = [({"kind": kind, "state": state}, n) for (kind, state), n in sorted(facts.active.items())]
    yield Family("nightshift_jobs_active", "gauge", "Jobs that have not ended, by kind and state.", active)
    yield Family(
        "nightshift_jobs_active_truncated",
        "gauge",
        f"1 where there are more than {MOST}, of which the rest is not counted.",
        [({}, int(facts.truncated))],
    )


def _attempts(facts: Measurements) -> Iterator[Family]:
    kinds = sorted(facts.tally.kinds.items())
    durations = [
        ({"kind": kind, "outcome": outcome}, each)
        for kind, tally in kinds
        for outcome, each in sorted(tally.attempts.items())
    ]
    yield Family(
        "nightshift_attempt_duration_seconds",
        "histogram",
        "How long attempts took, by kind and outcome.",
        durations,
        facts.since,
    )
    waits = [({"kind": kind}, tally.waits) for kind, tally in kinds if tally.waits.count]
    yield Family(
        "nightshift_job_wait_seconds",
        "histogram",
        "How long jobs that were due waited for an attempt.",
        waits,
        facts.since,
    )
    retries = [({"kind": kind}, tally.retries) for kind, tally in kinds]
    yield Family(
        "nightshift_retries", "counter", "Attempts that failed and were followed by another.", retries, facts.since
    )
    dead = [
        ({"kind": kind, "reason": reason}, count)
        for kind, tally in kinds
        for reason, count in sorted(tally.dead_letters.items())
    ]
    yield Family(
        "nightshift_dead_letters", "counter", "Dead letters that were kept, by kind and reason.", dead, facts.since
    )


def _mending(facts: Measurements) -> Iterator[Family]:
    events = facts.tally.events
    yield Family(
        "nightshift_sweep_repairs",
        "counter",
        "What sweeps mended: messages sent again, index entries written.",
        [({"repair": each}, events[each]) for each in ("resent", "projected")],
        facts.since,
    )
    yield Family(
        "nightshift_put_back",
        "counter",
        "Messages sent anew because storage failed, by sort of queue.",
        [({"queue": "jobs"}, events["put_back"]), ({"queue": "poison"}, events["poison_put_back"])],
        facts.since,
    )
    yield Family(
        "nightshift_loop_blocked",
        "counter",
        "How often a handler kept the event loop of its process from turning for more than 2 s.",
        [({}, events["loop_blocked"])],
        facts.since,
    )
    yield Family(
        "nightshift_loop_blocked_seconds",
        "counter",
        "For how long event loops were kept from turning, such times alone.",
        [({}, events["loop_blocked_seconds"])],
        facts.since,
    )


def _queues(queues: Iterable[QueueFacts]) -> Iterator[Family]:
    jobs, poison = [each for each in queues if not each.poison], [each for each in queues if each.poison]
    for name, chosen, what in (("queue", jobs, "queue"), ("poison_queue", poison, "poison queue")):
        messages = [({"queue": each.name}, each.messages) for each in chosen]
        yield Family(f"nightshift_{name}_messages", "gauge", f"Messages on a {what}, hidden ones included.", messages)
        ages = [({"queue": each.name}, each.oldest_seconds) for each in chosen if each.oldest_seconds is not None]
        yield Family(f"nightshift_{name}_oldest_seconds", "gauge", f"Age of the oldest message of a {what}.", ages)


def _timers(reports: list[TimerReport]) -> Iterator[Family]:
    late = [
        ({"timer": each.name}, each.last.lateness_seconds)
        for each in reports
        if each.last and each.last.lateness_seconds is not None
    ]
    yield Family("nightshift_timer_lateness_seconds", "gauge", "How late the latest occurrence began.", late)
    success = [({"timer": each.name}, each.last_success_at.timestamp()) for each in reports if each.last_success_at]
    yield Family("nightshift_timer_last_success_timestamp_seconds", "gauge", "When a timer last succeeded.", success)
    healthy = [({"timer": each.name}, int(each.healthy)) for each in reports]
    yield Family("nightshift_timer_healthy", "gauge", "1 while a timer is healthy.", healthy)


def _split(name: str, count: int) -> tuple[dict[str, str], int]:
    service, _, operation = name.partition(".")
    return {"service": service, "operation": operation}, count
