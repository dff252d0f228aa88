"""The status blobs: the record of truth, written only under a condition."""

from __future__ import annotations

import hashlib
import random
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import ValidationError

from shared.jobs.errors import JobNotFoundError, UnreadableError
from shared.jobs.model import Job, Status, iso
from shared.jobs.observe import Observer, Silent
from shared.ports import BlobInfo, BlobStore, Clock, PreconditionError, StorageError

_TRIES = 8
"""How often a write is tried again after somebody else's."""
_PATIENCE = 2
"""How often it is tried again after an answer that did not come; the adapter has retried each of these already."""


@dataclass(frozen=True, slots=True)
class Held:
    """A job with the ETag of the blob that holds it; `written_at` is the service's time, known after a read."""

    job: Job
    etag: str
    written_at: datetime | None = None


class MovedError(Exception):
    """The job was changed by somebody else since it was looked at."""

    def __init__(self, held: Held) -> None:
        super().__init__()
        self.held = held


class StatusStore:
    """Reads and writes `jobs/{job_id}/status.json`.

    Each written version carries a random stamp. A writer whose call failed, or whose condition did not hold, reads the
    blob: if its own stamp is there, the write had taken effect and only its answer was lost.
    """

    def __init__(self, blobs: BlobStore, clock: Clock, observer: Observer | None = None) -> None:
        self._blobs = blobs
        self._clock = clock
        self._observer = observer or Silent()

    async def read(self, job_id: str) -> Held | None:
        """Return the job, or None; UnreadableError where something else is in its place."""
        blob = await self._blobs.read(name_of(job_id))
        if blob is None:
            return None
        return Held(_read(blob.data, job_id), blob.etag, blob.last_modified)

    async def create(self, job: Job) -> tuple[Held, bool]:
        """Write a new job; where its id is taken, return what is there, and False."""
        job = _stamped(job)
        for attempt in range(_TRIES):
            try:
                etag = await self._blobs.create(name_of(job.job_id), job.to_json(), _metadata(job))
                return self._told(None, Held(job, etag)), True
            except StorageError as error:
                there = await self._look(job.job_id, error, attempt)
            if there is not None and there.job.stamp == job.stamp:
                return self._told(None, there), True
            if there is not None:
                return there, False
        raise StorageError(f"job {job.job_id} could not be created")

    async def write(self, held: Held, job: Job) -> Held:
        """Write the next version of a job if it is still the one that is held.

        Raises:
            MovedError: somebody else wrote meanwhile; it carries what they wrote.
            StorageError: storage does not answer.
        """
        job = _stamped(job)
        for attempt in range(_TRIES):
            try:
                etag = await self._blobs.replace(name_of(job.job_id), job.to_json(), held.etag, _metadata(job))
                return self._told(held.job, Held(job, etag))
            except StorageError as error:
                there = await self._look(job.job_id, error, attempt)
            if there is None:
                raise JobNotFoundError(f"job {job.job_id} is gone")
            if there.job.stamp == job.stamp:
                return self._told(held.job, there)
            if there.etag != held.etag:
                raise MovedError(there)
        raise StorageError(f"job {job.job_id} could not be written")

    async def change(self, held: Held, change: Callable[[Job], Job]) -> Held:
        """Write what `change` makes of the job, again on what others wrote meanwhile, until it holds.

        Raises:
            InvalidTransitionError: what the job has become does not allow the change any more.
            StorageError: storage does not answer.
        """
        for _ in range(_TRIES):
            try:
                return await self.write(held, change(held.job))
            except MovedError as moved:
                held = moved.held
        raise StorageError(f"job {held.job.job_id} is changed by others without end")

    def _told(self, before: Job | None, held: Held) -> Held:
        self._observer.changed(before, held.job)
        return held

    async def _look(self, job_id: str, error: StorageError, attempt: int) -> Held | None:
        """See what the blob holds after a failed write; wait a little first where the service itself failed."""
        if not isinstance(error, PreconditionError):
            if attempt >= _PATIENCE:
                raise error
            await self._clock.sleep(0.05 * 4**attempt)
        return await self.read(job_id)

    async def payload(self, name: str) -> bytes | None:
        """Read a payload that was too big for a message."""
        blob = await self._blobs.read(name)
        return blob.data if blob else None

    async def put_payload(self, job_id: str, data: bytes) -> str:
        """Keep a payload that is too big for a message, and return its name, which no other payload can have."""
        name = f"jobs/{job_id}/payload-{hashlib.sha256(data).hexdigest()[:16]}.json"
        with suppress(PreconditionError):
            await self._blobs.create(name, data)
        return name

    async def listing(self, prefix: str = "") -> AsyncIterator[BlobInfo]:
        """Yield the status blobs whose job id starts with the prefix."""
        async for info in self._blobs.list(f"jobs/{prefix}"):
            if info.name.endswith("/status.json"):
                yield info


def name_of(job_id: str) -> str:
    """The name of a job's status blob."""
    return f"jobs/{job_id}/status.json"


def id_of(name: str) -> str:
    """The job id in the name of a status blob."""
    return name.split("/")[1]


def prefixes(since: datetime, until: datetime) -> list[str]:
    """Prefixes of UUIDv7 text that together cover every id made between two moments (and some minutes around).

    Seven hexadecimal digits leave 20 bits of the millisecond timestamp open: each prefix covers some 17 minutes.
    """
    first, last = (int(moment.timestamp() * 1000) >> 20 for moment in (since, until))
    return [f"{window:07x}" for window in range(first, last + 1)]


def made_at(job_id: str) -> float:
    """Seconds since the epoch in a UUIDv7."""
    return (UUID(job_id).int >> 80) / 1000


def _read(data: bytes, job_id: str) -> Job:
    try:
        return Job.model_validate_json(data)
    except ValidationError:  # its own text quotes what it could not read
        raise UnreadableError(f"the status blob of job {job_id} is not one") from None


def _stamped(job: Job) -> Job:
    # No secret: it only has to differ from every other writer's, and the system's random source is slow.
    return job.model_copy(update={"stamp": f"{random.getrandbits(64):016x}"})


def _metadata(job: Job) -> dict[str, str]:
    """What the sweep reads in the listing instead of reading each blob."""
    metadata = {"status": Status(job.status).value, "version": str(job.version)}
    return {**metadata, "watch": iso(job.watch_at)} if job.watch_at else metadata
