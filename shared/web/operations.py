"""Every HTTP operation of the app, as the OpenAPI document tells it. A test holds this table to the app's routes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import TypeAdapter

from shared.jobs.model import Status
from shared.jobs.vault import Reason
from shared.taste.feedback import Identifier, TasteFeedback
from shared.web import schemas, summarywomble
from shared.web.dead_letters import ReplayOne, ReplaySome
from shared.web.kinds import PauseWish
from shared.web.submission import KEY_PATTERN, Submission

Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of an operation."""

    name: str
    where: Literal["path", "query", "header"]
    schema: Mapping[str, Any]
    text: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: `answers` by status, None for an answer without a body; `problems` are statuses too."""

    function: str
    method: Literal["get", "post", "delete"]
    route: str
    summary: str
    tag: str
    answers: Mapping[int, Any]
    problems: tuple[int, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    body: Any = None
    body_required: bool = True
    headers: tuple[str, ...] = ()
    """Headers of the answers that are no problems."""
    key: bool = True
    """Whether it needs a function key in Azure."""
    samples: tuple[Any, ...] = field(default=())
    """Examples of the body."""


_UUID: Schema = {"type": "string", "format": "uuid"}
_MOMENT: Schema = {"type": "string", "format": "date-time"}
_WORD: Schema = {"type": "string", "minLength": 1, "maxLength": 100, "pattern": "^[A-Za-z0-9._-]+$"}
_JOB = Parameter("job_id", "path", _UUID, "The job's id.")
_LETTER = Parameter("letter_id", "path", _UUID, "The dead letter's id.")
_KIND = Parameter("kind", "path", _WORD, "The kind's name.")
_USER = Parameter("user_id", "path", TypeAdapter(Identifier).json_schema(), "The user's id.")
_ETAG = Parameter("If-None-Match", "header", {"type": "string"}, "The ETag of an answer that the client holds.")
_PREFER = Parameter(
    "Prefer", "header", {"type": "string"}, "`wait=N` (RFC 7240): hold the answer up to N seconds for a result."
)
_IDEMPOTENCY = Parameter(
    "Idempotency-Key",
    "header",
    {"type": "string", "pattern": f"^({KEY_PATTERN})$"},
    "The same key with the same body gets the same ticket.",
)
_PAGE = (
    Parameter("since", "query", _MOMENT, "Not before this moment."),
    Parameter("until", "query", _MOMENT, "Before this moment."),
    Parameter("limit", "query", {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}, "Items of a page."),
    Parameter("cursor", "query", {"type": "string"}, "The `cursor` of the page before."),
)
_KIND_FILTER = Parameter("kind", "query", {"type": "string"}, "Only of this kind.")
_TICKET = ("Location", "Retry-After", "ETag")

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "SubmitJob", "post", "jobs/{kind}", "Submit a job of a public kind", "jobs",
        {200: schemas.JobView, 202: schemas.TicketView}, (400, 404, 409, 413, 422, 503),
        (_KIND, _PREFER, _IDEMPOTENCY), Submission, headers=(*_TICKET, "Preference-Applied"),
        samples=({"payload": {"name": "ann"}, "priority": "high"},),
    ),
    Operation(
        "ListJobs", "get", "jobs", "List jobs, newest first", "jobs", {200: schemas.JobPage}, (422, 503),
        (_KIND_FILTER, Parameter("status", "query", {"enum": [one.value for one in Status]}, "Only in this state."), *_PAGE),
    ),
    Operation(
        "GetJob", "get", "jobs/{job_id}", "A job's status", "jobs", {200: schemas.JobView, 304: None}, (400, 404, 503),
        (_JOB, _ETAG, _PREFER), headers=("ETag", "Retry-After", "Preference-Applied"),
    ),
    Operation(
        "GetJobHistory", "get", "jobs/{job_id}/history", "What has happened to a job", "jobs",
        {200: schemas.HistoryView, 304: None}, (400, 404, 503), (_JOB, _ETAG), headers=("ETag",),
    ),
    Operation(
        "ExplainJob", "get", "jobs/{job_id}/explain", "Why a job is not running, and what to do", "jobs",
        {200: schemas.ExplanationView}, (400, 404, 503), (_JOB,),
    ),
    Operation(
        "CancelJob", "post", "jobs/{job_id}/cancel", "Stop a job: now (200), or at its next checkpoint (202)", "jobs",
        {200: schemas.JobView, 202: schemas.JobView}, (400, 404, 409, 503), (_JOB,), headers=("Retry-After",),
    ),
    Operation(
        "RetryJob", "post", "jobs/{job_id}/retry", "Put a failed job back", "jobs",
        {202: schemas.TicketView}, (400, 404, 409, 503), (_JOB,), headers=_TICKET,
    ),
    Operation("ListKinds", "get", "kinds", "Every kind of job", "kinds", {200: schemas.KindList}, (503,)),
    Operation(
        "PauseKind", "post", "kinds/{kind}/pause", "Let no further attempt of a kind start", "kinds",
        {200: schemas.KindView}, (400, 404, 413, 422, 503), (_KIND,), PauseWish, body_required=False,
    ),
    Operation(
        "ResumeKind", "post", "kinds/{kind}/resume", "Let a paused kind go on", "kinds",
        {200: schemas.KindView}, (404, 503), (_KIND,),
    ),
    Operation(
        "ListDeadLetters", "get", "dead-letters", "List dead letters, newest first", "dead letters",
        {200: schemas.DeadLetterPage}, (422, 503),
        (
            _KIND_FILTER,
            Parameter("fingerprint", "query", {"type": "string"}, "Only failures that look alike."),
            Parameter("reason", "query", {"enum": [one.value for one in Reason]}, "Only of this reason."),
            Parameter("job_id", "query", {"type": "string"}, "Only of this job."),
            Parameter("replayed", "query", {"type": "boolean"}, "Only those that were replayed, or never were."),
            *_PAGE,
        ),
    ),
    Operation(
        "GetDeadLetter", "get", "dead-letters/{letter_id}", "A dead letter, whole", "dead letters",
        {200: schemas.DeadLetterView}, (400, 404, 503), (_LETTER,),
    ),
    Operation(
        "ReplayDeadLetter", "post", "dead-letters/{letter_id}/replay", "Put a dead letter back", "dead letters",
        {200: schemas.ReplayView, 202: schemas.ReplayView}, (400, 404, 409, 413, 422, 503), (_LETTER,), ReplayOne,
        body_required=False,
    ),
    Operation(
        "ReplayDeadLetters", "post", "dead-letters/replay", "Put back what a filter names", "dead letters",
        {200: schemas.ReplaysView}, (400, 404, 413, 422, 503), body=ReplaySome, body_required=False,
        samples=({"filter": {"kind": "taste-analysis"}, "dry_run": True},),
    ),
    Operation(
        "SummaryWomble", "post", "summarywomble", "Start a collection (202), or ask how one stands (200)", "collection",
        {200: summarywomble.StatusView, 202: summarywomble.StartedView}, (400, 404, 413, 422, 503),
        body=summarywomble.Body, headers=_TICKET,
        samples=({"source": "reddit", "topics": ["technology", "programming"], "limit": 10},),
    ),
    Operation(
        "PostTasteFeedback", "post", "taste/feedback", "Take a signal on an item", "taste",
        {202: schemas.TicketView}, (400, 413, 422, 503), body=TasteFeedback, headers=_TICKET,
        samples=({"user_id": "ann", "item_id": "shirt-1", "signal": "up"},),
    ),
    Operation(
        "GetTasteProfile", "get", "taste/{user_id}", "A user's ranked tastes", "taste",
        {200: schemas.TastePage, 304: None}, (422, 503), (_USER, _ETAG), headers=("ETag",),
    ),
    Operation("DeleteTaste", "delete", "taste/{user_id}", "Forget a user", "taste", {204: None}, (422, 503), (_USER,)),
    Operation("Health", "get", "health", "Whether the app answers", "operation", {200: schemas.HealthView}, key=False),
    Operation(
        "GetOpenApi", "get", "openapi.json", "This document", "operation", {200: dict[str, Any], 304: None},
        parameters=(_ETAG,), headers=("ETag",), key=False,
    ),
)  # fmt: skip
