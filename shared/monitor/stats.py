"""Statistics: what happened to jobs hour by hour, kept so that reading them never looks at jobs.

Each process counts in memory and writes what it counted into a document of its own for each hour: nobody contends, and
writing twice what was counted once changes nothing. Whoever reads adds the documents up: their number depends on hours
and processes, not on jobs. Between two writes lie at least `STATS_FLUSH_SECONDS`, so that a process that dies loses that
much of its counts, and never a job.

Example::

    hours = await app.stats.read(now - timedelta(days=1), now)
    for hour in hours:
        for kind, tally in hour.tally.kinds.items():
            print(hour.at, kind, tally.jobs["completed"], tally.failure_rate, tally.durations.percentile(0.95))
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from shared.containers import OPERATIONS
from shared.jobs.dead_letters.vault import DeadLetter
from shared.jobs.model import Job
from shared.monitor.outcomes import step_of
from shared.monitor.tally import OTHER, Tally, tally_of
from shared.ports import Clock, Document, DocumentStore, Query, StorageError, Where
from shared.storage import every, iso

LOG = logging.getLogger("nightshift.monitor")

HOUR = timedelta(hours=1)
_NEVER = datetime.max.replace(tzinfo=UTC)
_SETTLED = timedelta(minutes=10)
"""How long after its end an hour may still be written to: then it is read once, and remembered."""
_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Hour:
    """What all processes counted in the hour that begins at `at`."""

    at: datetime
    tally: Tally


class Stats:
    """Counts what the engine tells (`shared.jobs.observe.Observer`), and reads what all processes have counted."""

    def __init__(
        self,
        documents: DocumentStore,
        clock: Clock,
        kinds: Iterable[str],
        keep: timedelta = timedelta(days=35),
    ) -> None:
        """Count for one process; nothing is written but by `flush`, `tick` and `close`, unless it is started.

        Args:
            documents: where the counts are kept.
            clock: the time.
            kinds: the names that may stand as kinds; all others are counted as one.
            keep: for how long an hour is kept.
        """
        self._documents = documents
        self._clock = clock
        self._kinds = frozenset(kinds)
        self._calls: Mapping[str, int] = {}
        self._called: Counter[str] = Counter()
        self._flush_seconds: float | None = None
        self._keep = keep
        self._process = uuid4().hex[:12]
        self._live: dict[datetime, Tally] = {}
        self._versions: Counter[datetime] = Counter()
        self._unwritten: set[datetime] = set()
        self._urgent = False
        self._past: dict[datetime, Tally] = {}
        self._later: asyncio.Task[None] | None = None
        self._flushing = asyncio.Lock()

    def start(self, calls: Mapping[str, int], flush_seconds: float) -> None:
        """Write on the running event loop, `flush_seconds` after a count, and count storage transactions too.

        Args:
            calls: the transactions of this process so far, by operation; it grows.
            flush_seconds: what is counted meanwhile is written together.
        """
        self._calls, self._flush_seconds = calls, flush_seconds

    def changed(self, before: Job | None, after: Job) -> None:
        """Count what a step of a job was."""
        step = step_of(before, after)
        if step.passed or step.ended or step.waited is not None:
            self._now().count(self.known(after.kind), step)
            self._flush_later()

    def dead_lettered(self, letter: DeadLetter) -> None:
        """Count a dead letter."""
        self._now().kind(self.known(letter.kind)).dead_letters[letter.reason.value] += 1
        self._flush_later()

    def happened(self, event: str, count: int = 1) -> None:
        """Count something that concerns no single job. A sweep that mended nothing is not worth a write of its own."""
        if count:
            self._now().events[event] += count
        if count and event != "sweeps":
            self._flush_later()

    def known(self, kind: str | None) -> str:
        """The kind under which something is counted: what is not in the registry shares one name."""
        return kind if kind in self._kinds else OTHER

    async def read(self, since: datetime, until: datetime) -> tuple[Hour, ...]:
        """Every hour that overlaps with the time from `since` until `until`, oldest first, empty ones included.

        What this process counted is in it up to now; of others, what they have written. One query for each 1,000
        documents (hours times processes) that are not remembered from before.

        Raises:
            StorageError: the documents could not be read.
        """
        now = self._clock.now()
        first = max(floor(since), floor(now - self._keep))
        hours = [first + n * HOUR for n in range(_hours_between(first, min(until, floor(now) + HOUR)))]
        wanted = [hour for hour in hours if hour not in self._past]
        self._count_calls()
        found = await self._read(wanted[0], wanted[-1]) if wanted else {}
        self._remember({hour: found.get(hour, Tally()) for hour in wanted}, now)
        return tuple(Hour(hour, self._past[hour] if hour in self._past else found.get(hour, Tally())) for hour in hours)

    async def total(self, since: datetime, until: datetime) -> Tally:
        """All hours that overlap with the time, in one."""
        total = Tally()
        for hour in await self.read(since, until):
            total.merge(hour.tally)
        return total

    async def flush(self) -> None:
        """Write what is not written yet. Where the store does not answer, it is kept for the next time."""
        self._count_calls()
        self._urgent = False
        await self._write_all(_NEVER)

    async def tick(self) -> None:
        """Write what should not wait any longer; for a timer. An idle process writes once an hour, its transactions."""
        if self._urgent:
            await self.flush()
        else:
            self._count_calls()
            await self._write_all(floor(self._clock.now()))

    async def close(self) -> None:
        """Write what is left."""
        if self._later is not None:
            self._later.cancel()
            self._later = None
        await self.flush()

    def _now(self) -> Tally:
        hour = floor(self._clock.now())
        self._unwritten.add(hour)
        return self._live.setdefault(hour, Tally())

    def _flush_later(self) -> None:
        self._urgent = True
        if self._flush_seconds is not None and self._later is None:
            self._later = asyncio.get_running_loop().create_task(self._wait_and_flush(self._flush_seconds))

    async def _wait_and_flush(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._later = None
        await self.flush()

    def _count_calls(self) -> None:
        pending = Counter(self._calls) - self._called
        if pending:
            self._now().calls.update(pending)
            self._called.update(pending)

    async def _write_all(self, before: datetime) -> None:
        async with self._flushing:
            for hour in sorted(hour for hour in self._unwritten if hour < before):
                if not await self._write(hour):
                    return
            self._forget()

    async def _write(self, hour: datetime) -> bool:
        self._unwritten.discard(hour)
        self._versions[hour] += 1
        try:
            await self._documents.put_newer(OPERATIONS, self._document(hour))
        except StorageError as error:
            self._unwritten.add(hour)
            self._urgent = True
            LOG.warning("statistics not written: hour=%s cause=%s", iso(hour), type(error).__name__)
            return False
        return True

    def _document(self, hour: datetime) -> Document:
        name = f"{_prefix(hour)}~{self._process}"
        keys = {"id": name, "pk": name, "version": self._versions[hour], "ttl": int(self._keep.total_seconds())}
        return {**keys, "hour": iso(hour), **self._live[hour].to_json()}

    async def _read(self, first: datetime, last: datetime) -> dict[datetime, Tally]:
        """The hours of the documents, with this process's own counts as they stand in memory."""
        found: dict[datetime, Tally] = {}
        for document in await self._documents_of(first, last):
            hour = datetime.fromisoformat(document["hour"])
            if not (hour in self._live and document["id"].endswith(self._process)):
                found.setdefault(hour, Tally()).merge(tally_of(document))
        for hour, tally in self._live.items():
            if first <= hour <= last:
                found.setdefault(hour, Tally()).merge(tally)
        return found

    async def _documents_of(self, first: datetime, last: datetime) -> list[Document]:
        where = (Where("id", ">=", _prefix(first)), Where("id", "<", _prefix(last + HOUR)))
        return [each async for each in every(self._documents, OPERATIONS, Query(where, limit=_PAGE))]

    def _remember(self, found: Mapping[datetime, Tally], now: datetime) -> None:
        self._past |= {hour: tally for hour, tally in found.items() if hour + HOUR + _SETTLED < now}
        for hour in [hour for hour in self._past if hour < now - self._keep - HOUR]:
            del self._past[hour]

    def _forget(self) -> None:
        """Let go of hours that are over and written."""
        current = floor(self._clock.now())
        for hour in [hour for hour in self._live if hour < current and hour not in self._unwritten]:
            del self._live[hour]
            del self._versions[hour]


def floor(moment: datetime) -> datetime:
    """The beginning of the hour."""
    return moment.replace(minute=0, second=0, microsecond=0)


def _hours_between(first: datetime, until: datetime) -> int:
    """How many hours begin in [first, until)."""
    return max(0, -((first - until) // HOUR))


def _prefix(hour: datetime) -> str:
    return f"stats~{hour:%Y-%m-%dT%H}"
