"""Making one digest: what is read, what decides that there is none, and what is written in which order."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.domains.digests.candidates import candidate_pools
from shared.domains.digests.compose import Occasion, compose
from shared.domains.digests.model import Candidate, Mood, Reader
from shared.domains.digests.page import render
from shared.domains.digests.reader import Readers
from shared.domains.digests.settings import DigestSettings
from shared.domains.digests.store import MADE, SKIPPED, DigestStore, Record
from shared.domains.digests.weeks import digest_id, week_of
from shared.domains.users.public import Household, UserStore
from shared.ports import BlobStore, Clock, DocumentStore
from shared.storage import iso

if TYPE_CHECKING:
    from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class Made:
    """There is a digest."""

    digest_id: str
    suggestions: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """There is none, for a reason."""

    reason: str
    """`opted_out`, `unchanged`, `few_items` or `gone`."""
    detail: str


DigestOutcome = Made | Skipped
_GONE = Skipped("gone", "there is no such user (any more)")
_OPTED_OUT = Skipped("opted_out", "the user opted out of digests")
_NOTHING_LEFT = Skipped("few_items", "of what is new, all was turned down or is owned already")
_MADE_BEFORE = Skipped("made_before", "the week has its digest already, by another run")


@dataclass(frozen=True, slots=True)
class DigestRequest:
    """A digest that is wanted."""

    user_id: str
    until: datetime
    """What was first seen later is not looked at. Its ISO week is the digest's."""
    remake: bool
    """Make it anew where the week has one, and of whatever is new."""
    alive: Callable[[], Awaitable[None]]
    """Raises where this attempt is to stop; asked before anything is written."""

    @property
    def week(self) -> str:
        """The week of the digest."""
        return week_of(self.until)


@dataclass(frozen=True, slots=True)
class _Past:
    """The record that the week has, and that of the week before it which has one."""

    present: Record | None
    before: Record | None

    @property
    def seen_until(self) -> str | None:
        """Up to here the user has seen what was new."""
        return self.before.seen_until if self.before else None

    def settled(self, request: DigestRequest) -> DigestOutcome | None:
        """What became of this week already, where that stands: what the same run did before, or the week's digest."""
        if self.present is None:
            return None
        if self.present.until == iso(request.until):
            return _outcome(self.present)
        return _MADE_BEFORE if self.present.state == MADE and not request.remake else None


class Maker:
    """Makes digests over the stores that it is given."""

    def __init__(self, documents: DocumentStore, blobs: BlobStore, clock: Clock, settings: Settings) -> None:
        self._users = UserStore(documents, clock)
        self._digests = DigestStore(documents, blobs, clock, settings.of(DigestSettings).keep_days)
        self._readers = Readers(documents, clock)
        self._pools = candidate_pools(documents, clock, settings)
        self._settings = settings.of(DigestSettings)

    async def make(self, request: DigestRequest) -> DigestOutcome:
        """Make a digest, or record why there is none."""
        past = await self._past(request)
        if done := past.settled(request):
            return done
        home = await self._users.household(request.user_id)
        if home is None:
            return _GONE
        if not home.user.digest:
            return await self._skip(request, past, _OPTED_OUT)
        return await self._make(request, past, home)

    async def _make(self, request: DigestRequest, past: _Past, home: Household) -> DigestOutcome:
        opinions, candidates = await asyncio.gather(
            self._digests.opinions(request.user_id), self._pools.at(request.until)
        )
        reader, signature = await self._readers.read(home, opinions)
        since = self._since(request, past)
        new = candidates.since(since)
        if skipped := self._why_not(request, past, new, signature):
            return await self._skip(request, past, skipped, signature)
        occasion = Occasion(request.user_id, request.week, since, request.until, home.user.name, home.user.time_zone)
        size = self._settings.items
        data, html, count = await asyncio.to_thread(_written, occasion, new, candidates.moods, reader, size)
        if not count:
            return await self._skip(request, past, _NOTHING_LEFT, signature)
        record = _record(request, MADE, iso(request.until), signature)
        record = replace(record, fingerprint=hashlib.sha256(data).hexdigest()[:24], suggestions=count)
        await request.alive()
        await self._digests.keep(record, data, html)
        return await self._unless_gone(record)

    async def _past(self, request: DigestRequest) -> _Past:
        records = await self._digests.last_two(request.user_id, request.week)
        present = next((record for record in records if record.week == request.week), None)
        return _Past(present, next((record for record in records if record.week != request.week), None))

    def _since(self, request: DigestRequest, past: _Past) -> datetime:
        """New is what came after the last digest, within the window."""
        window = request.until - timedelta(days=self._settings.window_days)
        return max(window, datetime.fromisoformat(past.seen_until)) if past.seen_until else window

    def _why_not(self, request: DigestRequest, past: _Past, new: list[Candidate], signature: str) -> Skipped | None:
        if not new and past.before and past.before.signature == signature:
            return Skipped("unchanged", "nothing is new since the last digest, and nothing else has changed")
        least = 1 if request.remake else self._settings.min_items
        if len(new) < least:
            return Skipped("few_items", f"{len(new)} new since the last digest; at least {least} make one")
        return None

    async def _skip(self, request: DigestRequest, past: _Past, why: Skipped, signature: str = "") -> DigestOutcome:
        """Record that there is none, but not over a digest that the week has."""
        if past.present is not None and past.present.state == MADE:
            return why
        known = signature or (past.before.signature if past.before else "")
        record = replace(_record(request, SKIPPED, past.seen_until, known), reason=why.reason, detail=why.detail)
        await request.alive()
        await self._digests.note(record)
        return await self._unless_gone(record)

    async def _unless_gone(self, record: Record) -> DigestOutcome:
        """A user who was deleted meanwhile leaves nothing behind."""
        if await self._users.get(record.user_id) is None:
            await self._digests.forget(record.user_id)
            return _GONE
        return _outcome(record)


def _record(request: DigestRequest, state: str, seen_until: str | None, signature: str) -> Record:
    return Record(request.user_id, request.week, state, iso(request.until), seen_until, signature)


def _outcome(record: Record) -> DigestOutcome:
    if record.state == MADE:
        return Made(digest_id(record.user_id, record.week), record.suggestions)
    return Skipped(record.reason or "", record.detail or "")


def _written(
    occasion: Occasion, new: list[Candidate], moods: tuple[Mood, ...], reader: Reader, size: int
) -> tuple[bytes, bytes, int]:
    """The digest as JSON and as a page, and how many suggestions it has. Some 10 ms of work: not for the event loop."""
    digest = compose(occasion, new, moods, reader, size)
    data = json.dumps(digest, ensure_ascii=False, indent=1).encode(errors="replace")
    return data, render(digest).encode(errors="replace"), len(digest["suggestions"])
