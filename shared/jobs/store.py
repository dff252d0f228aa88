"""The status blobs: the record of truth, written only under a condition."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from shared.jobs.errors import JobNotFoundError, UnreadableError
from shared.jobs.events import Event
from shared.jobs.log import LOG
from shared.jobs.machine import apply
from shared.jobs.model import Job
from shared.jobs.observe import NullObserver, Observer
from shared.ports import BlobInfo, BlobStore, Clock, PreconditionError, StorageError, TagsRefusedError
from shared.storage import Versioned

_TRIES = 8
"""How often a write is tried again after somebody else's."""
_PATIENCE = 2
"""How often it is tried again after an answer that did not come; the adapter has retried each of these already."""


_REFUSED = timedelta(hours=1)
"""After which tags are tried again: rights may have been granted meanwhile."""
Tags = Mapping[str, str] | None


class ConflictError(Exception):
    """The job was changed by somebody else since it was looked at."""

    def __init__(self, current: Versioned[Job]) -> None:
        super().__init__()
        self.current = current


class StatusStore:
    """Reads and writes `jobs/{job_id}/status.json`.

    Each written version carries a random stamp. A writer whose call failed, or whose condition did not hold, reads the
    blob: if its own stamp is there, the write had taken effect and only its answer was lost.
    """

    def __init__(self, blobs: BlobStore, clock: Clock, observer: Observer | None = None) -> None:
        self._blobs = blobs
        self._clock = clock
        self._observer = observer or NullObserver()
        self._refused_at: datetime | None = None

    async def read(self, job_id: str) -> Versioned[Job] | None:
        """Return the job, or None; UnreadableError where something else is in its place."""
        blob = await self._blobs.read(name_of(job_id))
        if blob is None:
            return None
        return Versioned(_read(blob.data, job_id), blob.etag, blob.last_modified)

    async def create(self, job: Job) -> tuple[Versioned[Job], bool]:
        """Write a new job; where its id is taken, return what is there, and False."""
        job = _stamped(job)
        name, (data, metadata, tags) = name_of(job.job_id), job.to_blob()
        for attempt in range(_TRIES):
            try:
                etag = await self._tagged(lambda tags: self._blobs.create(name, data, metadata, tags), tags)
                return self._observed(None, Versioned(job, etag)), True
            except StorageError as error:
                there = await self._reread(job.job_id, error, attempt)
            if there is not None and there.value.stamp == job.stamp:
                return self._observed(None, there), True
            if there is not None:
                return there, False
        raise StorageError(f"job {job.job_id} could not be created")

    async def write(self, current: Versioned[Job], job: Job) -> Versioned[Job]:
        """Write the next version of a job if it is still the one that is held.

        Raises:
            ConflictError: somebody else wrote meanwhile; it carries what they wrote.
            StorageError: storage does not answer.
        """
        job = _stamped(job)
        name, (data, metadata, tags) = name_of(job.job_id), job.to_blob()
        for attempt in range(_TRIES):
            try:
                etag = await self._tagged(
                    lambda tags: self._blobs.replace(name, data, current.etag, metadata, tags), tags
                )
                return self._observed(current.value, Versioned(job, etag))
            except StorageError as error:
                there = await self._reread(job.job_id, error, attempt)
            if there is None:
                raise JobNotFoundError(f"job {job.job_id} is gone")
            if there.value.stamp == job.stamp:
                return self._observed(current.value, there)
            if there.etag != current.etag:
                raise ConflictError(there)
        raise StorageError(f"job {job.job_id} could not be written")

    @property
    def tags_refused(self) -> bool:
        """Whether this process writes without tags, since the account, or its rights, do not take them."""
        return self._refused_at is not None and self._clock.now() - self._refused_at < _REFUSED

    async def _tagged(self, write: Callable[[Tags], Awaitable[str]], tags: Tags) -> str:
        if not tags or self.tags_refused:
            return await write(None)
        try:
            return await write(tags)
        except TagsRefusedError:
            etag = await write(None)  # where this fails as well, it was not for the tags
        self._refused_at = self._clock.now()
        LOG.warning("tags refused: what is due is looked for in listings")
        return etag

    async def change(self, current: Versioned[Job], event: Event) -> Versioned[Job]:
        """Write the job after an event, again on what others wrote meanwhile, until it holds.

        Raises:
            InvalidTransitionError: what the job has become does not allow the change any more.
            StorageError: storage does not answer.
        """
        for _ in range(_TRIES):
            try:
                return await self.write(current, apply(current.value, event))
            except ConflictError as conflict:
                current = conflict.current
        raise StorageError(f"job {current.value.job_id} is changed by others without end")

    def _observed(self, before: Job | None, current: Versioned[Job]) -> Versioned[Job]:
        self._observer.changed(before, current.value)
        return current

    async def _reread(self, job_id: str, error: StorageError, attempt: int) -> Versioned[Job] | None:
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

    async def put_payload(self, job_id: str, payload: Mapping[str, Any]) -> str:
        """Keep a payload that is too big for a message, and return its name, which no other payload can have."""
        data = compact(payload)
        name = f"jobs/{job_id}/payload-{hashlib.sha256(data).hexdigest()[:16]}.json"
        with suppress(PreconditionError):
            await self._blobs.create(name, data)
        return name

    async def listing(self, prefix: str = "") -> AsyncIterator[BlobInfo]:
        """Yield the status blobs whose job id starts with the prefix."""
        async for info in self._blobs.list(f"jobs/{prefix}"):
            if info.name.endswith("/status.json"):
                yield info


def compact(payload: Mapping[str, Any]) -> bytes:
    """A payload as its own blob holds it."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def name_of(job_id: str) -> str:
    """The name of a job's status blob."""
    return f"jobs/{job_id}/status.json"


def id_of(name: str) -> str:
    """The job id in the name of a status blob."""
    return name.split("/")[1]


def _read(data: bytes, job_id: str) -> Job:
    try:
        return Job.model_validate_json(data)
    except ValidationError:  # its own text quotes what it could not read
        raise UnreadableError(f"the status blob of job {job_id} is not one") from None


def _stamped(job: Job) -> Job:
    # No secret: it only has to differ from every other writer's, and the system's random source is slow.
    return job.model_copy(update={"stamp": f"{random.getrandbits(64):016x}"})
