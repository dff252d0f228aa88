"""The attempts that run in one process: who may be the cause, were it to die, and who may run beside whom.

A process that dies takes all its attempts along, and only one of them, or none, is the cause. So a worker that vanished counts
fully only against a job that was alone under suspicion. At first every job of the process is; those that died together
are suspects until they come to an end of their own, and come back apart: no two of them run in one process, until one has run for so
long that the others cannot wait. So whichever kills the next process takes no other suspect along, and counts alone; and one that
has done so twice has the process for itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from shared.jobs.concurrently import run_all
from shared.jobs.context import JobContext
from shared.jobs.model import Job, Status

_ALONE = timedelta(minutes=1)
"""How long a suspect is kept apart from the others; and how long one that killed waits for its process to be empty."""
_LOOK = timedelta(seconds=5)
"""After which a message is looked at again whose job could not be tried."""
_KILLS = 2
"""So many workers that vanished over a job alone are no chance."""


class Neighbours:
    """The attempts of this process."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        """Say what tells the time."""
        self._now = now
        self.running: set[JobContext] = set()
        """Whoever ends an attempt takes it out."""
        self.suspects: set[str] = set()
        """The suspects among them, by job id; those that are being claimed included."""
        self._claiming: dict[int, Job] = {}
        """By claim: a job may have several messages, and so be claimed twice at once."""
        self._waiting: dict[str, datetime] = {}
        """Since when a job that killed waits for this process to be empty."""

    def wait(self, job: Job, *, given_up: bool) -> datetime | None:
        """When to look again at the message of a job that cannot be claimed, or given up, in this process now; None: it can."""
        now = self._now()
        if self.runs(job):  # a host that stood still delivers its message again, and nobody has vanished
            return max(now + _LOOK, job.due_at)
        if given_up or job.cancel_requested:
            return None
        others = self._others(job)
        apart = [each for each in others if each.job_id in self.suspects and self._lately(each, now)]
        blocked = any(_kills(each) for each in apart) or (_suspect(job) and bool(apart))
        if not blocked and _kills(job) and others:
            blocked = now - self._waiting.setdefault(job.job_id, now) < _ALONE
        return now + _LOOK if blocked else None

    def beside(self, job: Job, *, stalled: bool = False) -> int:
        """How many other attempts may be the cause as well as this job's: of a suspect's neighbours, only suspects."""
        suspect = stalled or _lapsed(job)
        return sum(not suspect or _lapsed(other) for other in self._others(job))

    @contextmanager
    def claiming(self, job: Job) -> Iterator[int]:
        """A job is being claimed: it counts from now on, until its attempt has begun. Yields how many are beside it."""
        self._claiming[id(job)] = job
        if _suspect(job):
            self.suspects.add(job.job_id)
        try:
            yield self.beside(job, stalled=job.status is Status.RUNNING)
        except BaseException:
            self._claiming.pop(id(job), None)
            if not self._here(job.job_id):
                self.suspects.discard(job.job_id)
            raise

    async def enter(self, attempt: JobContext) -> None:
        """An attempt begins. Neighbours that believe to be alone have it written down that they are not, if this one is a suspect."""
        job = attempt.job
        self._waiting.pop(job.job_id, None)
        self._claiming = {claim: each for claim, each in self._claiming.items() if each.job_id != job.job_id}
        self.running.add(attempt)
        attempt.neighbours = self.beside
        if _lapsed(job):
            alone = [each for each in self.running if each is not attempt and not each.job.beside]
            await run_all(each.renew_quietly() for each in alone if self.beside(each.job))

    def _here(self, job_id: str) -> bool:
        """Whether an attempt of this job is at work here, or about to be."""
        return job_id in {*(each.job_id for each in self._claiming.values()), *(each.job_id for each in self.running)}

    def _lately(self, job: Job, now: datetime) -> bool:
        return any(each is job for each in self._claiming.values()) or now - (job.started_at or now) < _ALONE

    def runs(self, job: Job) -> bool:
        """Whether this very attempt of a job is at work here."""
        claimed = any(each.job_id == job.job_id and each.attempt + 1 == job.attempt for each in self._claiming.values())
        return claimed or any(each.job_id == job.job_id and each.fence == job.attempt for each in self.running)

    def _others(self, job: Job) -> list[Job]:
        here = {each.job_id: each for each in self._claiming.values()}
        here |= {each.job_id: each.job for each in self.running}
        return [other for job_id, other in here.items() if job_id != job.job_id]


def _suspect(job: Job) -> bool:
    return job.status is Status.RUNNING or _lapsed(job)


def _lapsed(job: Job) -> bool:
    return bool(job.stalls or job.shared_stalls)


def _kills(job: Job) -> bool:
    return job.stalls + (job.status is Status.RUNNING and not job.beside) >= _KILLS
