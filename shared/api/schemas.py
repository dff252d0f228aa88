"""How answers look: the types that the views are checked against, and from which the OpenAPI document is made."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import ConfigDict, Field, JsonValue, with_config
from typing_extensions import TypedDict

from shared.jobs.dead_letters.vault import Reason
from shared.jobs.explain import Code
from shared.jobs.kept import State
from shared.jobs.model import Priority, Status
from shared.web.problem import FieldView

Document = dict[str, Any]
"""JSON of a shape of its own: the OpenAPI document."""
Moment = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
Uuid = Annotated[str, Field(json_schema_extra={"format": "uuid"})]
_CLOSED = ConfigDict(extra="forbid")


@with_config(_CLOSED)
class ProgressView(TypedDict):
    """How far a job is."""

    step: str
    completed: int
    total: int


@with_config(_CLOSED)
class FrameView(TypedDict):
    """A place in the code; `own`: the app's own, and no library's."""

    file: str
    line: int
    function: str
    own: bool


@with_config(_CLOSED)
class ErrorView(TypedDict):
    """Why the last attempt failed. `frames`: where it was raised, outermost first; `causes`: from what. Both not in lists."""

    type: str
    message: str
    attempt: int
    frames: NotRequired[list[FrameView]]
    causes: NotRequired[list[str]]


@with_config(_CLOSED)
class ExcerptView(TypedDict):
    """What stands for results that are too large for a poll."""

    bytes: int
    """Of the results as JSON."""
    start: str
    """How their JSON begins."""
    url: str
    """Where the job is had with all of them."""


@with_config(_CLOSED)
class JobView(TypedDict):
    """A job. In lists without its results; with `results_excerpt` in their place where they are over 256 KiB."""

    job_id: Uuid
    kind: str
    status: Status
    created_at: Moment
    updated_at: Moment
    attempt: int
    priority: NotRequired[Priority]
    started_at: NotRequired[Moment]
    finished_at: NotRequired[Moment]
    next_attempt_at: NotRequired[Moment]
    parent_id: NotRequired[Uuid]
    part: NotRequired[str]
    """What it is called among the jobs that its parent is made of."""
    suspended_at: NotRequired[Moment]
    """Since when it waits for the jobs that it is made of."""
    progress: NotRequired[ProgressView]
    results: NotRequired[JsonValue]
    results_excerpt: NotRequired[ExcerptView]
    error: NotRequired[ErrorView]
    dead_letter_id: NotRequired[Uuid | None]
    callback_job_id: NotRequired[Uuid]
    replays: NotRequired[int]
    cancel_requested: NotRequired[bool]


@with_config(_CLOSED)
class TicketView(TypedDict):
    """A ticket: where to ask for the job."""

    job_id: Uuid
    status: Status
    message: str
    duplicate: bool
    created_at: Moment
    status_url: str


@with_config(_CLOSED)
class JobPage(TypedDict):
    """One page of jobs, newest first; `cursor` is to be passed for the next page, null at the end."""

    items: list[JobView]
    cursor: str | None


@with_config(_CLOSED)
class EntryView(TypedDict):
    """One event in a job's history."""

    at: Moment
    event: str
    attempt: int
    detail: NotRequired[str]


@with_config(_CLOSED)
class HistoryView(TypedDict):
    """A job's events, oldest first."""

    job_id: Uuid
    items: list[EntryView]


@with_config(_CLOSED)
class StepView(TypedDict):
    """A step or an effect of a job; `tries`, of a step that waits for its next, that failed."""

    name: str
    what: Literal["step", "effect"]
    state: State
    at: Moment
    attempt: int
    tries: NotRequired[int]


@with_config(_CLOSED)
class StepsView(TypedDict):
    """What is kept of a job's steps and effects, oldest first."""

    job_id: Uuid
    items: list[StepView]


