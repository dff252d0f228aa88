"""The sweep: the periodic look for what fell between two writes.

It asks the status blobs themselves, by their tag, which jobs are past the moment at which they want to be looked at: at any
age, in time that grows with what is overdue and not with what is stored. What it mends: a receipt without a message, a lease
whose worker vanished, an outcome whose callback has no job yet. Where the account takes no tags it goes through the listing
of the blobs instead, as far as its time reaches, and the next one goes on there.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from shared.containers import JOBS
from shared.jobs.bookmarks import Bookmark
from shared.jobs.callbacks import Callbacks
from shared.jobs.concurrently import spread
from shared.jobs.dependencies import Dependencies
from shared.jobs.log import LOG
from shared.jobs.mend import Mender, Report, Watched
from shared.jobs.pauses import FRESH
from shared.jobs.store import id_of
from shared.ports import Query, StorageError, TagsRefusedError, Where
from shared.storage import every, iso

BUDGET = timedelta(minutes=3)
"""How long a sweep takes at most; it runs every five minutes, beside jobs."""
_BUDGET_OF_A_RELEASE = timedelta(seconds=20)
_RIGHT_NOW = timedelta(seconds=-1)
"""The grace of a release: what is due at this very moment is meant, too."""
_MOST = 100_000
"""Overdue jobs that one sweep keeps in mind."""
_MOST_INDEXED = 20_000


class Sweeper:
    """Looks for stuck jobs and has them go on."""

    def __init__(self, deps: Dependencies, callbacks: Callbacks) -> None:
        self._deps = deps
        self._callbacks = callbacks
        self._stopped = Bookmark(deps.documents, "sweep")
        self._listed = Bookmark(deps.documents, "sweep-listing")

    async def sweep(self) -> Report:
        """Mend what is overdue, the oldest first; what it has no time for, the next one begins with.

        Raises:
            StorageError: blobs or queues fail. What was mended before is mended.
        """
        run = _Run(self._deps, self._callbacks, self._deps.timing.grace, BUDGET)
        try:
            await self._by_tag(run)
        except TagsRefusedError:
            await self._by_listing(run)
        await run.indexed()
        report = run.report
        for event, count in (("sweeps", 1), ("resent", report.resent), ("projected", report.projected)):
            self._deps.observer.happened(event, count)
        LOG.info(
            "sweep: looked=%d resent=%d projected=%d waiting=%d more=%s",
            report.looked, report.resent, report.projected, report.waiting, report.more,
        )  # fmt: skip
        return report

    async def release(self, kind: str) -> Report:
        """Have the jobs of a kind go on that was paused: as many as some seconds allow, the sweep the others."""
        # Other processes know of the resume a little later, and would let a message fall that comes before.
        run = _Run(self._deps, self._callbacks, _RIGHT_NOW, _BUDGET_OF_A_RELEASE, delay=FRESH + timedelta(seconds=1))
        try:
            found = [each for each in await run.found() if each.kind == kind]
            run.report.more = await spread(found, run.mender.mend, run.late) is not None
        except StorageError as error:
            LOG.warning("jobs of the kind left to the sweep: kind=%s cause=%s", kind, type(error).__name__)
        return run.report

    async def _by_tag(self, run: _Run) -> None:
        if self._deps.status.tags_refused:
            raise TagsRefusedError
        found, stopped = sorted(await run.found()), await self._stopped.read() or ""
        found = [each for each in found if _place(each) >= stopped] + [each for each in found if _place(each) < stopped]
        left = await spread(found, run.mender.mend, run.late)
        run.report.more = run.report.more or left is not None
        await self._stopped.put(_place(left) if left else None)

    async def _by_listing(self, run: _Run) -> None:
        cursor = await self._listed.read()
        while True:
            page = await self._deps.blobs.list_page("jobs/", cursor)
            watched = {
                id_of(info.name): info.metadata.get("watch")
                for info in page.items
                if info.name.endswith("/status.json")
            }
            found = [Watched.of(job_id, text) for job_id, text in watched.items() if text and text < iso(run.overdue)]
            run.seen.update(each.job_id for each in found)
            if await spread(found, run.mender.mend, run.late) is None:
                cursor = page.cursor
            run.report.more = cursor is not None
            if run.late() or cursor is None:
                break
        await self._listed.put(cursor)


class _Run:
    """One sweep."""

    def __init__(
        self,
        deps: Dependencies,
        callbacks: Callbacks,
        grace: timedelta,
        budget: timedelta,
        delay: timedelta = timedelta(0),
    ) -> None:
        self._deps = deps
        self._until = deps.clock.now() + budget
        self.overdue: datetime = deps.clock.now() - grace
        self.report = Report()
        self.seen: set[str] = set()
        self.mender = Mender(deps, callbacks, self.report, self.overdue, delay)

    def late(self) -> bool:
        """Whether the time is up."""
        return self._deps.clock.now() >= self._until

    async def found(self) -> list[Watched]:
        """What is overdue, by its tag."""
        found: list[Watched] = []
        cursor = None
        while len(found) < _MOST and not self.late():
            page = await self._deps.blobs.find("watch", iso(self.overdue), cursor)
            found += [Watched.of(id_of(each.name), each.value) for each in page.items]
            cursor = page.cursor
            if cursor is None:
                break
        self.report.more = cursor is not None
        self.seen.update(each.job_id for each in found)
        return found

    async def indexed(self) -> None:
        """See to what only the index takes for overdue: it is behind, or the job is from before there were tags.

        Nothing waits for this: where the index does not answer, a later sweep does it.
        """
        query = Query((Where("watch_at", "<", iso(self.overdue)),), limit=1000, fields=())
        try:
            rows = every(self._deps.documents, JOBS, query, _MOST_INDEXED)
            behind = [item["id"] async for item in rows if item["id"] not in self.seen]
        except StorageError as error:
            LOG.warning("index not looked at: cause=%s", type(error).__name__)
            return
        await spread(behind, self.mender.look, self.late)


def _place(watched: Watched) -> str:
    return f"{watched.at} {watched.job_id}"
