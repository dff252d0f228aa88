"""Tickets over HTTP: submitting, a job's status and history, what it waits for; cancelling and retrying; lists of jobs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from shared.web.answers import Answer, Problem, cached_answer, json_answer
from shared.web.parameters import IDS, JOB_CURSOR, OF_KIND, PREFER, UUID, WORD, pages_of_time
from shared.web.requests import KEY_PATTERN, read_choice, read_uuid
from shared.web.routes import TICKET, Api, Call, Parameter
from shared.web.rules import INSPECT, OPERATE, READ, SUBMIT

if TYPE_CHECKING:
    from shared.api.schemas import JobView, PayloadView
    from shared.app import App
    from shared.jobs.model import Job
    from shared.storage import Versioned

_NO_STORE = {"Cache-Control": "no-store"}
_SLACK = timedelta(days=7)
_ERA = datetime(2000, 1, 1, tzinfo=UTC)

api = Api(
    __name__,
    "jobs",
    Parameter("job_id", "path", UUID, "The job's id."),
    Parameter("kind", "path", WORD, "The kind's name."),
)
_KEY = Parameter(
    "Idempotency-Key", "header", {"type": "string", "pattern": f"^({KEY_PATTERN})$"},
    "The same key with the same body gets the same ticket.",
)  # fmt: skip
_FILTERS = (
    Parameter(
        "ids", "query", {"type": "string", "pattern": IDS},
        "Only these jobs, up to 50 ids with commas between; those that are not there are left out.",
    ),
    OF_KIND,
    Parameter("id", "query", {"type": "string", "pattern": "^[0-9a-fA-F-]{0,36}$"}, "Only ids that start so."),
    Parameter("parent_id", "query", {"type": "string"}, "Only children of this job."),
    Parameter("status", "query", "shared.jobs.model:Status", "Only in this state."),
)  # fmt: skip
_RESULTS = Parameter(
    "results", "query", {"type": "string", "enum": ["whole"]},
    "`whole`: results of any size; without it `results_excerpt` stands for those over 256 KiB.",
)  # fmt: skip


@api.route(
    "SubmitJob", "POST jobs/{kind}", SUBMIT, {200: "schemas:JobView", 202: "schemas:TicketView"}, (404, 409),
    parameters=(PREFER, _KEY), body="submission:Submission", headers=(*TICKET, "Preference-Applied"),
    samples=({"payload": {"name": "ann"}, "priority": "high"},),
)  # fmt: skip
async def submit_job(app: App, call: Call) -> Answer:
    """Submit a job of a public kind: its ticket (202), or the job (200) where the client waits and it ends in time."""
    from shared.api import submission

    return await submission.submit(app, call)


@api.route(
    "ListJobs", "GET jobs", READ, {200: "schemas:JobPage"}, (422,), parameters=(*_FILTERS, *pages_of_time(JOB_CURSOR))
)
async def list_jobs(app: App, call: Call) -> Answer:
    """Jobs, newest first, from the index."""
    from shared.api.queries import page_of
    from shared.api.views import job_view
    from shared.jobs.model import Job

    page = await page_of(app, call.query)
    items = [job_view(Job.model_validate(item), whole=False) for item in page.items]
    return json_answer({"items": items, "cursor": page.cursor}, headers=_NO_STORE)


@api.route(
    "GetJob", "GET jobs/{job_id}", READ, {200: "schemas:JobView", 304: None}, (400, 404, 422),
    parameters=(PREFER, _RESULTS),
    headers=("Retry-After", "Preference-Applied"),
)  # fmt: skip
async def get_job(app: App, call: Call) -> Answer:
    """A job's status, once it has ended or the client has waited enough (`Prefer: wait`).

    One storage call for a job that has ended, changed or not.
    """
    from shared.api.views import job_view, polled_view
    from shared.web import waiting

    whole = read_choice(call.query, "results", ("whole",))
    current = await _current(app, call)
    seconds = 0 if current.value.status.final else waiting.wanted(call.headers, app.settings.longest_wait_seconds)
    if seconds:
        current = await waiting.until_final(app, current, seconds)
    extra = {**waiting.applied(seconds), **await _retry_after(app, current.value)}
    view, etag = job_view(current.value) if whole else polled_view(current.value, call.api_url), current.etag
    if current.value.workflow and not current.value.status.final:
        etag = etag.strip('"') + await _steps_into(app, current.value, view)
    return cached_answer(view, etag, call.if_none_match, extra)


@api.route("GetJobHistory", "GET jobs/{job_id}/history", READ, {200: "schemas:HistoryView", 304: None}, (400, 404))
async def get_job_history(app: App, call: Call) -> Answer:
    """What has happened to a job, oldest first."""
    from shared.api.views import history_view

    current = await _current(app, call)
    return cached_answer(history_view(current.value), current.etag, call.if_none_match)


@api.route("GetJobPayload", "GET jobs/{job_id}/payload", INSPECT, {200: "schemas:PayloadView"}, (400, 404))
async def get_job_payload(app: App, call: Call) -> Answer:
    """What a job was given to work on. It may be personal: nobody on the way is to keep it."""
    from shared.jobs.errors import UnreadableError

    job = (await _current(app, call)).value
    try:
        payload = await app.engine.deps.payload(job)
    except UnreadableError as error:
        raise Problem(404, "Not found", str(error)) from None
    content: PayloadView = {
        "job_id": job.job_id, "kind": job.kind, "payload_version": job.payload_version, "payload": payload
    }  # fmt: skip
    return json_answer(content, headers=_NO_STORE)


@api.route("GetJobSteps", "GET jobs/{job_id}/steps", READ, {200: "schemas:StepsView"}, (400, 404))
async def get_job_steps(app: App, call: Call) -> Answer:
    """The steps and effects of a job of which something is kept, in the order in which that was written; without results."""
    from shared.api.views import steps_view

    job = (await _current(app, call)).value
    return json_answer(steps_view(job, await app.engine.kept(job)), headers=_NO_STORE)


@api.route("ExplainJob", "GET jobs/{job_id}/explain", READ, {200: "schemas:ExplanationView"}, (400, 404))
async def explain_job(app: App, call: Call) -> Answer:
    """Why a job is not running, and what to do, in words and in fields."""
    from shared.api.queries import circumstances_of
    from shared.api.views import explanation_view
    from shared.jobs.explain import explain

    job = (await _current(app, call)).value
    circumstances = await circumstances_of(app, job)
    seconds = await app.engine.estimates.remaining(job)
    reasons = explain(job, circumstances)
    if job.workflow and not job.status.final and job.kind in app.engine.deps.kinds:
        from shared.workflows.looking import look_at
        from shared.workflows.looking import reasons as of_steps

        reasons += of_steps(await look_at(app.engine.deps, job))
    return json_answer(explanation_view(job, reasons, circumstances, seconds), headers=_NO_STORE)


@api.route(
    "CancelJob", "POST jobs/{job_id}/cancel", OPERATE, {200: "schemas:JobView", 202: "schemas:JobView"}, (400, 404, 409),
    headers=("Retry-After",),
)  # fmt: skip
async def cancel_job(app: App, call: Call) -> Answer:
    """Stop a job: now (200), or at its next checkpoint (202)."""
    from shared.api.views import job_view

    current = await app.engine.cancel(read_uuid(call.path["job_id"], "job_id"), by=call.caller or None)
    if current.value.status.final:
        return json_answer(job_view(current.value))
    return json_answer(job_view(current.value), 202, await _retry_after(app, current.value))


@api.route(
    "RetryJob", "POST jobs/{job_id}/retry", OPERATE, {202: "schemas:TicketView"}, (400, 404, 409), headers=TICKET
)
async def retry_job(app: App, call: Call) -> Answer:
    """Put a failed job back, by replaying its dead letter; 409 for every other state."""
    from shared.api.views import ticket_answer
    from shared.jobs.dead_letters.replay import ReplayOutcome
    from shared.jobs.errors import FieldProblem
    from shared.jobs.model import Status
    from shared.jobs.ticket import Ticket

    current = await _current(app, call)
    if current.value.status is not Status.FAILED or current.value.dead_letter_id is None:
        raise Problem(409, "Conflict", _why_not(current))
    result = await app.engine.replays.one(current.value.dead_letter_id, by=call.caller or "retry")
    if result.outcome is not ReplayOutcome.REPLAYED:
        problems = tuple(FieldProblem(f"payload.{field}", message) for field, message in result.problems)
        raise Problem(409, "Conflict", result.detail or "the job is not failed any more", problems)
    current = await app.engine.get(current.value.job_id)
    return await ticket_answer(app, Ticket(current.value, current.etag), call.api_url)


async def _current(app: App, call: Call) -> Versioned[Job]:
    return await app.engine.get(read_uuid(call.path["job_id"], "job_id"))


def _why_not(current: Versioned[Job]) -> str:
    if current.value.status == "cancelled":
        return "the job was cancelled, and stays so: submit it anew"
    return f"only a failed job can be tried again; this one is {current.value.status}"


async def _retry_after(app: App, job: Job) -> dict[str, str]:
    seconds = await app.engine.estimates.remaining(job)
    return {"Retry-After": str(seconds)} if seconds else {}


async def _steps_into(app: App, run: Job, view: JobView) -> str:
    """Put how far a run has come into the view of its job, which is not written meanwhile; return what to add to its ETag."""
    from shared.workflows.looking import look_at
    from shared.workflows.record import State

    if run.kind not in app.engine.deps.kinds:
        return ""
    look = await look_at(app.engine.deps, run)
    steps = list(look.steps)
    working = [step.node.name for step in steps if step.state is State.RUNNING]
    view["progress"] = {"step": ", ".join(working) or "steps", "completed": look.ended, "total": len(steps)}
    return f".{look.ended}.{len(working)}"
