"""The state machine of a job: a pure function from (job, event) to job.

    queued -> running -> completed | failed | cancelled
      ^---------'  retry, or a lease that ended claimed again
      ^-- failed   replay

Nothing here reads a clock or touches storage: events carry their moment, and whoever applies them writes the result
under the condition that the job is still the one that was looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import JsonValue

from shared.jobs.errors import InvalidTransitionError, SupersededError
from shared.jobs.model import HISTORY_LIMIT, Entry, Failure, FanOut, Job, Progress, Status


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
    """The job is to give up, for this reason, as soon as the vault takes its dead letter."""

    at: datetime
    fence: int
    error: Failure
    reason: str
    due_at: datetime


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


Event = (
    Claimed
    | Progressed
    | Completed
    | Retried
    | Snoozed
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
)


def apply(job: Job, event: Event) -> Job:  # noqa: C901, PLR0912 - one case for each event
    """Return the job after the event.

    Raises:
        SupersededError: the event is of an attempt that is no longer the current one.
        InvalidTransitionError: the job's state does not allow the event.
    """
    match event:
        case Claimed():
            return _claimed(job, event)
        case Progressed():
            return _progressed(job, event)
        case Completed(at, fence, results):
            _require_current(job, fence, event)
            return _end(job, Status.COMPLETED, at, results=results, error=None, progress=_finished(job))
        case Retried():
            return _retried(job, event)
        case Snoozed():
            return _snoozed(job, event)
        case HandedOver(at, fence, state):
            _require_current(job, fence, event)
            if job.cancel_requested and not job.fan_out:
                return _end(job, Status.CANCELLED, at)
            return _next(job, at, "handed over", **_waiting(at), **_ORDERLY, state=state)
        case Released(at, fence, due_at):
            _require_current(job, fence, event)
            return _next(job, at, "released", **_waiting(due_at))
        case Overran(at, fence):
            _require_current(job, fence, event)
            return _next(job, at, "overran", overruns=job.overruns + 1)
        case LetDown(at, fence, error, due_at):
            _require_current(job, fence, event)
            outages = job.outages + 1
            return _next(job, at, "storage failed", error.told, **_waiting(due_at), outages=outages, error=error)
        case Decided(at, fence, error, reason, due_at):
            _require_current(job, fence, event)
            return _next(job, at, "to give up", error.told, **_waiting(due_at), error=error, decided=reason)
        case Failed():
            return _failed(job, event)
        case CancelRequested():
            return _cancel_requested(job, event)
        case Cancelled(at, fence):
            _require_current(job, fence, event)
            return _end(job, Status.CANCELLED, at)
        case Replayed():
            return _replayed(job, event)
        case Discarded(at, by):
            _require(job, event, Status.FAILED)
            return _next(job, at, "discarded", by, discarded_at=at)
        case Resent(at, watch_at):
            _require(job, event, Status.QUEUED, Status.RUNNING)
            return _next(job, at, "resent", watch_at=watch_at, resends=job.resends + 1)
        case Moved(at, watch_at):
            _require(job, event, Status.QUEUED, Status.RUNNING)
            detail = f"for the {job.moved + 1}. time since an attempt began; sent again"
            return _next(job, at, "moved by the host", detail, watch_at=watch_at, moved=job.moved + 1)
        case CalledBack():
            return _called_back(job, event)


def _claimed(job: Job, event: Claimed) -> Job:
    _require(job, event, Status.QUEUED, Status.RUNNING)
    stalled = job.status is Status.RUNNING
    return _next(
        job,
        event.at,
        "claimed after a lapse" if stalled else "claimed",
        status=Status.RUNNING,
        attempt=job.attempt + 1,
        stalls=job.stalls + (stalled and not job.beside),
        shared_stalls=job.shared_stalls + bool(stalled and job.beside),
        beside=event.beside,
        resends=0,
        moved=0,
        message_id=event.message_id,
        due_at=event.lease_until,
        watch_at=event.lease_until,
        started_at=event.at,
    )


def _progressed(job: Job, event: Progressed) -> Job:
    _require_current(job, event.fence, event)
    return _next(
        job,
        event.at,
        None,
        due_at=event.lease_until,
        watch_at=event.lease_until,
        progress=event.progress or job.progress,
        fan_out=event.fan_out or job.fan_out,
        beside=job.beside if event.beside is None else event.beside,
    )


def _retried(job: Job, event: Retried) -> Job:
    _require_current(job, event.fence, event)
    if job.cancel_requested and not job.fan_out:
        return _end(job, Status.CANCELLED, event.at, error=event.error)
    return _next(
        job,
        event.at,
        "retry",
        f"{event.error.told}; next attempt due {event.due_at:%Y-%m-%dT%H:%M:%SZ}",
        failures=job.failures + 1,
        error=event.error,
        **_waiting(event.due_at),
        **(_ORDERLY | {"outages": job.outages} if event.outage else _ORDERLY),
    )


def _snoozed(job: Job, event: Snoozed) -> Job:
    _require_current(job, event.fence, event)
    if job.cancel_requested and not job.fan_out:
        return _end(job, Status.CANCELLED, event.at)
    due_at = event.at if job.cancel_requested else event.due_at
    return _next(job, event.at, "snoozed", event.reason or None, **_waiting(due_at), **_ORDERLY)


def _waiting(due_at: datetime) -> dict[str, Any]:
    """What changes in a job whose attempt has ended, and which waits for the next."""
    return {"status": Status.QUEUED, "message_id": None, "due_at": due_at, "watch_at": due_at}


_ORDERLY: dict[str, Any] = {"stalls": 0, "shared_stalls": 0, "outages": 0}
"""What counts from zero once an attempt came to an end of its own: these counts are of misfortunes in a row."""


def _failed(job: Job, event: Failed) -> Job:
    if event.fence is None:
        _require(job, event, Status.QUEUED, Status.RUNNING)
    else:
        _require_current(job, event.fence, event)
    changes = {"error": event.error, "dead_letter_id": event.dead_letter_id}
    if event.fence is None:
        changes |= {"message_id": None, "given_up": event.given_up}  # the host's own text may come back for it
    detail = f"{event.error.told}; dead letter {event.dead_letter_id}"
    return _end(job, Status.FAILED, event.at, detail, decided=None, **changes)


def _cancel_requested(job: Job, event: CancelRequested) -> Job:
    if job.status is Status.QUEUED and job.fan_out:  # an attempt of its own cancels the children, and then the job
        at = event.at
        return _next(job, at, "cancel requested", event.by, cancel_requested=True, due_at=at, watch_at=at)
    if job.status is Status.QUEUED:
        return _end(job, Status.CANCELLED, event.at, event.by, cancel_requested=True)
    _require(job, event, Status.RUNNING)
    return _next(job, event.at, "cancel requested", event.by, cancel_requested=True)


def _replayed(job: Job, event: Replayed) -> Job:
    _require(job, event, Status.FAILED)
    if job.callback_due:
        raise InvalidTransitionError("the outcome of this life is still to be told to its callback")
    edited: dict[str, Any] = {}
    if event.payload is not None or event.payload_blob is not None:
        edited = {
            "payload": event.payload,
            "payload_blob": event.payload_blob,
            "payload_version": event.payload_version,
        }
        edited |= {"fan_out": None, "state": None}  # another payload, another plan
    return _next(
        job,
        event.at,
        "replayed",
        event.by + (", payload edited" if edited else ""),
        status=Status.QUEUED,
        failures=0,
        **_ORDERLY,
        overruns=0,
        resends=0,
        moved=0,
        replays=job.replays + 1,
        cancel_requested=False,
        discarded_at=None,
        callback_job_id=None,
        progress=None,
        due_at=event.at,
        watch_at=event.at,
        **edited,
    )


def _called_back(job: Job, event: CalledBack) -> Job:
    if not job.callback_due or job.replays != event.replays:
        raise InvalidTransitionError("this outcome was told already")
    return _next(job, event.at, None, callback_job_id=event.callback_job_id, watch_at=None)


def _end(job: Job, status: Status, at: datetime, detail: str | None = None, **changes: Any) -> Job:
    watch_at = at if job.callback_url else None  # until the callback's job is made
    return _next(job, at, status.value, detail, status=status, due_at=at, watch_at=watch_at, **changes)


def _next(job: Job, at: datetime, event: str | None, detail: str | None = None, **changes: Any) -> Job:
    changes |= {"version": job.version + 1, "updated_at": max(at, job.updated_at)}
    if event:
        attempt = changes.get("attempt", job.attempt)
        changes["history"] = _bounded((*job.history, Entry(at=at, event=event, attempt=attempt, detail=detail)))
    return job.model_copy(update=changes)


def _bounded(history: tuple[Entry, ...]) -> tuple[Entry, ...]:
    return history if len(history) <= HISTORY_LIMIT else (history[0], *history[1 - HISTORY_LIMIT :])


def _finished(job: Job) -> Progress | None:
    if job.progress is None:
        return None
    return Progress(step="finished", completed=job.progress.total, total=job.progress.total)


def _require(job: Job, event: Event, *states: Status) -> None:
    if job.status not in states:
        raise InvalidTransitionError(f"{type(event).__name__} cannot happen to a job that is {job.status}")


def _require_current(job: Job, fence: int, event: Event) -> None:
    if job.attempt != fence:
        raise SupersededError(f"attempt {fence} was superseded by attempt {job.attempt}")
    _require(job, event, Status.RUNNING)
