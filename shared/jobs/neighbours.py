"""The attempts that run in one process: who may be the cause, were it to die.

A process that dies takes all its attempts along, and only one of them, or none, is the cause. So a worker that vanished counts
fully only against a job that was alone under suspicion. At first every job of the process is; those that die together
come back apart, one after the other: whichever kills the next process is then beside jobs over which no worker has vanished, and
counts alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from shared.jobs.concurrently import run_all
from shared.jobs.context import JobContext
from shared.jobs.model import Job, Status

_KEPT = timedelta(minutes=10)
"""How long a turn is kept for a job that does not come for it: another process has it."""


class Neighbours:
    """The attempts of this process."""

    def __init__(self, now: Callable[[], datetime], probation: timedelta) -> None:
        """Say what tells the time, and how long a suspect has its turn: until its lease is renewed, with who runs beside it."""
        self._now = now
        self._probation = probation
        self.running: set[JobContext] = set()
        """Whoever ends an attempt takes it out."""
        self._claiming: dict[str, Job] = {}
        self._turns: dict[str, datetime] = {}
        self._next = now()
        self._last = ""

    def turn(self, job: Job) -> datetime | None:
        """When a job may be tried over which a worker has vanished; None: now. No other job has the same turn."""
        if job.status is not Status.RUNNING or job.cancel_requested:
            return None
        now = self._now()
        self._turns = {job_id: at for job_id, at in self._turns.items() if at > now - _KEPT}
        if job.job_id not in self._turns:
            at = now if self._last == job.job_id else max(now, self._next)
            # Put back, it has another message, which waits for the end of the lease: turns before that would all be missed,
            # and those who missed them come at once.
            self._turns[job.job_id] = max(at, job.due_at) if at > now else at
            self._next, self._last = self._turns[job.job_id] + self._probation, job.job_id
        at = self._turns[job.job_id]
        return at if at > now else None

    def beside(self, job: Job, *, stalled: bool = False) -> int:
        """How many other attempts may be the cause as well as this job's: of a suspect's neighbours, only suspects."""
        suspect = job.suspect or stalled
        here = {**self._claiming, **{each.job_id: each.job for each in self.running}}
        others = [other for job_id, other in here.items() if job_id != job.job_id]
        return sum(other.suspect or not suspect for other in others)

    @contextmanager
    def claiming(self, job: Job) -> Iterator[int]:
        """A job is being claimed: it counts from now on. Yields how many are beside it."""
        self._claiming[job.job_id] = job
        try:
            yield self.beside(job, stalled=job.status is Status.RUNNING)
        finally:
            self._claiming.pop(job.job_id, None)

    async def enter(self, attempt: JobContext) -> None:
        """An attempt begins. Neighbours that believe to be alone have it written down that they are not, if this one is a suspect."""
        job = attempt.job
        self._turns.pop(job.job_id, None)
        self.running.add(attempt)
        attempt.neighbours = self.beside
        if job.suspect:
            alone = [each for each in self.running if each is not attempt and not each.job.beside]
            await run_all(each.renew_quietly() for each in alone if self.beside(each.job))
