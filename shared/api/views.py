"""How things look from outside. Payloads are shown with dead letters only, to whoever may replay them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from shared.jobs.kept import State
from shared.jobs.model import Job, Status
from shared.storage import iso
from shared.web.answers import Answer, dumped, json_answer, quoted

if TYPE_CHECKING:
    from shared.api.schemas import (
        ErrorView,
        ExplanationView,
        HistoryView,
        JobView,
        KindView,
        ReasonView,
        StepsView,
        StepView,
        TicketView,
    )
    from shared.app import App
    from shared.jobs.dead_letters.replay import ReplayResult
    from shared.jobs.dead_letters.vault import DeadLetter
    from shared.jobs.explain import Circumstances, Reason
    from shared.jobs.kept import KeptInfo
    from shared.jobs.kinds import Kind, Policy
    from shared.jobs.model import Failure
    from shared.jobs.pauses import Pause
    from shared.jobs.ticket import Ticket

MOST_RESULTS = 256 * 1024
"""Bytes of JSON up to which results are answered whole to whoever polls."""
_EXCERPT = 4096


def job_view(job: Job, *, whole: bool = True) -> JobView:  # noqa: C901, PLR0912 - one line for each field that may be absent
    """A job's status: what a poll answers; not `whole`: without its results, as in a list."""
    view: JobView = {
        "job_id": job.job_id,
        "kind": job.kind,
        "status": job.status,
        "created_at": iso(job.created_at),
        "updated_at": iso(job.updated_at),
        "attempt": job.attempt,
        "priority": job.priority,
    }
    if job.started_at:
        view["started_at"] = iso(job.started_at)
    if job.progress:
        view["progress"] = {
            "step": job.progress.step, "completed": job.progress.completed, "total": job.progress.total
        }  # fmt: skip
    if job.parent_id:
        view["parent_id"] = job.parent_id
    if job.child_key:
        view["part"] = job.child_key
    if job.suspended_at:
        view["suspended_at"] = iso(job.suspended_at)
    elif job.status is Status.QUEUED:
        view["next_attempt_at"] = iso(job.due_at)
    if job.status.final:
        view["finished_at"] = iso(job.due_at)
    if job.status is Status.COMPLETED and whole:
        view["results"] = job.results
    if job.error:
        view["error"] = error_view(job.error, whole=whole)
    if job.status is Status.FAILED:
        view["dead_letter_id"] = job.dead_letter_id
    if job.callback_job_id:
        view["callback_job_id"] = job.callback_job_id
    if job.replays:
        view["replays"] = job.replays
    if job.cancel_requested:
        view["cancel_requested"] = True
    return view


def error_view(error: Failure, *, whole: bool) -> ErrorView:
    """Why an attempt failed; `whole` with where, and from what."""
    view: ErrorView = {"type": error.type, "message": error.message, "attempt": error.attempt}
    if whole and error.frames:
        view["frames"] = [
            {"file": each.file, "line": each.line, "function": each.function, "own": each.own} for each in error.frames
        ]
    if whole and error.causes:
        view["causes"] = list(error.causes)
    return view


def polled_view(job: Job, api_url: str) -> JobView:
    """A job's status with no more than the start of results that are large: a poll is to stay small."""
    view = job_view(job)
    if "results" not in view or len(text := dumped(view["results"])) <= MOST_RESULTS:
        return view
    start = text[:_EXCERPT].decode(errors="ignore")  # the cut may split a character
    del view["results"]
    view["results_excerpt"] = {"bytes": len(text), "start": start, "url": f"{api_url}/jobs/{job.job_id}?results=whole"}
    return view


def history_view(job: Job) -> HistoryView:
    """A job's events, oldest first."""
    view: HistoryView = {"job_id": job.job_id, "items": []}
    for entry in job.history:
        view["items"].append({"at": iso(entry.at), "event": entry.event, "attempt": entry.attempt})
        if entry.detail:
            view["items"][-1]["detail"] = entry.detail
    return view


def steps_view(job: Job, kept: list[KeptInfo]) -> StepsView:
    """A job's steps and effects, oldest first."""
    view: StepsView = {"job_id": job.job_id, "items": []}
    for each in kept:
        what: Literal["step", "effect"] = "effect" if each.effect else "step"
        item: StepView = {
            "name": each.name, "what": what, "state": each.state, "at": iso(each.at), "attempt": each.attempt
        }  # fmt: skip
        if each.state is State.WAITING:
            item["tries"] = each.tries
        view["items"].append(item)
    return view


def explanation_view(job: Job, reasons: list[Reason], circumstances: Circumstances, seconds: int) -> ExplanationView:
    """Why a job is not running."""
    return {
        "job_id": job.job_id,
        "kind": job.kind,
        "status": job.status,
        "summary": " ".join(reason.text for reason in reasons),
        "reasons": [_reason_view(reason) for reason in reasons],
        "queue": {
            "name": circumstances.queue,
            "messages": circumstances.depth,
            "oldest_seconds": round(circumstances.queue_age, 1),
        },
        "estimated_seconds": seconds,
    }


def _reason_view(reason: Reason) -> ReasonView:
    view: ReasonView = {"code": reason.code, "text": reason.text, "advice": reason.advice}
    if reason.until:
        view["until"] = iso(reason.until)
    return view


def kind_view(kind: Kind[Any], policy: Policy, queue: str, options: frozenset[str], pause: Pause) -> KindView:
    """A kind, and whether it is paused."""
    view: KindView = {
        "kind": kind.name,
        "public": policy.public,
        "paused": pause.paused,
        "queue": queue,
        "payload_version": kind.version,
        "max_attempts": policy.max_attempts,
        "timeout_seconds": policy.timeout_seconds,
        "client_options": sorted(options),
    }
    if pause.paused and pause.since:
        view["since"] = iso(pause.since)
    if pause.paused and pause.reason:
        view["reason"] = pause.reason
    return view


async def ticket_answer(app: App, ticket: Ticket, api_url: str) -> Answer:
    """202 with where to ask and when."""
    retry_after = max(1, await app.engine.estimates.remaining(ticket.job))
    location = f"{api_url}/jobs/{ticket.job.job_id}"
    content: TicketView = {
        "job_id": ticket.job.job_id,
        "status": ticket.job.status,
        "message": "Already taken: this is the first ticket." if ticket.duplicate else "Taken. Poll the status URL.",
        "duplicate": ticket.duplicate,
        "created_at": iso(ticket.job.created_at),
        "status_url": location,
    }
    headers = {"Location": location, "Retry-After": str(retry_after), "ETag": quoted(ticket.etag)}
    return json_answer(content, 202, headers)


def dead_letter_view(letter: DeadLetter, *, whole: bool) -> dict[str, Any]:
    """A dead letter: `whole` with message text, payload and history; in a list without."""
    left_out = set() if whole else {"message_text", "payload", "history"}
    return {**letter.model_dump(mode="json", exclude=left_out, exclude_none=True), "replayed": bool(letter.replays)}


def replay_view(result: ReplayResult) -> dict[str, Any]:
    """What became of a replay."""
    view: dict[str, Any] = {"dead_letter_id": result.dead_letter_id, "outcome": result.outcome.value}
    if result.job_id:
        view["job_id"] = result.job_id
    if result.detail:
        view["detail"] = result.detail
    if result.problems:
        view["errors"] = [{"field": field, "message": message} for field, message in result.problems]
    return view
