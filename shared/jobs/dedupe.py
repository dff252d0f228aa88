"""Markers: a document under a key makes the submissions that share the key share a ticket.

Two things use them. A dedupe key says what a submission is about; an idempotency key (`shared.jobs.idempotency`) says
that two requests are one. Both survive a crash between the marker and the job: who finds a marker whose job was never
made makes it, under the id that the marker names.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.containers import DEDUPE
from shared.jobs.kinds import Dedupe
from shared.jobs.model import iso
from shared.ports import AlreadyExistsError, Clock, DocumentStore, PreconditionError, StorageError

_TRIES = 20


@dataclass(frozen=True, slots=True)
class Marker:
    """Who owns a key. `mine`: the caller made it, and so makes the job."""

    job_id: str
    mine: bool
    same: bool = True
    """Whether it was made with the same fingerprint."""
    made_at: datetime | None = None
    """When the other owner made it."""


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
        for _ in range(_TRIES):
            try:
                await self._documents.create(DEDUPE, marker)
                return Marker(job_id, mine=True)
            except AlreadyExistsError:
                found = await self._documents.read(DEDUPE, marker["pk"], marker["id"])
            if found is None:
                continue
            there, etag = found
            if self._stands(there, marker, for_good=for_good) and there["job_id"] != besides:
                return _found(there, marker)
            with suppress(PreconditionError):
                await self._documents.replace(DEDUPE, marker, etag)
                return Marker(job_id, mine=True)
        raise StorageError("a marker is changed by others without end")

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
