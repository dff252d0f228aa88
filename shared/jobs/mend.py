"""Mending: what the sweep does about a job that is past its time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Self

from shared.jobs.callbacks import Callbacks
from shared.jobs.concurrently import isolated
from shared.jobs.dependencies import Dependencies
from shared.jobs.errors import InvalidTransitionError
from shared.jobs.events import Resent
from shared.jobs.lines import Lines
from shared.jobs.log import LOG, about
from shared.jobs.model import Job, Priority, Status
from shared.storage import Versioned, iso

_NOT_SWEPT = "not swept: job=%s cause=%s"


class Watched(NamedTuple):
    """What the `watch` of a status blob says; in order of time. Without a kind, only the record can tell."""

    at: str
    job_id: str
    status: Status | None = None
    kind: str | None = None
    priority: Priority = Priority.NORMAL

    @classmethod
    def of(cls, job_id: str, text: str) -> Self:
        """Read it, as `Job.to_blob` writes it; of what does not look like that, only the moment."""
        match text.split(" "):
            case [at, status, kind, priority] if status in set(Status) and priority in set(Priority):
                return cls(at, job_id, Status(status), kind, Priority(priority))
            case [at, *_]:
                return cls(at, job_id)
        raise AssertionError("split never returns nothing")


@dataclass
class Report:
    """What a sweep, or a repair of the index, saw and did."""

    looked: int = 0
    resent: int = 0
    projected: int = 0
    waiting: int = 0
    """Jobs past their time whose message stands in a long line, or whose kind is paused or unknown."""
    orphans: int = 0
    """Jobs that were never made, of which blobs were left."""
    more: bool = False
    """Whether the time was up before everything was looked at."""


class Mender:
    """Sends messages again that should have come, and has outcomes told that were not; made anew for each sweep."""

    def __init__(
        self,
        deps: Dependencies,
        callbacks: Callbacks,
        report: Report,
        overdue: datetime,
        delay: timedelta = timedelta(0),
    ) -> None:
        """Take what is needed for one sweep.

        Args:
            deps: the ports.
            callbacks: has outcomes told.
            report: where it is counted.
            overdue: what should have happened before this moment has not.
            delay: after which messages that are sent again can be seen.
        """
        self._deps = deps
        self._callbacks = callbacks
        self._report = report
        self._overdue = overdue
        self._delay = delay
        self._lines = Lines(deps.queues)

    async def mend(self, watched: Watched) -> None:
        """See to one job; whatever is wrong with it does not keep the others from their turn.

        Raises:
            StorageError: storage fails.
        """
        self._report.looked += 1
        if watched.kind and not await self._worth_a_look(watched, watched.kind):
            self._report.waiting += 1
            return
        await self.look(watched.job_id)

    async def look(self, job_id: str) -> None:
        """See to a job that the index says is past its time, and bring the index up to date where it is not."""
        resent = await isolated(self._look(job_id), _NOT_SWEPT, job_id)
        self._report.resent += resent

    async def _worth_a_look(self, watched: Watched, kind: str) -> bool:
        """Judge without the record, so that a long line, or a long pause, costs no call for each job."""
        if kind not in self._deps.kinds or (await self._deps.pauses.of(kind)).paused:
            return False
        return watched.status is not Status.QUEUED or await self._passed(
            kind, watched.priority, watched.job_id, watched.at
        )

    async def _passed(self, kind: str, priority: Priority, job_id: str, at: str) -> bool:
        moment = iso(datetime.fromisoformat(at) + self._deps.timing.grace)
        return await self._lines.passed(self._deps.kinds.queue(kind, priority), job_id, moment)

    async def _look(self, job_id: str) -> bool:
        current = await self._deps.status.read(job_id)
        if current is None:
            return False
        job = current.value
        if job.watch_at is None or job.watch_at >= self._overdue:
            await self._deps.project(job)
            self._report.projected += 1
            return False
        if job.status.final:
            await self._deps.project((await self._callbacks.call(current)).value)
            return True
        if not await self._should_have_come(job, job.watch_at):
            self._report.waiting += 1
            return False
        return await self._resend(current)

    async def _should_have_come(self, job: Job, watch_at: datetime) -> bool:
        if job.cancel_requested:
            return True
        if (await self._deps.pauses.of(job.kind)).paused:
            return False
        if job.status is Status.RUNNING and not job.resends:
            return True  # the message of a worker that vanished stands in no line
        return await self._passed(job.kind, job.priority, job.job_id, iso(watch_at))

    async def _resend(self, current: Versioned[Job]) -> bool:
        now = self._deps.clock.now()
        try:
            current = await self._deps.status.change(current, Resent(now, now + self._patience(current.value)))
        except InvalidTransitionError:
            return False
        await self._deps.send(current, self._delay)
        await self._deps.project(current.value)
        LOG.warning("message sent again: %s status=%s", about(current.value), current.value.status)
        return True

    def _patience(self, job: Job) -> timedelta:
        """How long to wait before sending once more: doubling, since a message that is slow to come is not lost."""
        return self._deps.timing.grace * 2.0 ** min(job.resends, 10)
