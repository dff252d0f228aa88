"""One run of one source: read it, store what is new, and write down what it came to, in this order.

Whatever breaks between two storage calls, the next attempt does what is left: an item that was stored already is found to
be the same, the checkpoint is written before the validators that would let a server answer "unchanged", and a run that
was recorded is not made again by its own job.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from shared.domains.items.public import Item, ItemSettings, ItemStore, Origin, Put, item_id_of
from shared.domains.sources.checkpoint import Checkpoint, Checkpoints, SetAside, identified
from shared.domains.sources.health import Patience, after, rest_seconds
from shared.domains.sources.model import Found, Run, RunOutcome, Source
from shared.domains.sources.reading import Reading, reader
from shared.domains.sources.settings import ScraperSettings
from shared.domains.sources.store import SourceStore
from shared.fetch import FetchError, FetchUnavailableError, Validators
from shared.fetch.closed import remember, respecting
from shared.fetch.errors import ContentRefusedError
from shared.fetch.urls import former_keys, host_of, is_front_page, key
from shared.jobs import JobContext, Lock, Locks
from shared.storage import Versioned

_MOST_TAGS = 20
_FAILURES_IN_A_ROW = 3
"""Pages of a site that fail one after the other before it is the site that is taken to fail."""


@dataclass(slots=True)
class _Counts:
    """What became of the things of a run."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    pages: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    """By reason."""
    aside: int = 0
    left: int = 0

    @property
    def usable(self) -> int:
        """Things that could be used."""
        return self.new + self.changed + self.unchanged

    def add(self, put: Put) -> None:
        self.new += put is Put.NEW
        self.changed += put is Put.CHANGED
        self.unchanged += put is Put.SAME


@dataclass(slots=True)
class _Taken:
    """What became of the things that a run took up."""

    done: list[tuple[str, Found]] = field(default_factory=list)
    aside: dict[str, SetAside] = field(default_factory=dict)
    failed: FetchUnavailableError | None = None


class SourceRun:
    """A run under way, under the lock of its source."""

    def __init__(self, job: JobContext, lock: Lock, current: Versioned[Source]) -> None:
        self._job = job
        self._lock = lock
        self._current = current
        self._source: Source = current.value
        self._settings = job.settings.of(ScraperSettings)
        self._sources = SourceStore(job.documents)
        self._locks = Locks(job.documents, job.clock)
        self._checkpoints = Checkpoints(job.documents)
        self._items = ItemStore(job.documents, job.clock, timedelta(days=job.settings.of(ItemSettings).ttl_days))
        self._reader = reader(job.settings)
        self._at = job.clock.now()
        self._counts = _Counts()
        self._host = host_of(self._source.moved_to or self._source.url or "reddit")

    async def scrape(self) -> Run:
        """Read the source, store what is new, and record the run.

        Raises:
            FetchError: the source cannot be had.
            ContentRefusedError: it cannot be read.
            FencedError: a later holder of the source's lock has written.
            LostLockError: there is one, or may be.
        """
        async with respecting(self._job.documents, self._job.clock, self._host):
            reading = await self._reader.read(self._source)
        await self._job.checkpoint()
        if reading is None:
            return await self._record(Run(at=self._at, outcome=RunOutcome.UNCHANGED, job_id=self._job.job_id))
        self._counts.refused.update(reading.refused)
        await self._store(reading)
        # While something is left, the server must not say that nothing has changed.
        validators = Validators() if self._counts.left or self._counts.aside else reading.validators
        return await self._record(
            self._run(reading.total),
            etag=validators.etag,
            last_modified=validators.last_modified,
            versioned_url=validators.url,
            moved_to=reading.moved_to,
        )

    async def fail(self, error: FetchError | ContentRefusedError) -> Run:
        """Record that the source could not be scraped, and why: it rests, and is given up in the end."""
        self._job.log.warning("source not scraped: source=%s reason=%s", self._source.id, error.reason)
        run = Run(
            at=self._at,
            outcome=RunOutcome.FAILED,
            job_id=self._job.job_id,
            reason=error.reason,
            error=str(error)[:300],
        )
        wait = isinstance(error, FetchUnavailableError) and error.retry_after
        return await self._record(run, self._at + timedelta(seconds=wait or 0))

    async def _store(self, reading: Reading) -> None:
        """Store the things that are new or changed, as many as one run takes, and remember them.

        Raises:
            FetchUnavailableError: pages fail, and nothing else could be used: it is the site that fails.
            ContentRefusedError: nothing could be used.
        """
        before = await self._checkpoints.read(self._source.id)
        things = identified(reading.things, before)
        known = [thing for thing in things if before.covers(*thing)]
        fresh = [thing for thing in things if not before.covers(*thing)]
        awake = [thing for thing in fresh if not before.rests(thing[0], self._at)]
        self._counts.unchanged += len(known)
        taken = await self._take_all(awake[: self._settings.max_items], before)
        self._counts.aside = len(fresh) - len(awake) + len(taken.aside)
        self._counts.left = len(fresh) - len(taken.done) - self._counts.aside
        if taken.done or taken.aside:
            ids = [item_id for item_id, _ in things]
            after_it = before.with_all([*known, *taken.done]) if taken.done else before
            after_it = after_it.with_aside(taken.aside, [item_id for item_id, _ in taken.done], ids)
            await self._checkpoints.write(self._source.id, after_it, self._lock.fence)
        if not self._counts.usable and taken.failed:
            raise taken.failed
        if not self._counts.usable and fresh and self._counts.refused:
            raise ContentRefusedError(f"no page that it names can be used ({_told(self._counts.refused)})")

    async def _take_all(self, things: list[tuple[str, Found]], before: Checkpoint) -> _Taken:
        """Store things one after the other. A page that fails is put aside; where several do in a row, the site is left alone."""
        taken, in_a_row = _Taken(), 0
        for item_id, found in things:
            try:
                if not await self._take(item_id, found, before):
                    break
            except FetchUnavailableError as error:
                taken.failed = taken.failed or error
                if error.retry_after is not None:  # it is the host that wants to be left alone, not this page
                    await remember(self._job.documents, self._job.clock, self._host, error)
                    break
                in_a_row += 1
                failures = before.failures(item_id) + 1
                if failures < self._settings.max_failures:
                    taken.aside[item_id] = self._set_aside(failures)
                else:
                    self._counts.refused[error.reason] += 1
                    taken.done.append((item_id, found))
                if in_a_row >= _FAILURES_IN_A_ROW:
                    break
                continue
            in_a_row = 0
            taken.done.append((item_id, found))
        return taken

    def _set_aside(self, failures: int) -> SetAside:
        return SetAside(failures, self._at + timedelta(seconds=rest_seconds(failures, Patience.of(self._settings))))

    async def _take(self, item_id: str, found: Found, before: Checkpoint) -> bool:
        """Store a thing, with what its page says where one is to be read; False where that has to wait for the next run."""
        self._locks.check(self._lock)
        await self._job.checkpoint()
        if found.page:
            read = await self._page(found)
            if read is None:
                return False
            if not read.title:
                return True
            item_id, found = item_id_of(key(read.url or "")), read
        known = before.knows(item_id)
        if not known:
            item_id = await self._stored_id(item_id, found.url)
        self._counts.add(await self._items.put(self._item(item_id, found), known=known))
        return True

    async def _stored_id(self, item_id: str, url: str | None) -> str:
        """The id under which an item is stored already, where its address was written otherwise then."""
        if url is None or item_id != item_id_of(key(url)):
            return item_id
        for former in former_keys(url):
            if await self._items.get(item_id_of(former)):
                return item_id_of(former)
        return item_id

    async def _page(self, found: Found) -> Found | None:
        """What is known of a thing with its page; without a title where that cannot be had, None where time is up."""
        late = (self._job.clock.now() - self._at).total_seconds() > self._settings.run_seconds
        if late or self._counts.pages >= self._settings.max_pages:
            return None
        self._counts.pages += 1
        try:
            page = await self._reader.page(found.url or "", self._source.currency)
        except FetchUnavailableError:
            raise
        except (FetchError, ContentRefusedError) as error:
            self._job.log.info("page not read: source=%s reason=%s", self._source.id, error.reason)
            self._counts.refused[error.reason] += 1
            return found
        return replace(
            page,
            url=_own(page.url, found.url),
            image_url=page.image_url or found.image_url,
            published_at=page.published_at or found.published_at,
        )

    def _item(self, item_id: str, found: Found) -> Item:
        now = self._job.clock.now()
        return Item(
            item_id=item_id,
            url=found.url,
            title=found.title,
            text=found.text,
            sources=(Origin(self._source.id, self._source.kind.value, self._source.label),),
            first_seen_at=now,
            updated_at=now,
            image_url=found.image_url,
            price=found.price,
            tags=_tags(self._source, found),
            score=found.score,
            published_at=found.published_at,
        )

    def _run(self, total: int) -> Run:
        counts = self._counts
        return Run(
            at=self._at,
            outcome=RunOutcome.SCRAPED,
            job_id=self._job.job_id,
            found=total,
            new=counts.new,
            changed=counts.changed,
            unchanged=counts.unchanged,
            pages=counts.pages,
            refused=counts.refused.total(),
            refusals=dict(counts.refused),
            aside=counts.aside,
            left=counts.left,
        )

    async def _record(self, run: Run, not_before: datetime | None = None, **validators: str | None) -> Run:
        patience = Patience.of(self._settings)

        def change(source: Source) -> Source:
            # Where an operator changed it meanwhile, it is to be read anew, whatever its server calls unchanged.
            same = source.updated_at == self._source.updated_at
            return after(source, run, patience, not_before).model_copy(
                update=validators if same else dict.fromkeys(validators)
            )

        await self._sources.record(self._current, self._lock.fence, change)
        return run


def results_of(run: Run) -> dict[str, Any]:
    """A run as its job's results: the numbers add up over the sources of a night."""
    return {
        "outcome": run.outcome.value,
        "found": run.found,
        "new": run.new,
        "changed": run.changed,
        "unchanged": run.unchanged,
        "pages": run.pages,
        "refused": run.refused,
        **({"refusals": run.refusals} if run.refusals else {}),
        "aside": run.aside,
        "left": run.left,
        "not_modified": int(run.outcome is RunOutcome.UNCHANGED),
        "failed": int(run.outcome is RunOutcome.FAILED),
        "skipped": 0,
        **({"reason": f"{run.reason}: {run.error}"} if run.reason else {}),
    }


def _told(refused: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in refused.items())


def _own(canonical: str | None, url: str | None) -> str | None:
    """The address that a page claims for itself, where the claim is believable."""
    if canonical and url and not is_front_page(canonical) and _host(canonical) == _host(url):
        return canonical
    return url


def _host(url: str) -> str:
    return key(url).partition("/")[0]


def _tags(source: Source, found: Found) -> tuple[str, ...]:
    given = (*source.tags, *found.tags, *((source.subreddit,) if source.subreddit else ()))
    return tuple(dict.fromkeys(tag.lower() for tag in given))[:_MOST_TAGS]
