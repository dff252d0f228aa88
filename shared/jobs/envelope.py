"""The envelope: what travels on a queue.

A JSON object, sent as Base64 and read in either form, so that it does not matter who put it on the queue, and whether the
host decodes what it delivers. Beside kind, id and payload it carries the job's
record as it was when the message was sent, with the ETag of the status blob: a claim that finds the blob unchanged
needs no read. None of its names is one that would overwrite the host's trigger metadata (`id`, `dequeueCount`, ...).
"""

from __future__ import annotations

import base64
import codecs
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, JsonValue, StringConstraints, ValidationError
from pydantic_core import from_json, to_json

from shared.jobs.errors import UnreadableError
from shared.jobs.model import Job

UUID_PATTERN = r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"
LARGEST = 48 * 1024
"""Bytes of an envelope before Base64 makes them the 64 KiB that a queue takes."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message as the host hands it to a queue function."""

    queue: str
    message_id: str
    body: bytes
    inserted_at: datetime | None = None
    dequeue_count: int = 1


class Envelope(BaseModel):
    """One message about one job. `dead_letter` marks a replay: it names the dead letter whose text this is."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    nightshift: Literal[1] = 1
    kind: str
    job_id: Annotated[str, StringConstraints(pattern=UUID_PATTERN)]
    payload_version: int
    payload: dict[str, JsonValue] | None = None
    payload_blob: str | None = None
    attempt: int = 1
    """The attempt that this message is to start."""
    sent_at: datetime
    """When this text was written: no two texts for one job have the same moment, also where one was put back."""
    dead_letter: str | None = None
    etag: str | None = None
    record: Job | None = None

    @property
    def snapshot(self) -> Job | None:
        """The job as it was when the message was sent, payload and all."""
        if self.record is None or self.etag is None or self.record.job_id != self.job_id:
            return None
        return self.record.model_copy(update={"payload": self.payload})


def envelope_of(job: Job, etag: str | None, now: datetime, dead_letter: str | None = None) -> Envelope:
    """Make the envelope that starts a job's next attempt; without an ETag it carries no record."""
    return Envelope(
        kind=job.kind,
        job_id=job.job_id,
        payload_version=job.payload_version,
        payload=job.payload,
        payload_blob=job.payload_blob,
        attempt=job.attempt + 1,
        sent_at=now,
        dead_letter=dead_letter,
        etag=etag,
        record=job.model_copy(update={"payload": None}) if etag else None,
    )


def text_for(job: Job, etag: str, now: datetime) -> str:
    """The text of the message that starts a job's next attempt."""
    return encode(envelope_of(job, etag, now))


def encode(envelope: Envelope) -> str:
    """Write an envelope as a queue holds it, leaving out the record where it would not fit."""
    data = envelope.model_dump_json(exclude_none=True).encode()
    if len(data) > LARGEST:
        data = envelope.model_copy(update={"record": None, "etag": None}).model_dump_json(exclude_none=True).encode()
    return base64.b64encode(data).decode("ascii")


def text_of(body: bytes) -> str:
    """The text that brings a body back on a queue: Base64, unless it is that already."""
    try:
        base64.b64decode(body, validate=True)
    except ValueError:
        return base64.b64encode(body).decode("ascii")
    return body.decode("ascii")


def put_back_text(body: bytes, now: datetime) -> str:
    """The text that brings a body back on a queue as a message of its own: all as it was, but for the moment of sending."""
    try:
        content = from_json(unwrapped(body))
    except ValueError:
        return text_of(body)
    if not isinstance(content, dict):
        return text_of(body)
    return base64.b64encode(to_json({**content, "sent_at": now})).decode("ascii")


def fits(job: Job, now: datetime) -> bool:
    """Whether the job's payload can travel inside a message."""
    envelope = envelope_of(job, None, now, dead_letter="0" * 36)
    return len(envelope.model_dump_json(exclude_none=True).encode()) <= LARGEST


def decode(body: bytes) -> Envelope:
    """Read an envelope from a body as the host delivers it: JSON, or Base64 of it, as people paste it (see `unwrapped`).

    Raises:
        UnreadableError: it is not an envelope of this app; the message says why, without the content.
    """
    content = unwrapped(body)
    try:
        # In two steps, since the model's own parser takes NaN, which is no JSON and which no store would keep.
        return Envelope.model_validate(from_json(content, allow_inf_nan=False))
    except ValueError as error:
        raise UnreadableError(_why(error)) from None


_WRAPPINGS = 4
"""So many wrappings, one in the other, are taken off."""


def unwrapped(body: bytes) -> bytes:
    """The JSON inside of a body, whichever way people and tools have wrapped it.

    Base64, also in lines; UTF-8 with a byte order mark, UTF-16; a JSON string with all that inside.
    """
    for _ in range(_WRAPPINGS):
        inner = _one_less(_utf8(body))
        if inner == body:
            break
        body = inner
    return body


def _one_less(text: bytes) -> bytes:
    if text.startswith(b"{"):
        return text
    try:
        if text.startswith(b'"'):
            return str(from_json(text)).encode()
        return base64.b64decode(b"".join(text.split()), validate=True)
    except ValueError:
        return text


def _utf8(text: bytes) -> bytes:
    """The text as UTF-8 without a mark and without blanks around it; as it is where it cannot be."""
    codec = next((codec for start, codec in _STARTS if text.startswith(start)), None)
    if codec is None and len(text) > 1 and 0 in text[:2]:
        codec = "utf-16-be" if text[0] == 0 else "utf-16-le"  # JSON and Base64 begin in ASCII
    try:
        return (text.decode(codec).encode() if codec else text).strip()
    except ValueError:
        return text


_STARTS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


def _why(error: ValueError) -> str:
    if not isinstance(error, ValidationError):
        return f"not JSON: {error}"
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(map(str, first["loc"]))
    return f"{where}: {first['msg']}" if where else first["msg"]
