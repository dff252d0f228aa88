"""Retention: when a job may go, by its own record, how long everything else is kept; and the purge, which deletes what may go.

Nothing unfinished or unreplayed ever goes. The rule is a pure function of the record; what else keeps a job (an open dead
letter, the job that it is a part of) the purge looks up. For each job it deletes, in this order: the status blob, if it is
still the one that was looked at; the job's other blobs, for which nothing can ask any more; the index document, by which
the next run finds a job that this one did not finish.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.containers import JOBS
from shared.jobs.concurrently import isolated
from shared.jobs.dead_letters.vault import KEEP, Vault
from shared.jobs.dependencies import Dependencies
from shared.jobs.ids import prefixes
from shared.jobs.log import LOG
from shared.jobs.model import Job, Status
from shared.jobs.store import name_of
from shared.ports import PreconditionError, Query, Where
from shared.storage import iso, pages

_BATCH = 200
_AT_ONCE = 16
_BUDGET = timedelta(minutes=5)
"""How long a run takes at most, well below the host's limit; the next one goes on."""

_MONTH = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Retention:
    """How long what is done with is kept."""

    completed: timedelta = _MONTH
    cancelled: timedelta = _MONTH
    discarded: timedelta = _MONTH
    """A failed job, from the moment at which its dead letter was discarded; before, for ever."""
    vault: timedelta = KEEP
    """A dead letter, from its last replay or from when it was discarded; before, for ever."""
    artifacts: timedelta = timedelta(days=400)
    """What jobs wrote beside their status."""
    remembered: timedelta = timedelta(days=1)
    """How long an idempotency key leads to its job."""

    @classmethod
    def of(cls, settings: Any) -> Retention:
        """As an app's settings say; the defaults where there are no settings."""
        if settings is None:
            return cls()
        return cls(
            completed=timedelta(days=settings.retention_completed_days),
            cancelled=timedelta(days=settings.retention_cancelled_days),
            discarded=timedelta(days=settings.retention_discarded_days),
            vault=timedelta(days=settings.retention_vault_days),
            artifacts=timedelta(days=settings.retention_artifact_days),
            remembered=timedelta(seconds=settings.idempotency_ttl_seconds),
        )

    def of_status(self, status: Status) -> timedelta:
        """How long a job of a final state is kept."""
        return {
            Status.COMPLETED: self.completed, Status.CANCELLED: self.cancelled, Status.FAILED: self.discarded
        }[status]  # fmt: skip


def expires_at(job: Job, retention: Retention, dedupe: timedelta = timedelta(0)) -> datetime | None:
    """When a job may go as it stands; None: never.

    A job outlives the keys that lead to it: without it, they would make a second one.

    Args:
        job: the record.
        retention: how long jobs are kept.
        dedupe: how long a dedupe key of its kind is remembered.
    """
    if not job.status.final or job.callback_due:
        return None
    ended = job.discarded_at if job.status is Status.FAILED else job.due_at
    return ended and ended + max(retention.of_status(job.status), retention.remembered, dedupe)


@dataclass
class PurgeReport:
    """What a purge did."""

    jobs: int = 0
    kept: int = 0
    """Jobs that ended long enough ago, and stay: a dead letter is open, or the job they are a part of is there."""
    artifacts: int = 0
    more: bool = False
    """Whether the time was up before everything was looked at."""


class Purger:
    """Deletes jobs and artifacts that have expired."""

    def __init__(self, deps: Dependencies, vault: Vault, retention: Retention) -> None:
        self._deps = deps
        self._vault = vault
        self._retention = retention

    async def purge(self, artifacts: Iterable[str] = ()) -> PurgeReport:
        """Delete the jobs that have expired, and the blobs below the prefixes of artifacts that are old enough.

        Safe to run at any time, twice at once, and after a crash at any point.
        """
        run = _Run(self._deps, self._vault, self._retention)
        await run.jobs()
        for prefix in artifacts:
            await run.artifacts(prefix)
        report = run.report
        LOG.log(
            30 if report.more else 20, "purge: jobs=%d kept=%d artifacts=%d more=%s",
            report.jobs, report.kept, report.artifacts, report.more,
        )  # fmt: skip
        return report


