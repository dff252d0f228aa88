"""The vault: where dead letters are kept.

A dead letter is the full record of a job that gave up, or of a message that nobody could read. Its id is derived from
what it is about, so that recording it twice keeps one; nothing in it is ever changed but what became of it: its replays,
and that it was discarded. Until either, it is kept for ever.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any
from uuid import NAMESPACE_URL, uuid5

from pydantic import AfterValidator, BaseModel, ConfigDict, JsonValue

from shared.containers import DEAD_LETTERS
from shared.jobs.envelope import Delivery, Envelope, encode, envelope_of, text_of
from shared.jobs.errors import DeadLetterNotFoundError
from shared.jobs.model import Entry, Failure, Frame, Job, Status
from shared.ports import (
    AlreadyExistsError,
    Clock,
    Document,
    DocumentStore,
    Page,
    Query,
    Where,
)
from shared.storage import Versioned, compare_and_swap, every, iso

KEEP = timedelta(days=90)
"""How long what was replayed or discarded is kept, where nothing else is said."""
_NAMESPACE = uuid5(NAMESPACE_URL, "nightshift:dead-letters")


class Reason(StrEnum):
    """Why something became a dead letter."""

    EXHAUSTED = "exhausted"
    """Every attempt failed."""
    FINAL = "final"
    """An error that no retry mends."""
    UNCERTAIN = "uncertain"
    """Nobody knows whether an effect was done: the replay is to say."""
    STALLED = "lapsed"
    """Too many workers vanished over the job."""
    HOST = "host"
    """The host moved the message to the poison queue."""
    UNREADABLE = "unreadable"
    """The message is not an envelope."""
    UNKNOWN = "unknown"
    """An envelope of a kind or version that this code does not know, without a job that waits for newer code."""


class Replay(BaseModel):
    """One replay of a dead letter."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    by: str
    job_id: str
    edited: bool = False


class Discard(BaseModel):
    """That a dead letter was set aside on purpose."""

    model_config = ConfigDict(frozen=True)

    at: datetime
    by: str
    reason: str


class DeadLetter(BaseModel):
    """A dead letter as the vault holds it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    reason: Reason
    recorded_at: datetime
    fingerprint: str
    """Equal for failures that look alike: see `fingerprint`."""
    queue: str
    """The queue on which the message belongs, to be put back there."""
    message_text: str
    """The text to put on the queue: Base64 of an envelope, or of whatever came instead."""
    body_base64: str | None = None
    """Base64 of the message's body exactly as the host delivered it, where it came from a queue."""
    kind: str | None = None
    job_id: str | None = None
    job_status: Status | None = None
    """The job's state when this was recorded, where that is not `failed`."""
    payload_version: int | None = None
    payload: dict[str, JsonValue] | None = None
    payload_blob: str | None = None
    attempts: int = 0
    dequeue_count: int | None = None
    error: Failure
    history: tuple[Entry, ...] = ()
    replays: tuple[Replay, ...] = ()
    discarded: Discard | None = None

    @property
    def open(self) -> bool:
        """Whether nobody has replayed or discarded it yet. What is open is kept for ever."""
        return not self.replays and self.discarded is None

    @property
    def settled_at(self) -> datetime | None:
        """When it was replayed the last time, or discarded, whichever is later; None while it is open."""
        moments = [replay.at for replay in self.replays]
        return max([*moments, self.discarded.at] if self.discarded else moments, default=None)


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except OverflowError:
        raise ValueError("is beyond the calendar") from None


Moment = Annotated[datetime, AfterValidator(_in_utc)]
"""A date and time, UTC where it names no zone."""


