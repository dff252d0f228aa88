"""What is kept of steps and effects: a blob each, beside the job's status, written under a condition.

A result that is kept stands: no later write, and no attempt that does not know that it was superseded, changes it.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from urllib.parse import quote, unquote

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from shared.jobs.errors import UnreadableError, UnstorableError
from shared.jobs.model import Job
from shared.ports import BlobInfo, BlobStore, Clock, PreconditionError, StorageError, TooLargeError
from shared.storage import Versioned

_PATIENCE = 2
"""How often a write is tried again whose answer did not come; the adapter has retried each of these already."""
_TRIES = 8
"""How often a write is tried at all."""
_EFFECT = "effect"


class State(StrEnum):
    """How far a step or an effect has come."""

    DONE = "done"
    WAITING = "waiting"
    """A step: it failed, and waits for its next try."""
    BEGUN = "begun"
    """An effect: it was begun, and nothing says how that ended."""
    NOT_DONE = "not_done"
    """An effect: it was begun, and is known not to have happened."""


class Kept(BaseModel):
    """One step or effect, as its blob holds it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    state: State
    at: datetime
    attempt: int
    """Of the attempt that wrote this."""
    stamp: str = ""
    """Random token of the write: by it a writer whose answer was lost knows its own work."""
    tries: int = 1
    """A step that waits: tries that failed."""
    round: str = ""
    """A step that waits: the job's replays and failures; its tries count until these change."""
    result: JsonValue = None
    by: str | None = None
    """An effect: who answered how it had ended, where no attempt knew."""


@dataclass(frozen=True, slots=True)
class KeptInfo:
    """What a listing tells of a step or an effect."""

    name: str
    effect: bool
    state: State
    at: datetime
    attempt: int
    tries: int


def step_blob(job: Job, name: str) -> str:
    """The name of a step's blob. Steps made of another payload, before an operator edited it, are other steps."""
    return f"jobs/{job.job_id}/steps/{job.edits}.{quote(name, safe='')}.json"


def effect_blob(job_id: str, name: str) -> str:
    """The name of an effect's blob. What has happened outside has happened, whatever payload the job has by now."""
    return f"jobs/{job_id}/steps/{_EFFECT}.{quote(name, safe='')}.json"


class KeptStore:
    """Reads and writes what is kept."""

    def __init__(self, blobs: BlobStore, clock: Clock) -> None:
        self._blobs = blobs
        self._clock = clock

    async def read(self, blob_name: str) -> Versioned[Kept] | None:
        """Return what is kept, or None; UnreadableError where something else is in its place."""
        blob = await self._blobs.read(blob_name)
        if blob is None:
            return None
        try:
            return Versioned(Kept.model_validate_json(blob.data), blob.etag)
        except ValidationError:  # its own text quotes what it could not read
            raise UnreadableError(f"the blob {blob_name} does not hold a step") from None

    async def put(self, blob_name: str, kept: Kept, before: Versioned[Kept] | None) -> tuple[Versioned[Kept], bool]:
        """Write in place of what was there before, if that still is.

        Returns:
            What is there now, and whether it is what was to be written: False where somebody else wrote first.

        Raises:
            UnstorableError: it is too large.
            StorageError: storage does not answer.
        """
        try:
            return await self._put(blob_name, kept, before)
        except TooLargeError:
            raise UnstorableError(f"what {kept.name!r} returned is larger than storage takes") from None

    async def _put(self, blob_name: str, kept: Kept, before: Versioned[Kept] | None) -> tuple[Versioned[Kept], bool]:
        kept = kept.model_copy(update={"stamp": f"{random.getrandbits(64):016x}"})
        data = kept.model_dump_json(exclude_none=True).encode()
        metadata = {"state": kept.state.value, "attempt": str(kept.attempt), "tries": str(kept.tries)}
        for attempt in range(_TRIES):
            try:
                if before is None:
                    etag = await self._blobs.create(blob_name, data, metadata)
                else:
                    etag = await self._blobs.replace(blob_name, data, before.etag, metadata)
                return Versioned(kept, etag), True
            except StorageError as error:
                there = await self._reread(blob_name, error, attempt)
            if there is not None and there.value.stamp == kept.stamp:
                return there, True
            if there is not None and (before is None or there.etag != before.etag):
                return there, False
            before = there
        raise StorageError(f"{blob_name} could not be written")

    async def _reread(self, blob_name: str, error: StorageError, attempt: int) -> Versioned[Kept] | None:
        """See what the blob holds after a failed write; wait a little first where the service itself failed."""
        if not isinstance(error, PreconditionError):
            if attempt >= _PATIENCE or isinstance(error, TooLargeError):
                raise error
            await self._clock.sleep(0.05 * 4**attempt)
        return await self.read(blob_name)

    async def of(self, job: Job) -> AsyncIterator[KeptInfo]:
        """Yield what is kept of a job's steps and effects, in the order of their names; what was made of an earlier payload is not."""
        prefix = f"jobs/{job.job_id}/steps/"
        async for info in self._blobs.list(prefix):
            part, _, name = info.name.removeprefix(prefix).removesuffix(".json").partition(".")
            if part in (_EFFECT, str(job.edits)):
                yield _info(info, unquote(name), effect=part == _EFFECT)


def _info(info: BlobInfo, name: str, *, effect: bool) -> KeptInfo:
    metadata: Mapping[str, str] = info.metadata
    return KeptInfo(
        name=name,
        effect=effect,
        state=State(metadata.get("state", State.DONE)),
        at=info.last_modified,
        attempt=int(metadata.get("attempt", "0")),
        tries=int(metadata.get("tries", "1")),
    )
