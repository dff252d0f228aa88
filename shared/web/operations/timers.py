"""Operations on timers and their ledger."""

from __future__ import annotations

from shared.api import schemas
from shared.api.timers import OccurrencePage, RunRequest, TimerList
from shared.jobs.timers.occurrence import State
from shared.web.operations.model import ETAG, PAGE, TICKET, WORD, Operation, Parameter

_NAME = Parameter("name", "path", WORD, "The timer's name.")
_STATE = Parameter("state", "query", {"enum": [one.value for one in State]}, "Only in this state.")

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        "ListTimers", "get", "timers", "Every timer: schedule, last and next occurrence, health", "timers",
        {200: TimerList, 304: None}, (503,), (ETAG,), headers=("ETag",),
    ),
    Operation(
        "ListOccurrences", "get", "timers/{name}/occurrences", "What became of a timer's occurrences, newest first", "timers",
        {200: OccurrencePage}, (404, 422, 503), (_NAME, _STATE, *PAGE),
    ),
    Operation(
        "RunTimer", "post", "timers/{name}/run", "Run a timer by hand, or make up a missed occurrence", "timers",
        {202: schemas.TicketView}, (400, 404, 409, 413, 422, 503), (_NAME,), RunRequest, body_required=False,
        headers=TICKET, samples=({"scheduled_for": "2026-11-16T09:00:00Z"},),
    ),
)  # fmt: skip
