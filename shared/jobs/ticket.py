"""What a submission brings and what it hands out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from shared.jobs.model import Job, Priority

if TYPE_CHECKING:
    from shared.jobs.idempotency import Key


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a submission hands out. `duplicate`: the job is an earlier submission's."""

    job: Job
    etag: str
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class Options:
    """What a submission may say beside its payload."""

    priority: Priority | None = None
    not_before: datetime | None = None
    trace: str | None = None
    dedupe_key: str | None = None
    """In place of the key that the kind derives from the payload; of use where the kind's policy has a dedupe TTL."""
    callback_url: str | None = None
    """Where the outcome is told; the caller has made sure that it may be."""
    idempotency: Key | None = None
    """Makes the same request, sent again, get the same ticket."""
    parent_id: str | None = None
    """The job whose fan-out this one is a part of; such a job is no duplicate of any other."""
    job_id: str | None = None
    """An id of the caller's own making (a UUIDv7): submitted twice, it is one job."""
