"""Operations on dead letters."""

from __future__ import annotations

from shared.api import schemas
from shared.api.dead_letters import DiscardRequest, ReplayOne, ReplaySome
from shared.jobs.dead_letters.vault import Reason
from shared.web.operations.model import KIND_FILTER, LETTER, PAGE, Operation, Parameter

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "ListDeadLetters", "get", "dead-letters", "List dead letters, newest first", "dead letters",
        {200: schemas.DeadLetterPage}, (422, 503),
        (
            KIND_FILTER,
            Parameter("fingerprint", "query", {"type": "string"}, "Only failures that look alike."),
            Parameter("reason", "query", {"enum": [one.value for one in Reason]}, "Only of this reason."),
            Parameter("job_id", "query", {"type": "string"}, "Only of this job."),
            Parameter("replayed", "query", {"type": "boolean"}, "Only those that were replayed, or never were."),
            Parameter("discarded", "query", {"type": "boolean"}, "Only those that were set aside, or were not."),
            *PAGE,
        ),
    ),
    Operation(
        "GetDeadLetter", "get", "dead-letters/{letter_id}", "A dead letter, whole", "dead letters",
        {200: schemas.DeadLetterView}, (400, 404, 503), (LETTER,),
    ),
    Operation(
        "ReplayDeadLetter", "post", "dead-letters/{letter_id}/replay", "Put a dead letter back", "dead letters",
        {200: schemas.ReplayView, 202: schemas.ReplayView}, (400, 404, 409, 413, 422, 503), (LETTER,), ReplayOne,
        body_required=False,
    ),
    Operation(
        "DiscardDeadLetter", "post", "dead-letters/{letter_id}/discard", "Set a dead letter aside: it may expire", "dead letters",
        {200: schemas.DeadLetterView}, (400, 404, 409, 413, 422, 503), (LETTER,), DiscardRequest,
        samples=({"reason": "a test run"},),
    ),
    Operation(
        "ReplayDeadLetters", "post", "dead-letters/replay", "Put back what a filter names", "dead letters",
        {200: schemas.ReplaysView}, (400, 404, 413, 422, 503), body=ReplaySome, body_required=False,
        samples=({"filter": {"kind": "taste-analysis"}, "dry_run": True},),
    ),
)  # fmt: skip
