"""Leased locks with fencing tokens, over the document store.

A lease keeps two workers from doing one thing at the same time, as long as both know what time it is. What it cannot
keep from happening is a write of a worker that slept through the end of its lease. So each acquisition has a number,
the fence, which grows by one; who writes under a lock says with which fence, and what was written under a higher one stays.
A lock's document is never deleted, so that its fence never starts anew.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.containers import LOCKS
from shared.jobs.errors import JobsError
from shared.jobs.log import LOG
from shared.ports import Clock, Document, DocumentStore, PreconditionError, StorageError
from shared.storage import iso


class LockedError(JobsError):
    """Somebody else holds the lock."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds
        """For so long, unless they renew it or let go of it."""


class FencedError(JobsError):
    """A later holder of the lock has written already: this one's writes no longer count."""


class LostLockError(JobsError):
    """The lease has ended, and somebody else may hold the lock now."""


@dataclass(slots=True)
class Lock:
    """A lock as its holder knows it."""

    name: str
    fence: int
    """Grows with every acquisition."""
    owner: str
    until: datetime
    """When the lease ends, unless it is renewed."""
    etag: str
    lost: bool = False
    """Whether a renewal found that somebody else has it."""


class Locks:
    """Locks by name."""

    def __init__(self, documents: DocumentStore, clock: Clock, container: str = LOCKS) -> None:
        self._documents = documents
        self._clock = clock
        self._container = container

    async def acquire(self, name: str, seconds: float, owner: str | None = None) -> Lock:
        """Take the lock for so long. Two storage calls.

        Args:
            name: the lock's name; a document's id.
            seconds: how long it is held without being renewed.
            owner: who asks. Whoever holds it under the same name is superseded at once: for what has at most one live
                worker by other means, such as a job, whose next attempt need not wait for the lease of a dead one.

        Raises:
            LockedError: somebody else holds it.
        """
        owner = owner or uuid.uuid4().hex
        found = await self._documents.read(self._container, name, name)
        if found and (left := self._left(found.value)) > 0 and found.value["owner"] != owner:
            raise LockedError(left)
        until = self._clock.now() + timedelta(seconds=seconds)
        fence = found.value["fence"] + 1 if found else 1
        lock = Lock(name, fence, owner, until, etag="")
        try:
            if found:
                lock.etag = await self._documents.replace(self._container, _document(lock), found.etag)
            else:
                lock.etag = await self._documents.create(self._container, _document(lock))
        except PreconditionError:
            raise LockedError(seconds) from None
        return lock

    async def renew(self, lock: Lock, seconds: float) -> None:
        """Hold it for so long from now on. One storage call.

        Raises:
            LostLockError: somebody else has it.
        """
        renewed = Lock(lock.name, lock.fence, lock.owner, self._clock.now() + timedelta(seconds=seconds), "")
        try:
            await self._write(lock, renewed)
        except PreconditionError:
            lock.lost = True
            raise LostLockError from None
        lock.until = renewed.until

    async def release(self, lock: Lock) -> bool:
        """Let go of it; False where somebody else has it already. One storage call."""
        free = Lock(lock.name, lock.fence, "", self._clock.now(), "")
        try:
            await self._write(lock, free)
        except PreconditionError:
            return False
        return True

    def check(self, lock: Lock) -> None:
        """Raise LostLockError if the lease is known to have ended. No storage call; the fence is what settles it."""
        if lock.lost or lock.until <= self._clock.now():
            raise LostLockError

    @asynccontextmanager
    async def hold(self, name: str, seconds: float, owner: str | None = None) -> AsyncIterator[Lock]:
        """Hold the lock, renewing it, until the block ends.

        A lock that cannot be given back for now is left to its lease: what was done under it is done.

        Raises:
            LockedError: somebody else holds it.
        """
        lock = await self.acquire(name, seconds, owner)
        beat = asyncio.create_task(self._beat(lock, seconds))
        try:
            yield lock
        finally:
            beat.cancel()
            with suppress(asyncio.CancelledError):
                await beat
            with suppress(StorageError):
                await self.release(lock)

    async def _beat(self, lock: Lock, seconds: float) -> None:
        while not lock.lost:
            await asyncio.sleep(seconds / 3)
            try:
                await self.renew(lock, seconds)
            except LostLockError:
                return
            except StorageError as error:
                LOG.warning("lock not renewed: lock=%s cause=%s", lock.name, type(error).__name__)

    async def _write(self, lock: Lock, changed: Lock) -> None:
        """Write what a holder changes; once more where the document is its own, by a write whose answer was lost."""
        document = _document(changed)
        try:
            lock.etag = await self._documents.replace(self._container, document, lock.etag)
        except PreconditionError:
            found = await self._documents.read(self._container, lock.name, lock.name)
            if found is None or (found.value["fence"], found.value["owner"]) != (lock.fence, lock.owner):
                raise
            lock.etag = await self._documents.replace(self._container, document, found.etag)

    def _left(self, document: Document) -> float:
        if not document["owner"]:
            return 0.0
        return (datetime.fromisoformat(document["until"]) - self._clock.now()).total_seconds()


def _document(lock: Lock) -> Document:
    return {"id": lock.name, "pk": lock.name, "fence": lock.fence, "owner": lock.owner, "until": iso(lock.until)}