class Filter(BaseModel):
    """Which dead letters are meant; what is None does not matter. `replayed` False: only those never replayed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str | None = None
    fingerprint: str | None = None
    reason: Reason | None = None
    job_id: str | None = None
    since: Moment | None = None
    until: Moment | None = None
    replayed: bool | None = None
    discarded: bool | None = None


class Vault:
    """Keeps dead letters in the document store: those that were settled for `keep`, the others for ever."""

    def __init__(self, documents: DocumentStore, clock: Clock, keep: timedelta = KEEP) -> None:
        self._documents = documents
        self._clock = clock
        self._keep = keep

    async def keep(self, letter: DeadLetter) -> bool:
        """Record a dead letter; False where it is recorded already. StorageError where it could not be kept."""
        try:
            await self._documents.create(DEAD_LETTERS, self._document(letter))
        except AlreadyExistsError:
            return False
        return True

    async def get(self, letter_id: str) -> DeadLetter:
        """Return a dead letter, or raise DeadLetterNotFoundError."""
        return (await self._read(letter_id)).value

    async def has(self, letter_id: str) -> bool:
        """Whether the vault holds this dead letter."""
        return await self._documents.read(DEAD_LETTERS, letter_id, letter_id) is not None

    async def find(self, wanted: Filter, limit: int, cursor: str | None = None) -> tuple[list[DeadLetter], str | None]:
        """Return one page of dead letters, newest first, and the cursor of the next page."""
        query = Query(_where(wanted), order_by="sort", descending=True, limit=limit, after=cursor)
        page: Page = await self._documents.query(DEAD_LETTERS, query)
        return [DeadLetter.model_validate(item) for item in page.items if self._alive(item)], page.cursor

    async def open_jobs(self, first: str, last: str) -> set[str]:
        """The jobs with ids in this range of which it holds an open dead letter."""
        where = (Where("job_id", ">=", first), Where("job_id", "<=", last), Where("open", "=", 1))
        query = Query(where, limit=1000, fields=("job_id",))
        return {item["job_id"] async for item in every(self._documents, DEAD_LETTERS, query)}

    async def note_replay(self, letter_id: str, replay: Replay) -> None:
        """Add a replay to a dead letter's record."""

        def noted(letter: DeadLetter) -> DeadLetter:
            if replay in letter.replays:
                return letter  # noted by a write whose answer was lost
            return letter.model_copy(update={"replays": (*letter.replays, replay)})

        await self._change(letter_id, noted)

    async def discard(self, letter_id: str, discard: Discard) -> DeadLetter:
        """Set a dead letter aside; one that is set aside already stays as it is."""
        return await self._change(
            letter_id, lambda letter: letter if letter.discarded else letter.model_copy(update={"discarded": discard})
        )

    @compare_and_swap("the dead letter")
    async def _change(self, letter_id: str, change: Callable[[DeadLetter], DeadLetter]) -> DeadLetter:
        found = await self._read(letter_id)
        changed = change(found.value)
        if changed != found.value:
            await self._documents.replace(DEAD_LETTERS, self._document(changed), found.etag)
        return changed

    async def _read(self, letter_id: str) -> Versioned[DeadLetter]:
        found = await self._documents.read(DEAD_LETTERS, letter_id, letter_id)
        if found is None or not self._alive(found.value):
            raise DeadLetterNotFoundError(f"there is no dead letter {letter_id}")
        return Versioned(DeadLetter.model_validate(found.value), found.etag)

    def _alive(self, document: Document) -> bool:
        return str(document.get("expires_at", "~")) > iso(self._clock.now())

    def _document(self, letter: DeadLetter) -> Document:
        content = letter.model_dump(mode="json", exclude_none=True)
        recorded = iso(letter.recorded_at)
        keys = {"pk": letter.id, "recorded_at": recorded, "sort": f"{recorded}~{letter.id}"}
        marks = {
            "replayed": len(letter.replays),
            "set_aside": int(letter.discarded is not None),
            "open": int(letter.open),
        }
        return {**content, **keys, **marks, **self._expiry(letter)}

    def _expiry(self, letter: DeadLetter) -> Document:
        if letter.settled_at is None:
            return {}
        expires_at = letter.settled_at + self._keep
        return {"expires_at": iso(expires_at), "ttl": max(1, int((expires_at - self._clock.now()).total_seconds()))}


