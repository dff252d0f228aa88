"""Repair: brings the index up to the status blobs, whatever it has lost.

It goes through the listing of all blobs, as far as its time reaches, and the next one goes on there. No job waits for it; in
passing it mends what the sweep would have found by a tag that was never written, and deletes what belongs to no job.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import islice

from shared.containers import JOBS
from shared.jobs.bookmarks import Bookmark
from shared.jobs.callbacks import Callbacks
from shared.jobs.concurrently import isolated, spread
from shared.jobs.dependencies import Dependencies
from shared.jobs.log import LOG
from shared.jobs.mend import Mender, Report, Watched
from shared.jobs.store import id_of, name_of
from shared.ports import BlobInfo, Query, Where
from shared.storage import every, iso

BUDGET = timedelta(minutes=5)
"""How long a repair takes at most, well below the host's limit."""
_BATCH = 200
_OLD = timedelta(days=1)
"""After which nobody is still about to write the record that belongs to a payload."""


class Repairer:
    """Compares the index with the blobs."""

    def __init__(self, deps: Dependencies, callbacks: Callbacks) -> None:
        self._deps = deps
        self._callbacks = callbacks
        self._reached = Bookmark(deps.documents, "repair")

    async def repair(self) -> Report:
        """Go on where the last one stopped, to the end of the listing or of the time.

        Raises:
            StorageError: storage fails; the next one goes on from the last bookmark.
        """
        report, now = Report(), self._deps.clock.now()
        overdue, until = now - self._deps.timing.grace, now + BUDGET
        mender = Mender(self._deps, self._callbacks, report, overdue)
        cursor = await self._reached.read()
        while True:
            page = await self._deps.blobs.list_page("jobs/", cursor)
            await self._orphans(page.items, iso(now - _OLD), report)
            infos = (info for info in page.items if info.name.endswith("/status.json"))
            while batch := tuple(islice(infos, _BATCH)):
                await self._batch(batch, mender, report, iso(overdue))
            cursor = page.cursor
            await self._reached.put(cursor)
            if cursor is None or self._deps.clock.now() >= until:
                break
        report.more = cursor is not None
        for event, count in (("resent", report.resent), ("projected", report.projected)):
            self._deps.observer.happened(event, count)
        LOG.info(
            "index repaired: looked=%d resent=%d projected=%d orphans=%d more=%s",
            report.looked, report.resent, report.projected, report.orphans, report.more,
        )  # fmt: skip
        return report

    async def _orphans(self, infos: list[BlobInfo], before: str, report: Report) -> None:
        """Delete the blobs of jobs that were never made: a payload whose submitter got no further."""
        blobs: dict[str, list[BlobInfo]] = {}
        for info in infos:
            blobs.setdefault(id_of(info.name), []).append(info)

        async def one(job_id: str) -> None:
            if any(info.name == name_of(job_id) or iso(info.last_modified) > before for info in blobs[job_id]):
                return
            if await self._deps.blobs.read(name_of(job_id)) is None:
                for info in blobs[job_id]:
                    await self._deps.blobs.delete(info.name)
                report.orphans += 1

        await spread(blobs, one)

    async def _batch(self, batch: tuple[BlobInfo, ...], mender: Mender, report: Report, overdue: str) -> None:
        watched = {id_of(info.name): info.metadata.get("watch", "~") for info in batch}
        late = [Watched.of(job_id, text) for job_id, text in watched.items() if text < overdue]
        await spread(late, mender.mend)
        report.looked += len(watched) - len(late)
        indexed = await self._indexed(sorted(watched))
        behind = [job_id for info in batch if indexed.get(job_id := id_of(info.name)) != info.metadata.get("version")]

        async def project(job_id: str) -> None:
            projected = await isolated(self._project(job_id, overdue), "not repaired: job=%s cause=%s", job_id)
            report.projected += projected

        await spread((job_id for job_id in behind if watched[job_id] >= overdue), project)

    async def _indexed(self, ids: list[str]) -> dict[str, str]:
        """The version in the index of each job of a batch, by one query over the range of their ids."""
        where = (Where("id", ">=", ids[0]), Where("id", "<=", ids[-1]))
        rows = every(self._deps.documents, JOBS, Query(where, limit=_BATCH * 2, fields=("version",)))
        return {item["id"]: str(item.get("version")) async for item in rows}

    async def _project(self, job_id: str, overdue: str) -> bool:
        """Bring the index up to a blob that has been at rest for a while; fresh ones are being projected just now."""
        current = await self._deps.status.read(job_id)
        if current is None or iso(current.value.updated_at) > overdue:
            return False
        await self._deps.project(current.value)
        return True
