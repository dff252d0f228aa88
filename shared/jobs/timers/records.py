"""The ledger's documents: a head for each timer, and one document for each occurrence.

A head says from where on its timer's occurrences are reckoned, and up to which each of them is recorded. Everything that
wants a look carries `watch_at`, heads too, so that one query finds all of it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import TypedDict, TypeVar, Unpack

from pydantic import BaseModel, ConfigDict

from shared.containers import OCCURRENCES
from shared.jobs.timers.occurrence import Occurrence, State
from shared.ports import AlreadyExistsError, Clock, Document, DocumentStore, PreconditionError, Query, Where
from shared.storage import Versioned, every, iso, isos

_HEAD = "~head"
"""The id of a head: after every moment in the order of text."""
_BATCH = 100


class Head(BaseModel):
    """Where the reckoning of a timer stands."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    timer: str
    schedule: str
    """The NCRONTAB expression that it is reckoned by."""
    first_seen_at: datetime
    since: datetime
    """Since when it has had this schedule: what lies before was never missed."""
    accounted_until: datetime
    """Up to here each occurrence is recorded."""
    watch_at: datetime | None = None
    """When the next occurrence should have been recorded; None where none comes."""

    @property
    def id(self) -> str:
        """The id of its document."""
        return _HEAD

    def document(self, now: datetime, keep: timedelta) -> Document:
        """Its document, which never expires."""
        del now, keep
        moments = {name: iso(value) for name, value in self if isinstance(value, datetime)}
        names = {"timer": self.timer, "schedule": self.schedule}
        return {**names, **moments, "id": _HEAD, "pk": self.timer, "sort": f"{_HEAD} {self.timer}"}


R = TypeVar("R", Occurrence, Head)


class Which(TypedDict, total=False):
    """Which occurrences a page is of."""

    after: str | None
    """The cursor of the page before."""
    since: datetime | None
    until: datetime | None
    """Up to this moment, which is one of them."""


class OccurrenceStore:
    """Reads and writes the ledger's documents."""

    def __init__(self, documents: DocumentStore, clock: Clock, keep: timedelta) -> None:
        self._documents = documents
        self._clock = clock
        self._keep = keep

    async def create(self, entry: R) -> Versioned[R] | None:
        """Write a new entry; None where there is one already. One call."""
        try:
            etag = await self._documents.create(OCCURRENCES, entry.document(self._clock.now(), self._keep))
        except AlreadyExistsError:
            return None
        return Versioned(entry, etag)

    async def write(self, current: Versioned[R], entry: R) -> Versioned[R] | None:
        """Write what an entry has become; None where somebody else wrote meanwhile. One call."""
        document = entry.document(self._clock.now(), self._keep)
        try:
            return Versioned(entry, await self._documents.replace(OCCURRENCES, document, current.etag))
        except PreconditionError:
            return None

    async def head(self, timer: str) -> Versioned[Head] | None:
        """A timer's head. One call."""
        found = await self._documents.read(OCCURRENCES, timer, _HEAD)
        return Versioned(Head.model_validate(found.value), found.etag) if found else None

    async def read(self, timer: str, moment: datetime) -> Versioned[Occurrence] | None:
        """The entry of a moment, expired or not: its id is taken. One call."""
        found = await self._documents.read(OCCURRENCES, timer, iso(moment))
        return Versioned(Occurrence.model_validate(found.value), found.etag) if found else None

    async def waiting(self, now: datetime) -> AsyncIterator[Occurrence | Head]:
        """Whatever wants a look by now, of all timers, oldest first. One call for each hundred, and at least one."""
        query = Query((Where("watch_at", "<=", iso(now)),), order_by="sort", limit=_BATCH)
        async for each in every(self._documents, OCCURRENCES, query):
            yield (Head if each["id"] == _HEAD else Occurrence).model_validate(each)

    async def page(
        self, timer: str, limit: int, *, state: State | None = None, **which: Unpack[Which]
    ) -> tuple[list[Occurrence], str | None]:
        """A timer's occurrences, newest first, and the cursor of the next page. One call."""
        moments = isos(now=self._clock.now(), since=which.get("since"), until=which.get("until"))
        where = [Where("id", "<=", moments.get("until", _HEAD[0]))]
        where += [Where("id", ">=", moments["since"])] if "since" in moments else []
        where += [Where("state", "=", state.value)] if state else []
        query = Query(tuple(where), descending=True, limit=limit, partition=timer, after=which.get("after"))
        page = await self._documents.query(OCCURRENCES, query)
        alive = [each for each in page.items if each.get("expires_at", "~") > moments["now"]]
        return [Occurrence.model_validate(each) for each in alive], page.cursor
