"""Dedupe: a marker document under a derived key makes duplicates of a submission share its ticket."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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


class Markers:
    """The markers of one store. They live for their TTL by their own timestamp, since the store deletes late."""

    def __init__(self, documents: DocumentStore, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock

    async def own(self, kind: str, dedupe: Dedupe, ttl_seconds: int, job_id: str, *, besides: str = "") -> Marker:
        """Make the key point to `job_id`, unless it points to another job for the same thing already.

        A marker that has expired, has another fingerprint, or points to the job `besides` is taken over.
        """
        marker = _document(kind, dedupe, ttl_seconds, job_id, self._clock.now())
        for _ in range(_TRIES):
            try:
                await self._documents.create(DEDUPE, marker)
            except AlreadyExistsError:
                owner = await self._take(marker, besides)
            else:
                owner = job_id
            if owner is not None:
                return Marker(owner, mine=owner == job_id)
        raise StorageError("a dedupe marker is changed by others without end")

    async def _take(self, marker: dict[str, Any], besides: str) -> str | None:
        """Return the job that owns the key after looking; None where the marker changed meanwhile."""
        found = await self._documents.read(DEDUPE, marker["pk"], marker["id"])
        if found is None:
            return None
        there, etag = found
        if _stands(there, marker, self._clock.now()) and there["job_id"] != besides:
            return str(there["job_id"])
        try:
            await self._documents.replace(DEDUPE, marker, etag)
        except PreconditionError:
            return None
        return str(marker["job_id"])


def id_of(kind: str, key: str) -> str:
    """The marker's id: a hash, since keys may hold personal data and any character."""
    return hashlib.sha256(f"{kind}\n{key}".encode()).hexdigest()[:40]


def _stands(there: dict[str, Any], marker: dict[str, Any], now: datetime) -> bool:
    return bool(there["fingerprint"] == marker["fingerprint"] and there["expires_at"] > iso(now))


def _document(kind: str, dedupe: Dedupe, ttl_seconds: int, job_id: str, now: datetime) -> dict[str, Any]:
    marker_id = id_of(kind, dedupe.key)
    return {
        "id": marker_id,
        "pk": marker_id,
        "kind": kind,
        "job_id": job_id,
        "fingerprint": hashlib.sha256(dedupe.fingerprint.encode()).hexdigest()[:16],
        "expires_at": iso((now + timedelta(seconds=ttl_seconds)).astimezone(UTC)),
        "ttl": ttl_seconds,
    }
