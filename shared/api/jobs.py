"""Tickets over HTTP: a job's status, its history, what it waits for; cancelling and retrying it; and lists of jobs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from shared.api.views import explanation_view, history_view, job_view, ticket_answer
from shared.containers import JOBS
from shared.jobs.dead_letters.replay import ReplayOutcome
from shared.jobs.errors import FieldProblem, UnreadableError
from shared.jobs.explain import Circumstances, explain
from shared.jobs.model import Job, Status, iso
from shared.jobs.store import prefixes
from shared.jobs.submit import Ticket
from shared.ports import Query, Where
from shared.storage import Versioned
from shared.web import waiting
from shared.web.access import who
from shared.web.answers import Answer, Problem, cached_answer, json_answer
from shared.web.requests import invalid, read_choice, read_limit, read_moment, read_uuid

if TYPE_CHECKING:
    from shared.api.schemas import PayloadView
    from shared.app import App

_NO_STORE = {"Cache-Control": "no-store"}
_SLACK = timedelta(days=7)
_ERA = datetime(2000, 1, 1, tzinfo=UTC)


async def show_job(app: App, job_id: str, headers: Mapping[str, str]) -> Answer:
    """A job's status with its ETag, once it has ended or the client has waited enough (`Prefer: wait`).

    One storage call for a job that has ended, changed or not.
    """
    current = await app.engine.get(read_uuid(job_id, "job_id"))
    seconds = 0 if current.value.status.final else waiting.wanted(headers, app.settings.longest_wait_seconds)
    if seconds:
        current = await waiting.until_final(app, current, seconds)
    extra = {**waiting.applied(seconds), **await _retry_after(app, current.value)}
    return cached_answer(job_view(current.value), current.etag, headers.get("if-none-match"), extra)


async def list_jobs(app: App, params: Mapping[str, str]) -> Answer:
    """One page of jobs, newest first, from the index: `items`, and `cursor` for the next page."""
    query = Query(_where(params), descending=True, limit=read_limit(params), after=params.get("cursor") or None)
    page = await app.documents.query(JOBS, query)
    items = [job_view(Job.model_validate(item), whole=False) for item in page.items]
    return json_answer({"items": items, "cursor": page.cursor}, headers=_NO_STORE)


async def show_history(app: App, job_id: str, headers: Mapping[str, str]) -> Answer:
    """A job's events, oldest first."""
    current = await app.engine.get(read_uuid(job_id, "job_id"))
    return cached_answer(history_view(current.value), current.etag, headers.get("if-none-match"))


async def show_payload(app: App, job_id: str) -> Answer:
    """What a job was given to work on. It may be personal: nobody on the way is to keep it."""
    job = (await app.engine.get(read_uuid(job_id, "job_id"))).value
    try:
        payload = await app.engine.deps.payload(job)
    except UnreadableError as error:
        raise Problem(404, "Not found", str(error)) from None
    content: PayloadView = {
        "job_id": job.job_id, "kind": job.kind, "payload_version": job.payload_version, "payload": payload
    }  # fmt: skip
    return json_answer(content, headers=_NO_STORE)


async def explain_job(app: App, job_id: str) -> Answer:
    """What a job waits for, in words and in fields."""
    job = (await app.engine.get(read_uuid(job_id, "job_id"))).value
    circumstances = await _circumstances(app, job)
    seconds = await app.engine.estimates.remaining(job)
    return json_answer(explanation_view(job, explain(job, circumstances), circumstances, seconds), headers=_NO_STORE)


async def cancel(app: App, job_id: str) -> Answer:
    """Cancel a job: 200 where it is cancelled now, 202 where it will stop at its next checkpoint, 409 where it ended."""
    current = await app.engine.cancel(read_uuid(job_id, "job_id"), by=who("") or None)
    if current.value.status.final:
        return json_answer(job_view(current.value))
    return json_answer(job_view(current.value), 202, await _retry_after(app, current.value))


async def retry(app: App, job_id: str, api_url: str) -> Answer:
    """Put a failed job back, by replaying its dead letter: 202 with its ticket. 409 for every other state."""
    current = await app.engine.get(read_uuid(job_id, "job_id"))
    if current.value.status is not Status.FAILED or current.value.dead_letter_id is None:
        raise Problem(409, "Conflict", _why_not(current))
    result = await app.engine.replays.one(current.value.dead_letter_id, by=who("retry"))
    if result.outcome is not ReplayOutcome.REPLAYED:
        problems = tuple(FieldProblem(f"payload.{field}", message) for field, message in result.problems)
        raise Problem(409, "Conflict", result.detail or "the job is not failed any more", problems)
    current = await app.engine.get(current.value.job_id)
    return ticket_answer(
        Ticket(current.value, current.etag), api_url, max(1, await app.engine.estimates.remaining(current.value))
    )


def _why_not(current: Versioned[Job]) -> str:
    if current.value.status is Status.CANCELLED:
        return "the job was cancelled, and stays so: submit it anew"
    return f"only a failed job can be tried again; this one is {current.value.status}"


async def _retry_after(app: App, job: Job) -> dict[str, str]:
    seconds = await app.engine.estimates.remaining(job)
    return {"Retry-After": str(seconds)} if seconds else {}


async def _circumstances(app: App, job: Job) -> Circumstances:
    deps = app.engine.deps
    known = job.kind in deps.kinds
    queue = deps.kinds.queue(job.kind, job.priority) if known else ""
    conditions = await app.engine.estimates.conditions(job)
    return Circumstances(
        now=app.clock.now(),
        queue=queue,
        depth=await app.queues.depth(queue) if known else 0,
        queue_age=conditions.queue_age,
        pause=await deps.pauses.of(job.kind),
        known=known,
        grace=deps.timing.grace,
        sweep_schedule=app.settings.sweep_schedule,
    )


def _where(params: Mapping[str, str]) -> tuple[Where, ...]:
    where = [Where(name, "=", params[name]) for name in ("kind", "parent_id") if params.get(name)]
    if status := read_choice(params, "status", Status):
        where.append(Where("status", "=", status))
    if start := params.get("id", "").lower():
        where += [Where("id", ">=", _start(start)), Where("id", "<", f"{start}~")]
    return (*where, *_period(read_moment(params, "since"), read_moment(params, "until")))


def _period(since: datetime | None, until: datetime | None) -> Iterator[Where]:
    """When a job was created; with bounds of its id, which holds about that time, so that an index leads there.

    A child's id holds the time of its parent, which may have been at work for days.
    """
    if since:
        yield Where("created_at", ">=", iso(since))
        if since > _ERA:
            yield Where("id", ">=", prefixes(since - _SLACK, since - _SLACK)[0])
    if until:
        yield Where("created_at", "<", iso(until))
        if until > _ERA:
            yield Where("id", "<", f"{prefixes(until, until)[0]}~")


def _start(text: str) -> str:
    if not re.fullmatch(r"[0-9a-f-]{1,36}", text):
        raise invalid((FieldProblem("id", "must be the start of a UUID"),))
    return text
