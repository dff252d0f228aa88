"""What a submission may bring beside its payload, and what it hands out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict

from shared.jobs.model import Job, Priority


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a submission hands out. `duplicate`: the job is an earlier submission's."""

    job: Job
    etag: str
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A client's key, what of the request it stands for, and how long it is remembered."""

    key: str
    fingerprint: str
    ttl_seconds: int
    scope: str = "replay"
    """Whose key it is: keys of different owners never meet."""


class Options(TypedDict, total=False):
    """What a submission may say beside its payload."""

    priority: Priority | None
    """Which of the general queues the job takes; None: as its kind's policy says."""
    not_before: datetime | None
    trace: str | None
    """W3C traceparent of the request."""
    dedupe_key: str | None
    """In place of the key that the kind derives from the payload; of use where the kind's policy has a dedupe TTL."""
    callback_url: str | None
    """Where the outcome is told; the caller has made sure that it may be."""
    idempotency: IdempotencyKey | None
    """Makes the same request, sent again, get the same ticket."""
    parent_id: str | None
    """The job that this one is a part of; such a job is no duplicate of any other."""
    parent_kind: str | None
    """That job's kind, if it is to be told how this one ends."""
    child_key: str | None
    """What this one is called among the jobs that it is made of."""
    overrides: dict[str, Any] | None
    """What holds for this job in place of its kind's policy."""
    job_id: str | None
    """An id of the caller's own making (a UUIDv7): submitted twice, it is one job."""
