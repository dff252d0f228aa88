"""Estimates: how long a job will probably still take, from bounded and remembered looks at its queue and its kind's past."""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.containers import JOBS
from shared.jobs.dependencies import Dependencies
from shared.jobs.ids import prefixes
from shared.jobs.lines import visible_at
from shared.jobs.model import Job, Status
from shared.ports import Query, Where
from shared.storage import Cached

LONGEST_WAIT = 300
"""Seconds that a client is told to wait at most."""
_PAUSE = 30.0
"""Seconds after which it is worth asking again about a job of a paused kind."""
_SAMPLES = 20
"""Completed jobs of a kind from which its usual duration is taken, if they are of the last day."""
_PAST = timedelta(days=1)
_DURATION_FRESH = timedelta(seconds=60)
_AGE_FRESH = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Conditions:
    """What is known besides the job: how long its kind usually takes and its queue has kept the first in line waiting."""

    usual: float | None = None
    """Seconds from claim to completion; None where no job of the kind has completed."""
    queue_age: float = 0.0
    """Seconds that the message at the head of the queue has been due."""
    pause: float | None = None
    """Seconds that a job of a paused kind waits at the least; None where it is not paused."""


def remaining(job: Job, conditions: Conditions, now: datetime, default: float) -> int:
    """Whole seconds until a job will probably have ended, from 1 to `LONGEST_WAIT`; 0 where it has.

    Args:
        job: the job.
        conditions: what is known besides it.
        now: the present moment.
        default: the duration of a kind of which nothing is known.
    """
    if job.status.final:
        return 0
    usual = default if conditions.usual is None else conditions.usual
    seconds = _running(job, usual, now) if job.status is Status.RUNNING else _queued(job, conditions, usual, now)
    return max(1, min(LONGEST_WAIT, math.ceil(seconds)))


def _queued(job: Job, conditions: Conditions, usual: float, now: datetime) -> float:
    until_due = (job.due_at - now).total_seconds()
    line = max(0.0, conditions.queue_age + min(until_due, 0.0))  # it has waited some of that already
    return max(until_due, conditions.pause or 0.0, line) + usual


def _running(job: Job, usual: float, now: datetime) -> float:
    elapsed = (now - (job.started_at or job.updated_at)).total_seconds()
    progress = job.progress
    if progress and 0 < progress.completed <= progress.total:
        if job.fan_out:  # its children ended in all its attempts together
            elapsed = (now - job.created_at).total_seconds()
        return elapsed * (progress.total - progress.completed) / progress.completed
    # Longer than usual: wait longer and longer, since nothing says when it will end.
    return usual - elapsed if elapsed < usual else elapsed / 2


class Estimator:
    """Estimates, from at most one query a minute for each kind and one look every five seconds at each queue."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps
        self._usual: Cached[str, float | None] = Cached(
            deps.clock, _DURATION_FRESH, self._read_usual, _nothing, "estimate"
        )
        self._age: Cached[str, float | None] = Cached(deps.clock, _AGE_FRESH, self._read_age, _nothing, "estimate")

    async def remaining(self, job: Job) -> int:
        """Whole seconds until a job will probably have ended; see `remaining`. Never fails, and never costs much."""
        if job.status.final:
            return 0
        default = float(getattr(self._deps.settings, "retry_after_seconds", 2))
        return remaining(job, await self.conditions(job), self._deps.clock.now(), default)

    async def conditions(self, job: Job) -> Conditions:
        """What bears on how long a job will take."""
        usual = await self._usual.get(job.kind)
        if job.status is Status.RUNNING or job.kind not in self._deps.kinds:
            return Conditions(usual)
        age = await self._age.get(self._deps.kinds.queue(job.kind, job.priority))
        paused = (await self._deps.pauses.of(job.kind)).paused
        return Conditions(usual, age or 0.0, _PAUSE if paused else None)

    async def age(self, queue: str) -> float | None:
        """Seconds that the message at the head of a queue has been due; None where none is waiting."""
        return await self._age.get(queue)

    async def _read_usual(self, kind: str) -> float | None:
        since = self._deps.clock.now() - _PAST
        recent = Where("id", ">=", prefixes(since, since)[0])
        where = (Where("kind", "=", kind), Where("status", "=", Status.COMPLETED.value), recent)
        page = await self._deps.documents.query(JOBS, Query(where, descending=True, limit=_SAMPLES))
        jobs = [(item["due_at"], item["started_at"]) for item in page.items if "started_at" in item]
        spans = [datetime.fromisoformat(end) - datetime.fromisoformat(start) for end, start in jobs]
        return statistics.median(span.total_seconds() for span in spans) if spans else None

    async def _read_age(self, queue: str) -> float | None:
        messages = await self._deps.queues.peek(queue, 1)
        return max(0.0, (self._deps.clock.now() - visible_at(messages[0])).total_seconds()) if messages else None


def _nothing() -> None:
    """What is known of a kind or a queue of which nothing is known."""
