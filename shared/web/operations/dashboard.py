"""Operations of the dashboard, and those that only it asks for."""

from __future__ import annotations

from shared.api import letter_groups, queues, schemas
from shared.jobs.dead_letters.vault import Reason
from shared.web.operations.model import ETAG, JOB, KIND_FILTER, MOMENT, Operation, Parameter

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "Dashboard", "get", "dashboard", "The dashboard: a page for browsers", "dashboard", {200: None, 304: None},
        parameters=(ETAG,), headers=("ETag",),
    ),
    Operation(
        "DashboardPart", "get", "dashboard/{name}", "A part of the dashboard's page", "dashboard", {200: None, 304: None}, (404,),
        (Parameter("name", "path", {"type": "string"}, "The part's name."), ETAG), headers=("ETag",),
    ),
    Operation(
        "ListQueues", "get", "queues", "Every queue: depth, age of the oldest, poison", "queues",
        {200: queues.QueueList, 304: None}, (503,), (ETAG,), headers=("ETag",),
    ),
    Operation(
        "ListDeadLetterGroups", "get", "dead-letters/groups", "The newest dead letters by fingerprint", "dead letters",
        {200: letter_groups.LetterGroupList, 304: None}, (422, 503),
        (
            KIND_FILTER,
            Parameter("reason", "query", {"enum": [one.value for one in Reason]}, "Only of this reason."),
            Parameter("replayed", "query", {"type": "boolean", "default": False}, "Those that were replayed instead."),
            Parameter("discarded", "query", {"type": "boolean", "default": False}, "Those that were set aside instead."),
            Parameter("since", "query", MOMENT, "Not before this moment."),
            Parameter("until", "query", MOMENT, "Before this moment."),
            ETAG,
        ),
        headers=("ETag",),
    ),
    Operation(
        "GetJobPayload", "get", "jobs/{job_id}/payload", "What a job was given to work on", "jobs",
        {200: schemas.PayloadView}, (400, 404, 503), (JOB,),
    ),
)  # fmt: skip