def letter_of_job(job: Job, reason: Reason, error: Failure, queue: str, now: datetime) -> DeadLetter:
    """The dead letter of a job that gives up: one for each life of the job (submission, each replay)."""
    letter_id = letter_id_of(job)
    text = encode(envelope_of(job.model_copy(update={"history": ()}), None, now, dead_letter=letter_id))
    return DeadLetter(
        id=letter_id,
        reason=reason,
        recorded_at=now,
        fingerprint=fingerprint(job.kind, error.type, error.message, error.place),
        queue=queue,
        message_text=text,
        kind=job.kind,
        job_id=job.job_id,
        payload_version=job.payload_version,
        payload=job.payload,
        payload_blob=job.payload_blob,
        attempts=job.attempt,
        error=error,
        history=job.history,
    )


def letter_of_envelope(
    envelope: Envelope, delivery: Delivery, reason: Reason, error: Failure, now: datetime
) -> DeadLetter:
    """The dead letter of a readable message that cannot become, or settle, a job."""
    return letter_of_message(delivery, reason, error, now, kind=envelope.kind).model_copy(
        update={
            "job_id": envelope.job_id,
            "payload_version": envelope.payload_version,
            "payload": envelope.payload,
            "payload_blob": envelope.payload_blob,
        }
    )


def letter_of_message(
    delivery: Delivery, reason: Reason, error: Failure, now: datetime, kind: str | None = None
) -> DeadLetter:
    """The dead letter of a message as it came, byte for byte."""
    return DeadLetter(
        # The body is part of it, since a body can overwrite the message id that the host hands over.
        id=str(
            uuid5(_NAMESPACE, f"{delivery.queue}/{delivery.message_id}/{hashlib.sha256(delivery.body).hexdigest()}")
        ),
        reason=reason,
        recorded_at=now,
        fingerprint=fingerprint(kind or delivery.queue, error.type, error.message),
        queue=delivery.queue.removesuffix("-poison"),
        message_text=text_of(delivery.body),
        body_base64=b64encode(delivery.body).decode("ascii"),
        kind=kind,
        dequeue_count=delivery.dequeue_count,
        error=error,
    )


def letter_id_of(job: Job) -> str:
    """The id of the dead letter of a job's present life."""
    return str(uuid5(_NAMESPACE, f"{job.job_id}/{job.replays}"))


def fingerprint(kind: str, error_type: str, message: str, place: Frame | None = None) -> str:
    """Twelve hexadecimal digits, equal for failures of a kind that differ only in numbers, ids, quoted values and addresses.

    Of the place counts the function, and not the line, so that a deployment does not make old failures look new.
    """
    words = re.sub(r"https?://\S+|'[^']*'|\"[^\"]*\"|[0-9a-fA-F]{8,}|\d+", "*", message)
    where = f"\n{place.file} {place.function}" if place else ""
    return hashlib.sha256(f"{kind}\n{error_type}\n{words}{where}".encode()).hexdigest()[:12]


def _where(wanted: Filter) -> tuple[Where, ...]:
    make: dict[str, Callable[[Any], Where]] = {
        "kind": lambda value: Where("kind", "=", value),
        "fingerprint": lambda value: Where("fingerprint", "=", value),
        "reason": lambda value: Where("reason", "=", str(value)),
        "job_id": lambda value: Where("job_id", "=", value),
        "since": lambda value: Where("recorded_at", ">=", iso(value)),
        "until": lambda value: Where("recorded_at", "<", iso(value)),
        "replayed": lambda value: Where("replayed", ">" if value else "=", 0),
        "discarded": lambda value: Where("set_aside", "=", int(value)),
    }
    return tuple(make[name](value) for name, value in wanted if value is not None)
