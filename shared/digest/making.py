"""Making one digest: what is read, what decides that there is none, and what is written in which order."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from shared.digest.compose import Occasion, compose
from shared.digest.model import Candidate, Mood, Reader
from shared.digest.page import render
from shared.digest.reader import Readers
from shared.digest.shelf import shelves
from shared.digest.store import MADE, SKIPPED, DigestStore, Record
from shared.digest.weeks import digest_id, week_of
from shared.jobs.model import iso
from shared.ports import BlobStore, Clock, DocumentStore
from shared.users.store import Household, UserStore

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


Outcome = Made | Skipped
_GONE = Skipped("gone", "there is no such user (any more)")
_OPTED_OUT = Skipped("opted_out", "the user opted out of digests")


@dataclass(frozen=True, slots=True)
class _Week:
    """The week that a digest is for, with the record that it has and the one of the digest before."""

    name: str
    until: str
    present: Record | None
    before: Record | None

    @property
    def seen_until(self) -> str | None:
        """Up to here the user has seen what was new."""
        return self.before.seen_until if self.before else None

    def settled(self, *, remake: bool) -> Outcome | None:
        """What became of this week already, where that stands: what the same run did before, or the week's digest."""
        if self.present is None:
            return None
        if self.present.until == self.until or (self.present.state == MADE and not remake):
            return _outcome(self.present)
        return None


class Maker:
    """Makes digests over the stores that it is given."""

    def __init__(self, documents: DocumentStore, blobs: BlobStore, clock: Clock, settings: Settings) -> None:
        self._users = UserStore(documents, clock)
        self._digests = DigestStore(documents, blobs, clock, settings.weekly_digest_keep_days)
        self._readers = Readers(documents, clock)
        self._shelves = shelves(documents, clock, settings)
        self._settings = settings

    async def make(
        self, user_id: str, until: datetime, *, remake: bool, alive: Callable[[], Awaitable[None]]
    ) -> Outcome:
        """Make a user's digest of the week of a moment, or record why there is none.

        Args:
            user_id: whose.
            until: the moment; what was first seen later is not looked at.
            remake: make it anew where there is one, and of whatever is new.
            alive: raises where this attempt is to stop; asked before anything is written.
        """
        week = await self._week(user_id, until)
        if done := week.settled(remake=remake):
            return done
        home = await self._users.household(user_id)
        if home is None:
            return _GONE
        if not home.user.digest:
            return await self._skip(user_id, week, _OPTED_OUT, "", alive)
        return await self._make(home, week, until, remake, alive)

    async def _make(
        self, home: Household, week: _Week, until: datetime, remake: bool, alive: Callable[[], Awaitable[None]]
    ) -> Outcome:
        opinions, shelf = await asyncio.gather(
            self._digests.opinions(home.user.user_id), self._shelves.at(until)
        )
        reader, signature = await self._readers.read(home, opinions)
        since = self._since(week, until)
        new = shelf.since(since)
        if skipped := self._why_not(week, new, signature, remake):
            return await self._skip(home.user.user_id, week, skipped, signature, alive)
        user = home.user
        occasion = Occasion(user.user_id, week.name, since, until, user.name, user.time_zone)
        data, html, count = await asyncio.to_thread(
            _written, occasion, new, shelf.moods, reader, self._settings.weekly_digest_items
        )
        if not count:
            nothing = Skipped("few_items", "of what is new, all was turned down or is owned already")
            return await self._skip(user.user_id, week, nothing, signature, alive)
        record = Record(
            user.user_id, week.name, MADE, week.until, week.until, signature,
            fingerprint=hashlib.sha256(data).hexdigest()[:24], suggestions=count,
        )  # fmt: skip
        await alive()
        await self._digests.keep(record, data, html)
        return await self._unless_gone(record)

    async def _week(self, user_id: str, until: datetime) -> _Week:
        name = week_of(until)
        records = await self._digests.last_two(user_id, name)
        present = records[0] if records and records[0].week == name else None
        earlier = [record for record in records if record.week != name]
        return _Week(name, iso(until), present, earlier[0] if earlier else None)

    def _since(self, week: _Week, until: datetime) -> datetime:
        """New is what came after the last digest, within the window."""
        window = until - timedelta(days=self._settings.weekly_digest_window_days)
        return max(window, datetime.fromisoformat(week.seen_until)) if week.seen_until else window

    def _why_not(self, week: _Week, new: list[Candidate], signature: str, remake: bool) -> Skipped | None:
        if not new and week.before and week.before.signature == signature:
            return Skipped("unchanged", "nothing is new since the last digest, and nothing else has changed")
        least = 1 if remake else self._settings.weekly_digest_min_items
        if len(new) < least:
            return Skipped("few_items", f"{len(new)} new since the last digest, at least {least} make one")
        return None

    async def _skip(
        self, user_id: str, week: _Week, skipped: Skipped, signature: str, alive: Callable[[], Awaitable[None]]
    ) -> Outcome:
        """Record it, but not over a digest that the week has."""
        if week.present is not None and week.present.state == MADE:
            return skipped
        record = Record(
            user_id, week.name, SKIPPED, week.until, week.seen_until, signature or (week.before.signature if week.before else ""),
            skipped.reason, skipped.detail,
        )  # fmt: skip
        await alive()
        await self._digests.note(record)
        return await self._unless_gone(record)

    async def _unless_gone(self, record: Record) -> Outcome:
        """A user who was deleted meanwhile leaves nothing behind."""
        if await self._users.get(record.user_id) is None:
            await self._digests.forget(record.user_id)
            return _GONE
        return _outcome(record)


def _outcome(record: Record) -> Outcome:
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
