"""Keys: a document under a key makes the submissions that share the key share a ticket.

Two things use such markers. A dedupe key says what a submission is about. An idempotency key says that two requests are
one: what is sent again gets the ticket of the first, and makes no second job. Both survive a crash between the marker and
the job: who finds a marker whose job was never made makes it, under the id that the marker names.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.containers import DEDUPE
from shared.jobs.errors import InFlightError, KeyReusedError
from shared.jobs.kinds import Dedupe
from shared.jobs.model import Job, Status
from shared.jobs.store import StatusStore
from shared.jobs.ticket import IdempotencyKey, Ticket
from shared.ports import AlreadyExistsError, Clock, Document, DocumentStore
from shared.storage import compare_and_swap, iso, write

IN_FLIGHT = timedelta(seconds=10)
"""How long the request that made a marker may take to make its job, before it is taken for dead."""
_REQUESTS = "~idempotency"
"""What stands in place of a kind in the markers of idempotency keys."""


@dataclass(frozen=True, slots=True)
class Marker:
    """Who owns a key. `mine`: the caller made it, and so makes the job."""

    job_id: str
    mine: bool
    same: bool = True
    """Whether it was made with the same fingerprint."""
    made_at: datetime | None = None
    """When the other owner made it."""


class Keys:
    """Lets each key make one job."""

    def __init__(self, documents: DocumentStore, clock: Clock, status: StatusStore) -> None:
        self._clock = clock
        self._status = status
        self._markers = Markers(documents, clock)

    async def once(self, job: Job, dedupe: Dedupe, ttl: int, take_in: Callable[[Job], Awaitable[Ticket]]) -> Ticket:
        """Take a job in, unless its dedupe key has one already; a marker whose job was never made is adopted."""
        job = job.model_copy(update={"dedupe_id": id_of(job.kind, dedupe.key)})
        marker = await self._markers.own(job.kind, dedupe, ttl, job.job_id)
        if not marker.mine:
            first = await self._status.read(marker.job_id)
            if first and first.value.status is not Status.CANCELLED:
                return Ticket(first.value, first.etag, duplicate=True)
            if first:
                marker = await self._markers.own(job.kind, dedupe, ttl, job.job_id, besides=marker.job_id)
        return await take_in(job.model_copy(update={"job_id": marker.job_id}))

    async def once_for_request(
        self, job: Job, key: IdempotencyKey, take_in: Callable[[Job], Awaitable[Ticket]]
    ) -> Ticket:
        """Take a job in, unless the idempotency key has a ticket already.

        Raises:
            KeyReusedError: the key was used for another request.
            InFlightError: the request that used it first is still at work.
        """
        marker = await self._own(job.job_id, key)
        if not marker.same:
            raise KeyReusedError
        if not marker.mine:
            first = await self._status.read(marker.job_id)
            if first:
                return Ticket(first.value, first.etag, duplicate=True)
            self._wait_for_the_first(marker)
        ticket = await take_in(job.model_copy(update={"job_id": marker.job_id}))
        if ticket.job.job_id != marker.job_id:  # a dedupe key led to an earlier job: from now on this key does too
            await self._own(ticket.job.job_id, key, besides=marker.job_id)
        return ticket

    async def _own(self, job_id: str, key: IdempotencyKey, besides: str = "") -> Marker:
        what = Dedupe(key.key, key.fingerprint)
        return await self._markers.own(
            f"{_REQUESTS}/{key.scope}", what, key.ttl_seconds, job_id, besides=besides, for_good=True
        )

    def _wait_for_the_first(self, marker: Marker) -> None:
        """A marker without a job: its request is at work, or it died, and then whoever comes next makes the job."""
        age = self._clock.now() - marker.made_at if marker.made_at else IN_FLIGHT
        if age < IN_FLIGHT:
            raise InFlightError((IN_FLIGHT - age).total_seconds())


class Markers:
    """The markers of one store. They live for their TTL by their own timestamp, since the store deletes late."""

    def __init__(self, documents: DocumentStore, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock

    async def own(
        self, kind: str, dedupe: Dedupe, ttl_seconds: int, job_id: str, *, besides: str = "", for_good: bool = False
    ) -> Marker:
        """Make the key point to `job_id`, unless it points to another job for the same thing already.

        A marker that has expired or points to the job `besides` is taken over; so is one with another fingerprint,
        unless markers of this sort stand `for_good`, that is, until they expire.
        """
        marker = _document(kind, dedupe, ttl_seconds, job_id, self._clock.now())
        try:
            await self._documents.create(DEDUPE, marker)
        except AlreadyExistsError:
            return await self._take_over(marker, besides, for_good=for_good)
        return Marker(job_id, mine=True)

    @compare_and_swap("the marker", tries=20)
    async def _take_over(self, marker: Document, besides: str, *, for_good: bool) -> Marker:
        there = await self._documents.read(DEDUPE, marker["pk"], marker["id"])
        if there and self._stands(there.value, marker, for_good=for_good) and there.value["job_id"] != besides:
            return _found(there.value, marker)
        await write(self._documents, DEDUPE, marker, there)
        return Marker(marker["job_id"], mine=True)

    def _stands(self, there: dict[str, Any], marker: dict[str, Any], *, for_good: bool) -> bool:
        alive = there["expires_at"] > iso(self._clock.now())
        return bool(alive and (for_good or there["fingerprint"] == marker["fingerprint"]))


def id_of(kind: str, key: str) -> str:
    """The marker's id: a hash, since keys may hold personal data and any character."""
    return hashlib.sha256(f"{kind}\n{key}".encode()).hexdigest()[:40]


def _found(there: dict[str, Any], marker: dict[str, Any]) -> Marker:
    made_at = datetime.fromisoformat(there["made_at"]) if "made_at" in there else None
    same = there["fingerprint"] == marker["fingerprint"]
    return Marker(str(there["job_id"]), mine=there["job_id"] == marker["job_id"], same=same, made_at=made_at)


def _document(kind: str, dedupe: Dedupe, ttl_seconds: int, job_id: str, now: datetime) -> dict[str, Any]:
    marker_id = id_of(kind, dedupe.key)
    return {
        "id": marker_id,
        "pk": marker_id,
        "kind": kind,
        "job_id": job_id,
        "fingerprint": hashlib.sha256(dedupe.fingerprint.encode()).hexdigest()[:16],
        "made_at": iso(now),
        "expires_at": iso(now + timedelta(seconds=ttl_seconds)),
        "ttl": ttl_seconds,
    }
