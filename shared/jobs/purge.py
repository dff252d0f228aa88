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
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from shared.containers import JOBS
from shared.jobs.bookmarks import Bookmark
from shared.jobs.concurrently import isolated, spread
from shared.jobs.dead_letters.vault import KEEP, Discard, Vault, letter_id_of
from shared.jobs.dependencies import Dependencies
from shared.jobs.errors import DeadLetterNotFoundError
from shared.jobs.ids import prefixes
from shared.jobs.log import LOG
from shared.jobs.model import Job, Status
from shared.jobs.store import name_of
from shared.ports import BlobInfo, Document, PreconditionError, Query, Where
from shared.storage import iso, pages

_BATCH = 200
_BUDGET, _BUDGET_OF_ARTIFACTS = timedelta(minutes=5), timedelta(minutes=2)
"""How long a run takes at most for jobs, and then for artifacts, together well below the host's limit."""

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

        Safe to run at any time, twice at once, and after a crash at any point. What it has no time for, the next run begins
        with; artifacts have a time of their own, so that many jobs do not keep them waiting.
        """
        run = _Run(self._deps, self._vault, self._retention)
        await run.jobs()
        await run.artifacts(tuple(artifacts))
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
        self._until = self._now
        self._parents: dict[str, asyncio.Task[bool]] = {}
        self.report = PurgeReport()

    async def jobs(self) -> None:
        """Delete the jobs that may go, from where the last run stopped."""
        self._until = self._deps.clock.now() + _BUDGET
        reached = Bookmark(self._deps.documents, "purge")
        status, _, after = (await reached.read() or "").partition(" ")
        questions = dict(_questions(self._now, self._retention))
        waiting = list(questions)[list(questions).index(status) if status in questions else 0 :]
        for each in waiting:
            query = replace(questions[each], after=after or None) if each == status else questions[each]
            async for page in pages(self._deps.documents, JOBS, query):
                await self._page(page)
                if self._late():
                    self.report.more = True
                    await reached.put(f"{each} {page[-1]['id']}")
                    return
        await reached.put(None)

    async def artifacts(self, prefixes: tuple[str, ...]) -> None:
        """Delete what is old enough below some prefixes, from where the last run stopped."""
        if any(not prefix or prefix.startswith("jobs") for prefix in prefixes):
            raise ValueError("jobs are no artifacts")
        self._until = self._deps.clock.now() + _BUDGET_OF_ARTIFACTS
        reached = Bookmark(self._deps.documents, "purge-artifacts")
        begun, _, place = (await reached.read() or "").partition(" ")
        for prefix in prefixes[prefixes.index(begun) if begun in prefixes else 0 :]:
            cursor = place or None if prefix == begun else None
            while True:
                page = await self._deps.blobs.list_page(prefix, cursor)
                left = await spread(page.items, self._artifact, self._late)
                cursor = cursor if left else page.cursor
                if left or (cursor and self._late()):
                    self.report.more = True
                    await reached.put(f"{prefix} {cursor or ''}")
                    return
                if cursor is None:
                    break
        await reached.put(None)

    async def _artifact(self, info: BlobInfo) -> None:
        if info.last_modified < self._now - self._retention.artifacts:
            gone = await self._deps.blobs.delete(info.name)
            self.report.artifacts += gone

    def _late(self) -> bool:
        return self._deps.clock.now() > self._until

    async def _page(self, page: list[Document]) -> None:
        """Delete the jobs of a page, some at a time; those last that may have to wait for another of the same page."""
        held_back = await self._vault.open_jobs(page[0]["id"], page[-1]["id"])

        async def one(item: Document) -> None:
            work = self._held(item["id"]) if item["id"] in held_back else self._one(item["id"], item.get("parent_id"))
            gone = await isolated(work, "not purged: job=%s cause=%s", item["id"])
            self.report.jobs += gone
            self.report.kept += not gone

        await spread(sorted(page, key=lambda item: "parent_id" in item), one)

    async def _held(self, job_id: str) -> bool:
        """Settle the dead letter of a life that ended well after all: its attempt was kept from writing the failure down.

        Only then is there a letter of the present life of a job that did not fail. The job goes with the next run.
        """
        current = await self._deps.status.read(job_id)
        if current is not None and current.value.status in (Status.COMPLETED, Status.CANCELLED):
            with suppress(DeadLetterNotFoundError):
                why = Discard(at=self._now, by="purge", reason=f"the job is {current.value.status} after all")
                await self._vault.discard(letter_id_of(current.value), why)
        return False

    async def _one(self, job_id: str, parent_id: str | None) -> bool:
        """Delete a job, if what it is a part of is not there: asked first, since it keeps many."""
        return not (parent_id and await self._is_there(parent_id)) and await self._job(job_id)

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
        return when is not None and when <= self._now and not (job.parent_id and await self._is_there(job.parent_id))

    def _dedupe(self, job: Job) -> timedelta:
        kinds = self._deps.kinds
        return timedelta(seconds=kinds.policy(job.kind).dedupe_ttl_seconds if job.kind in kinds else 0)

    async def _is_there(self, job_id: str) -> bool:
        """Whether a job that others are a part of stays: replayed, it would start them anew. It goes before they do."""
        if job_id not in self._parents:
            self._parents[job_id] = asyncio.create_task(self._stays(job_id))
        return await self._parents[job_id]

    async def _stays(self, job_id: str) -> bool:
        if await self._deps.status.read(job_id) is None:
            return False
        if job_id in await self._vault.open_jobs(job_id, job_id):
            return True
        gone = await self._job(job_id)
        self.report.jobs += gone
        return not gone


def _questions(now: datetime, retention: Retention) -> Iterator[tuple[str, Query]]:
    """What is asked of the index, by state: jobs that may have expired. The bound of the ids spares it what is too young."""
    for status in (Status.COMPLETED, Status.CANCELLED, Status.FAILED):
        before = now - retention.of_status(status)
        moment = "discarded_at" if status is Status.FAILED else "due_at"
        young = f"{prefixes(before, before)[0]}~"
        where = (Where("status", "=", status.value), Where(moment, "<=", iso(before)), Where("id", "<", young))
        yield status.value, Query(where, limit=_BATCH, fields=("parent_id",))
