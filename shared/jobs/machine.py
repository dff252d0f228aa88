"""The state machine of a job: a pure function from (job, event) to job.

    queued -> running -> completed | failed | cancelled
      ^---------'  retry, or a lease that ended claimed again
      ^-- failed   replay

Nothing here reads a clock or touches storage: events carry their moment, and whoever applies them writes the result
under the condition that the job is still the one that was looked at.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shared.jobs.errors import InvalidTransitionError, SupersededError
from shared.jobs.events import (
    CalledBack,
    Cancelled,
    CancelRequested,
    Claimed,
    Completed,
    Decided,
    Discarded,
    Event,
    Failed,
    Followed,
    HandedOver,
    LetDown,
    Moved,
    Overran,
    Progressed,
    Released,
    Replayed,
    Resent,
    Retried,
    Snoozed,
    Suspended,
    Told,
    Woken,
)
from shared.jobs.model import HISTORY_LIMIT, Entry, Job, Progress, Status


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
        case Suspended():
            return _suspended(job, event)
        case Woken(at):
            return _woken(job, event)
        case HandedOver(at, fence, state):
            _require_current(job, fence, event)
            if job.cancel_requested and not job.has_children:
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
        case Decided():
            return _decided(job, event)
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
        case Followed(at, parent_kind, child_key):
            _require(job, event, Status.QUEUED, Status.RUNNING)
            return _next(job, at, None, parent_kind=parent_kind, child_key=child_key)
        case Told():
            return _told(job, event)


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
        suspended_at=None,
        woken_at=None,
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
    if job.cancel_requested and not job.has_children:
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
    if job.cancel_requested and not job.has_children:
        return _end(job, Status.CANCELLED, event.at)
    due_at = event.at if job.cancel_requested else event.due_at
    return _next(job, event.at, "snoozed", event.reason or None, **_waiting(due_at), **_ORDERLY)


def _decided(job: Job, event: Decided) -> Job:
    decided: dict[str, Any] = {"error": event.error, "decided": event.reason}
    if event.fence is not None:
        _require_current(job, event.fence, event)
        return _next(job, event.at, None, **decided)
    _require(job, event, Status.QUEUED, Status.RUNNING)
    return _next(job, event.at, "to give up", event.error.told, **_waiting(event.at), **decided)


def _suspended(job: Job, event: Suspended) -> Job:
    _require_current(job, event.fence, event)
    detail = event.reason or None
    if job.cancel_requested or job.woken_at:  # meanwhile: there is something to do
        return _next(job, event.at, "goes on", detail, **_waiting(event.at), **_ORDERLY)
    rest = {"status": Status.QUEUED, "message_id": None, "due_at": event.at, "watch_at": None}
    return _next(job, event.at, "suspended", detail, **rest, **_ORDERLY, suspended_at=event.at)


def _woken(job: Job, event: Woken) -> Job:
    if job.status is Status.RUNNING:
        return _next(job, event.at, None, woken_at=event.at)
    if not job.suspended_at:
        raise InvalidTransitionError("it does not wait to be woken")
    return _next(job, event.at, "woken", **_waiting(event.at), suspended_at=None)


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
    return _end(job, Status.FAILED, event.at, detail, **changes)


def _cancel_requested(job: Job, event: CancelRequested) -> Job:
    if job.status is Status.QUEUED and job.has_children:  # an attempt of its own cancels these, and then the job
        at, awake = event.at, {"suspended_at": None}
        return _next(job, at, "cancel requested", event.by, cancel_requested=True, due_at=at, watch_at=at, **awake)
    if job.status is Status.QUEUED:
        return _end(job, Status.CANCELLED, event.at, event.by, cancel_requested=True)
    _require(job, event, Status.RUNNING)
    return _next(job, event.at, "cancel requested", event.by, cancel_requested=True)


def _replayed(job: Job, event: Replayed) -> Job:
    _require(job, event, Status.FAILED)
    if job.callback_due or job.tell_due:
        raise InvalidTransitionError("the outcome of this life is still to be told")
    edited: dict[str, Any] = {}
    if event.payload is not None or event.payload_blob is not None:
        edited = {
            "payload": event.payload,
            "payload_blob": event.payload_blob,
            "payload_version": event.payload_version,
        }
        edited |= {"fan_out": None, "state": None, "edits": job.edits + 1}  # another payload, another plan
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
        told_at=None,
        progress=None,
        due_at=event.at,
        watch_at=event.at,
        **edited,
    )


def _called_back(job: Job, event: CalledBack) -> Job:
    if not job.callback_due or job.replays != event.replays:
        raise InvalidTransitionError("this outcome was told already")
    watch_at = job.watch_at if job.tell_due else None
    return _next(job, event.at, None, callback_job_id=event.callback_job_id, watch_at=watch_at)


def _told(job: Job, event: Told) -> Job:
    if not job.tell_due or job.replays != event.replays:
        raise InvalidTransitionError("this outcome was told already")
    return _next(job, event.at, None, told_at=event.at, watch_at=job.watch_at if job.callback_due else None)


def _end(job: Job, status: Status, at: datetime, detail: str | None = None, **changes: Any) -> Job:
    watch_at = at if job.callback_url or job.parent_kind else None  # until the outcome is told
    changes |= {"decided": None, "suspended_at": None, "woken_at": None}
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


_WORDS: dict[type[Event], str] = {
    CancelRequested: "cancelled",
    Cancelled: "cancelled",
    Claimed: "begun",
    Completed: "completed",
    Discarded: "discarded",
    Failed: "given up",
    Replayed: "replayed",
    Resent: "sent again",
    Moved: "sent again",
}
"""What an event does to a job, to be told to whoever wanted it."""


def _require(job: Job, event: Event, *states: Status) -> None:
    if job.status not in states:
        raise InvalidTransitionError(f"a {job.status} job cannot be {_WORDS.get(type(event), 'changed')}")


def _require_current(job: Job, fence: int, event: Event) -> None:
    if job.attempt != fence:
        raise SupersededError(f"attempt {fence} was superseded by attempt {job.attempt}")
    _require(job, event, Status.RUNNING)
