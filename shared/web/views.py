"""How jobs and dead letters look from outside. Payloads are shown with dead letters only, to whoever may replay them."""

from __future__ import annotations

from typing import Any

from shared.jobs.model import Job, Status, iso
from shared.jobs.replay import Result
from shared.jobs.submit import Ticket
from shared.jobs.vault import DeadLetter
from shared.web.answers import Answer, json_answer, quoted


def job_view(job: Job) -> dict[str, Any]:
    """A job's status: what a poll answers."""
    view: dict[str, Any] = {
        "job_id": job.job_id,
        "kind": job.kind,
        "status": job.status.value,
        "created_at": iso(job.created_at),
        "updated_at": iso(job.updated_at),
        "attempt": job.attempt,
    }
    if job.progress:
        view["progress"] = job.progress.model_dump()
    if job.status is Status.QUEUED:
        view["next_attempt_at"] = iso(job.due_at)
    if job.status is Status.COMPLETED:
        view["results"] = job.results
    if job.error:
        view["error"] = {"type": job.error.type, "message": job.error.message, "attempt": job.error.attempt}
    if job.status is Status.FAILED:
        view["dead_letter_id"] = job.dead_letter_id
    if job.replays:
        view["replays"] = job.replays
    if job.cancel_requested:
        view["cancel_requested"] = True
    return view


def ticket_answer(ticket: Ticket, api_url: str, retry_after: int) -> Answer:
    """202 with where to ask and when."""
    location = f"{api_url}/jobs/{ticket.job.job_id}"
    content = {
        "job_id": ticket.job.job_id,
        "status": ticket.job.status.value,
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


def replay_view(result: Result) -> dict[str, Any]:
    """What became of a replay."""
    view: dict[str, Any] = {"dead_letter_id": result.dead_letter_id, "outcome": result.outcome.value}
    if result.job_id:
        view["job_id"] = result.job_id
    if result.detail:
        view["detail"] = result.detail
    if result.problems:
        view["errors"] = [{"field": field, "message": message} for field, message in result.problems]
    return view
