"""Operations on jobs and kinds."""

from __future__ import annotations

from shared.api import schemas
from shared.api.kinds import PauseRequest
from shared.api.submission import Submission
from shared.jobs.model import Status
from shared.web.operations.model import (
    ETAG,
    IDEMPOTENCY,
    JOB,
    KIND,
    KIND_FILTER,
    PAGE,
    PREFER,
    TICKET,
    Operation,
    Parameter,
)

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "SubmitJob", "post", "jobs/{kind}", "Submit a job of a public kind", "jobs",
        {200: schemas.JobView, 202: schemas.TicketView}, (400, 404, 409, 413, 422, 503),
        (KIND, PREFER, IDEMPOTENCY), Submission, headers=(*TICKET, "Preference-Applied"),
        samples=({"payload": {"name": "ann"}, "priority": "high"},),
    ),
    Operation(
        "ListJobs", "get", "jobs", "List jobs, newest first", "jobs", {200: schemas.JobPage}, (422, 503),
        (KIND_FILTER, Parameter("id", "query", {"type": "string", "pattern": "^[0-9a-fA-F-]{0,36}$"}, "Only ids that start so."), Parameter("parent_id", "query", {"type": "string"}, "Only children of this job."), Parameter("status", "query", {"enum": [one.value for one in Status]}, "Only in this state."), *PAGE),
    ),
    Operation(
        "GetJob", "get", "jobs/{job_id}", "A job's status", "jobs", {200: schemas.JobView, 304: None}, (400, 404, 503),
        (JOB, ETAG, PREFER), headers=("ETag", "Retry-After", "Preference-Applied"),
    ),
    Operation(
        "GetJobHistory", "get", "jobs/{job_id}/history", "What has happened to a job", "jobs",
        {200: schemas.HistoryView, 304: None}, (400, 404, 503), (JOB, ETAG), headers=("ETag",),
    ),
    Operation(
        "ExplainJob", "get", "jobs/{job_id}/explain", "Why a job is not running, and what to do", "jobs",
        {200: schemas.ExplanationView}, (400, 404, 503), (JOB,),
    ),
    Operation(
        "CancelJob", "post", "jobs/{job_id}/cancel", "Stop a job: now (200), or at its next checkpoint (202)", "jobs",
        {200: schemas.JobView, 202: schemas.JobView}, (400, 404, 409, 503), (JOB,), headers=("Retry-After",),
    ),
    Operation(
        "RetryJob", "post", "jobs/{job_id}/retry", "Put a failed job back", "jobs",
        {202: schemas.TicketView}, (400, 404, 409, 503), (JOB,), headers=TICKET,
    ),
    Operation("ListKinds", "get", "kinds", "Every kind of job", "kinds", {200: schemas.KindList}, (503,)),
    Operation(
        "PauseKind", "post", "kinds/{kind}/pause", "Let no further attempt of a kind start", "kinds",
        {200: schemas.KindView}, (400, 404, 413, 422, 503), (KIND,), PauseRequest, body_required=False,
    ),
    Operation(
        "ResumeKind", "post", "kinds/{kind}/resume", "Let a paused kind go on", "kinds",
        {200: schemas.KindView}, (404, 503), (KIND,),
    ),
)  # fmt: skip