@with_config(_CLOSED)
class PayloadView(TypedDict):
    """What a job was given to work on."""

    job_id: Uuid
    kind: str
    payload_version: int
    payload: dict[str, JsonValue]


@with_config(_CLOSED)
class ReasonView(TypedDict):
    """One thing that a job waits for, or that ended it, and what to do about it."""

    code: Code
    text: str
    advice: str
    until: NotRequired[Moment]


@with_config(_CLOSED)
class QueueView(TypedDict):
    """A queue as it stands; `messages` is about, delayed and running ones included."""

    name: str
    messages: int
    oldest_seconds: float


@with_config(_CLOSED)
class ExplanationView(TypedDict):
    """Why a job is not running, the most telling reason first."""

    job_id: Uuid
    kind: str
    status: Status
    summary: str
    reasons: list[ReasonView]
    queue: QueueView
    estimated_seconds: int


@with_config(_CLOSED)
class KindView(TypedDict):
    """A kind of job."""

    kind: str
    public: bool
    paused: bool
    since: NotRequired[Moment]
    reason: NotRequired[str]
    queue: str
    payload_version: int
    max_attempts: int
    timeout_seconds: float
    client_options: list[str]


@with_config(_CLOSED)
class KindList(TypedDict):
    """Every kind."""

    items: list[KindView]


@with_config(_CLOSED)
class GreetingView(TypedDict):
    """What the app is, and the addresses of what it has."""

    name: str
    says: str
    links: dict[str, str]


@with_config(_CLOSED)
class HealthView(TypedDict):
    """The app answers."""

    status: Literal["alive"]
    timestamp: Moment
    worker_name: str


@with_config(_CLOSED)
class ReplayNote(TypedDict):
    """One replay of a dead letter."""

    at: Moment
    by: str
    job_id: str
    edited: bool


@with_config(_CLOSED)
class DiscardNote(TypedDict):
    """That a dead letter was set aside."""

    at: Moment
    by: str
    reason: str


@with_config(_CLOSED)
class FailureView(TypedDict):
    """The error of a dead letter; `frames`: where it was raised, `causes`: from what."""

    type: str
    message: str
    attempt: int
    at: Moment
    frames: list[FrameView]
    causes: list[str]


@with_config(_CLOSED)
class DeadLetterView(TypedDict):
    """A dead letter; in lists without message text, payload and history."""

    id: Uuid
    reason: Reason
    recorded_at: Moment
    fingerprint: str
    queue: str
    message_text: NotRequired[str]
    kind: NotRequired[str]
    job_id: NotRequired[str]
    job_status: NotRequired[Status]
    payload_version: NotRequired[int]
    payload: NotRequired[dict[str, JsonValue]]
    payload_blob: NotRequired[str]
    attempts: int
    dequeue_count: NotRequired[int]
    error: FailureView
    history: NotRequired[list[EntryView]]
    replays: list[ReplayNote]
    replayed: bool
    discarded: NotRequired[DiscardNote]


@with_config(_CLOSED)
class DeadLetterPage(TypedDict):
    """One page of dead letters, newest first."""

    items: list[DeadLetterView]
    cursor: str | None


@with_config(_CLOSED)
class ReplayView(TypedDict):
    """What became, or with a dry run would become, of a replay."""

    dead_letter_id: Uuid
    outcome: Literal["replayed", "would_replay", "invalid", "not_failed"]
    job_id: NotRequired[str]
    detail: NotRequired[str]
    errors: NotRequired[list[FieldView]]


@with_config(_CLOSED)
class ReplaysView(TypedDict):
    """What became of several replays, and how to go on with those that are older.

    `until`: only what was recorded before this moment is meant; to be passed as `filter.until`, so that nothing which has
    failed since is among the rest. `cursor`: to be passed for the next ones, null at the end.
    """

    dry_run: bool
    counts: dict[str, int]
    results: list[ReplayView]
    until: Moment
    cursor: str | None