class _Run:
    """One run of the purge."""

    def __init__(self, deps: Dependencies, vault: Vault, retention: Retention) -> None:
        self._deps = deps
        self._vault = vault
        self._retention = retention
        self._now = deps.clock.now()
        self._parents: dict[str, bool] = {}
        self.report = PurgeReport()

    async def jobs(self) -> None:
        """Delete the jobs that may go."""
        for query in _questions(self._now, self._retention):
            if self._late():
                return
            async for page in pages(self._deps.documents, JOBS, query):
                ids = [item["id"] for item in page]
                held_back = await self._vault.open_jobs(ids[0], ids[-1])
                await self._delete(job_id for job_id in ids if job_id not in held_back)
                self.report.kept += sum(job_id in held_back for job_id in ids)
                if self._late():
                    return

    async def artifacts(self, prefix: str) -> None:
        """Delete what is old enough below a prefix."""
        if not prefix or prefix.startswith("jobs"):
            raise ValueError("jobs are no artifacts")
        async for info in self._deps.blobs.list(prefix):
            if self._late():
                return
            if info.last_modified < self._now - self._retention.artifacts:
                self.report.artifacts += await self._deps.blobs.delete(info.name)

    def _late(self) -> bool:
        self.report.more = self.report.more or self._deps.clock.now() - self._now > _BUDGET
        return self.report.more

    async def _delete(self, ids: Iterable[str]) -> None:
        """Delete the jobs of a page, some at a time."""
        waiting = iter(ids)

        async def work() -> None:
            for job_id in waiting:
                gone = await isolated(self._job(job_id), "not purged: job=%s cause=%s", job_id)
                self.report.jobs += gone
                self.report.kept += not gone

        await asyncio.gather(*(work() for _ in range(_AT_ONCE)))

    async def _job(self, job_id: str) -> bool:
        """Delete a job with all that is its own, if it may go; False where it stays."""
        current = await self._deps.status.read(job_id)
        if current is not None:
            if not await self._may_go(current.value):
                return False
            try:
                await self._deps.blobs.delete(name_of(job_id), current.etag)
            except PreconditionError:
                return False  # it was replayed at this moment
        async for info in self._deps.blobs.list(f"jobs/{job_id}/"):
            if info.name != name_of(job_id):
                await self._deps.blobs.delete(info.name)
        with suppress(PreconditionError):
            await self._deps.documents.delete(JOBS, job_id, job_id)
        return True

    async def _may_go(self, job: Job) -> bool:
        when = expires_at(job, self._retention, self._dedupe(job))
        return when is not None and when <= self._now and not await self._has_parent(job)

    def _dedupe(self, job: Job) -> timedelta:
        kinds = self._deps.kinds
        return timedelta(seconds=kinds.policy(job.kind).dedupe_ttl_seconds if job.kind in kinds else 0)

    async def _has_parent(self, job: Job) -> bool:
        """Whether the job that this one is a part of is there: replayed, it would start the part anew."""
        if job.parent_id is None:
            return False
        if job.parent_id not in self._parents:
            self._parents[job.parent_id] = await self._deps.blobs.read(name_of(job.parent_id)) is not None
        return self._parents[job.parent_id]


def _questions(now: datetime, retention: Retention) -> Iterator[Query]:
    """What is asked of the index: jobs that may have expired. The bound of the ids spares it what is too young."""
    for status in (Status.COMPLETED, Status.CANCELLED, Status.FAILED):
        before = now - retention.of_status(status)
        moment = "discarded_at" if status is Status.FAILED else "due_at"
        young = f"{prefixes(before, before)[0]}~"
        where = (Where("status", "=", status.value), Where(moment, "<=", iso(before)), Where("id", "<", young))
        yield Query(where, limit=_BATCH, fields=())
