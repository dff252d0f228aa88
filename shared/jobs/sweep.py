"""The sweep: the periodic look for what fell between two writes.

It reads the listing of the status blobs (whose metadata say when each wants to be looked at), so that a job is found
even if nothing but its receipt was ever written. What it mends: a receipt without a message, a lease whose worker
vanished, an outcome whose callback has no job yet, and an index behind the blobs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from shared.containers import JOBS
from shared.jobs.callbacks import Callbacks
from shared.jobs.concurrently import isolated
from shared.jobs.dependencies import Dependencies
from shared.jobs.errors import InvalidTransitionError
from shared.jobs.ids import prefixes
from shared.jobs.log import LOG, about
from shared.jobs.machine import Resent
from shared.jobs.model import Job, Status
from shared.jobs.store import id_of
from shared.ports import BlobInfo, Query, Where
from shared.storage import every, iso

RECENT = timedelta(minutes=30)
"""How far back the frequent sweep lists; older jobs that are stuck it finds by the index, and the full sweep anyway."""
_BATCH = 200
_NOT_SWEPT = "not swept: job=%s cause=%s"


@dataclass
class Report:
    """What a sweep saw and did."""

    looked: int = 0
    resent: int = 0
    projected: int = 0


class Sweeper:
    """Looks for stuck jobs and sends their messages again."""

    def __init__(self, deps: Dependencies, callbacks: Callbacks) -> None:
        self._deps = deps
        self._callbacks = callbacks

    async def sweep(self, *, full: bool = False) -> Report:
        """Look through the recent jobs, or all of them."""
        report = Report()
        async for batch in self._batches(full=full):
            report.looked += len(batch)
            await self._mend(batch, report)
        if not full:
            await self._mend_indexed(report)
        for event, count in (("sweeps", 1), ("resent", report.resent), ("projected", report.projected)):
            self._deps.observer.happened(event, count)
        LOG.info(
            "sweep: full=%s looked=%d resent=%d projected=%d",
            full, report.looked, report.resent, report.projected,
        )  # fmt: skip
        return report

    async def _batches(self, *, full: bool) -> AsyncIterator[list[BlobInfo]]:
        now = self._deps.clock.now()
        batch: list[BlobInfo] = []
        for prefix in [""] if full else prefixes(now - RECENT, now):
            async for info in self._deps.status.listing(prefix):
                batch.append(info)
                if len(batch) == _BATCH:
                    yield batch
                    batch = []
        if batch:
            yield batch

    async def _mend(self, batch: list[BlobInfo], report: Report) -> None:
        overdue = iso(self._deps.clock.now() - self._deps.timing.grace)
        indexed = await self._indexed(batch)
        for info in batch:
            job_id = id_of(info.name)
            if info.metadata.get("watch", "~") < overdue:
                report.resent += await isolated(self._resend(job_id), _NOT_SWEPT, job_id)
            elif str(indexed.get(job_id)) != info.metadata.get("version"):
                report.projected += await isolated(self._project(job_id, overdue), _NOT_SWEPT, job_id)

    async def _indexed(self, batch: list[BlobInfo]) -> dict[str, Any]:
        """The version in the index of each job of a batch, by one query over the range of their ids."""
        ids = sorted(id_of(info.name) for info in batch)
        where = (Where("id", ">=", ids[0]), Where("id", "<=", ids[-1]))
        rows = every(self._deps.documents, JOBS, Query(where, limit=_BATCH * 2, fields=("version",)))
        return {item["id"]: item.get("version") async for item in rows}

    async def _mend_indexed(self, report: Report) -> None:
        """Resend what the index says is overdue, whatever its age."""
        overdue = iso(self._deps.clock.now() - self._deps.timing.grace)
        query = Query((Where("watch_at", "<", overdue),), limit=_BATCH, fields=("kind", "status"))
        async for item in every(self._deps.documents, JOBS, query):
            paused = await self._paused(item["kind"], item["status"])
            report.resent += not paused and await isolated(self._resend(item["id"]), _NOT_SWEPT, item["id"])

    async def _paused(self, kind: str, status: str) -> bool:
        """Whether a job waits because its kind is paused: its message is kept going, and not to be sent again."""
        return status == Status.QUEUED and (await self._deps.pauses.of(kind)).paused

    async def _resend(self, job_id: str) -> bool:
        """Send the message of an overdue job again; False where a look at the blob shows that there is no need."""
        current = await self._deps.status.read(job_id)
        if current is None:
            return False
        if not self._overdue(current.value):
            await self._deps.project(current.value)
            return False
        if current.value.status.final:
            await self._deps.project((await self._callbacks.call(current)).value)
            return True
        if await self._paused(current.value.kind, current.value.status):
            return False
        now = self._deps.clock.now()
        event = Resent(now, now + self._patience(current.value))
        try:
            current = await self._deps.status.change(current, event)
        except InvalidTransitionError:
            return False
        await self._deps.send(current)
        await self._deps.project(current.value)
        LOG.warning("message sent again: %s status=%s", about(current.value), current.value.status)
        return True

    def _overdue(self, job: Job) -> bool:
        return job.watch_at is not None and job.watch_at < self._deps.clock.now() - self._deps.timing.grace

    def _patience(self, job: Job) -> timedelta:
        """How long to wait before sending once more: doubling, since behind a long queue the message is not lost."""
        return self._deps.timing.grace * 2.0 ** min(job.resends, 10)

    async def _project(self, job_id: str, overdue: str) -> bool:
        """Bring the index up to a blob that has been at rest for a while; fresh ones are being projected just now."""
        current = await self._deps.status.read(job_id)
        if current is None or iso(current.value.updated_at) > overdue:
            return False
        await self._deps.project(current.value)
        return True
