"""What can happen to a job: values that carry their moment, and the fence of the attempt that says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from shared.jobs.model import Failure, FanOut, Progress


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message took the job for an attempt, until the lease ends."""

    at: datetime
    message_id: str
    lease_until: datetime
    beside: int = 0


@dataclass(frozen=True, slots=True)
class Progressed:
    """The attempt gave a sign of life; what is None of the rest stays as it was."""

    at: datetime
    fence: int
    lease_until: datetime
    progress: Progress | None = None
    fan_out: FanOut | None = None
    beside: int | None = None


@dataclass(frozen=True, slots=True)
class Completed:
    """The attempt's handler returned."""

    at: datetime
    fence: int
    results: JsonValue


@dataclass(frozen=True, slots=True)
class Retried:
    """The attempt failed, and another is due."""

    at: datetime
    fence: int
    error: Failure
    due_at: datetime
    outage: bool = False
    """Whether it was storage that failed once more, after so often that this counts."""


@dataclass(frozen=True, slots=True)
class Snoozed:
    """The attempt has nothing to do until later: not an error, and not the end."""

    at: datetime
    fence: int
    due_at: datetime
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Suspended:
    """The attempt has nothing to do until a job that this one is made of has ended: not an error, and not the end."""

    at: datetime
    fence: int
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Woken:
    """A job that this one is made of has ended: it is to go on."""

    at: datetime


@dataclass(frozen=True, slots=True)
class HandedOver:
    """The attempt goes on in the next one, from `state`: not an error, and not the end."""

    at: datetime
    fence: int
    state: JsonValue


@dataclass(frozen=True, slots=True)
class Released:
    """The attempt could not be brought to an end, since storage failed or the host ends it; its worker lets go of the job."""

    at: datetime
    fence: int
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Overran:
    """The attempt blocks its process beyond its own time: nothing but the end of the process ends it."""

    at: datetime
    fence: int


@dataclass(frozen=True, slots=True)
class LetDown:
    """Storage failed under the handler, which is no fault of the job's."""

    at: datetime
    fence: int
    error: Failure
    due_at: datetime


@dataclass(frozen=True, slots=True)
class Decided:
    """The job gives up, for this reason: all that is left is to tell its kind and the vault. `fence` None: the poison trigger says so."""

    at: datetime
    fence: int | None
    error: Failure
    reason: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The job gave up. `fence` None: not an attempt says so, but the poison trigger."""

    at: datetime
    error: Failure
    dead_letter_id: str
    fence: int | None = None
    given_up: datetime | None = None
    """`sent_at` of the envelope on the poison queue."""


@dataclass(frozen=True, slots=True)
class CancelRequested:
    """Somebody wants the job stopped."""

    at: datetime
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Cancelled:
    """The attempt noticed that it is to stop, and did."""

    at: datetime
    fence: int


@dataclass(frozen=True, slots=True)
class Replayed:
    """An operator put the failed job back."""

    at: datetime
    by: str
    payload: dict[str, JsonValue] | None = None
    payload_version: int | None = None
    payload_blob: str | None = None
    """In place of an edited payload that is too big for a message."""


@dataclass(frozen=True, slots=True)
class Discarded:
    """An operator set the failed job's dead letter aside: it may expire."""

    at: datetime
    by: str


@dataclass(frozen=True, slots=True)
class Resent:
    """The sweep is about to send the job's message again."""

    at: datetime
    watch_at: datetime


@dataclass(frozen=True, slots=True)
class Moved:
    """The host has moved the job's message to a poison queue, and no attempt is to blame: it is about to be sent again."""

    at: datetime
    watch_at: datetime


@dataclass(frozen=True, slots=True)
class CalledBack:
    """The job that tells the outcome of this life (`replays`) was made."""

    at: datetime
    replays: int
    callback_job_id: str


@dataclass(frozen=True, slots=True)
class Followed:
    """The job that this one is a part of wants to be told of its end."""

    at: datetime
    parent_kind: str
    child_key: str


@dataclass(frozen=True, slots=True)
class Told:
    """The job that this one is a part of knows how this life (`replays`) ended."""

    at: datetime
    replays: int


Event = (
    Claimed
    | Progressed
    | Completed
    | Retried
    | Snoozed
    | Suspended
    | Woken
    | HandedOver
    | Released
    | Overran
    | LetDown
    | Decided
    | Failed
    | CancelRequested
    | Cancelled
    | Replayed
    | Discarded
    | Resent
    | Moved
    | CalledBack
    | Followed
    | Told
)
