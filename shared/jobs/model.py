"""The job record: what `jobs/{job_id}/status.json` holds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, JsonValue

from shared.storage import iso, isos

HISTORY_LIMIT = 60
"""Entries of a job's history that are kept, newest last; the first one (submitted) always stays."""


class Status(StrEnum):
    """The states of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @cached_property
    def final(self) -> bool:
        """Whether nothing but a replay leads out of this state."""
        return self not in (Status.QUEUED, Status.RUNNING)


class Priority(StrEnum):
    """Which of the general queues a job takes."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", serialize_by_alias=True)


class Progress(_Record):
    """How far an attempt has come."""

    step: str
    completed: int
    total: int


class Frame(_Record):
    """A place in the code; values are never kept."""

    file: str
    """Without the folder that the app, or the library, is installed in."""
    line: int
    function: str
    own: bool = False
    """Whether it is the app's own code, and no library's."""

    def __str__(self) -> str:
        """As a line of the log has it."""
        return f"{self.file}:{self.line} {self.function}"


def innermost(frames: Sequence[Frame]) -> Frame | None:
    """The innermost frame of the app's own code; where there is none, the innermost of all."""
    own = [frame for frame in frames if frame.own] or frames
    return own[-1] if own else None


class Failure(_Record):
    """Why an attempt failed."""

    type: str
    message: str
    attempt: int
    at: datetime
    frames: tuple[Frame, ...] = ()
    """Where it was raised: the innermost frames, outermost first."""
    causes: tuple[str, ...] = ()
    """What it was raised from, nearest first: type and message."""

    @property
    def place(self) -> Frame | None:
        """The innermost frame of the app's own code; where there is none, the innermost."""
        return innermost(self.frames)

    @property
    def told(self) -> str:
        """Type and place, as a history and the log tell them."""
        return f"{self.type} at {self.place}" if self.place else self.type


class LostChild(_Record):
    """A job of a fan-out that did not complete."""

    key: str
    job_id: str
    error: str


class FanOut(_Record):
    """How far a job has come with the jobs that it is made of. Children are numbered as in the plan."""

    plan: str
    """Name of the blob that holds the plan."""
    total: int
    next: int = 0
    """The first child that was not started yet."""
    under_way: tuple[int, ...] = ()
    completed: int = 0
    failed: int = 0
    cancelled: int = 0
    tally: dict[str, int | float] = {}
    """The sums of the numbers that the results of the children hold."""
    lost: tuple[LostChild, ...] = ()
    """The first of those that failed or were cancelled."""
    told: bool = False
    """Whether its children tell it of their end: from when they first kept it waiting."""

    @property
    def ended(self) -> int:
        """How many children have ended."""
        return self.completed + self.failed + self.cancelled


class Entry(_Record):
    """One event in a job's history."""

    at: datetime
    event: str
    attempt: int
    detail: str | None = None


class Job(_Record):
    """Everything that is known of a job. Values are only made by `machine`; `version` grows with each of them."""

    job_id: str
    kind: str
    status: Status
    version: int
    stamp: str = ""
    """Random token of the write that made this version: by it a writer whose answer was lost knows its own work."""
    priority: Priority = Priority.NORMAL
    payload_version: int = 1
    payload: dict[str, JsonValue] | None = None
    payload_blob: str | None = None
    """Name of the blob that holds a payload too big for a message."""
    created_at: datetime
    updated_at: datetime
    due_at: datetime
    """Queued: not to be claimed before. Running: when the lease ends. Final: when it ended."""
    watch_at: datetime | None = None
    """When the sweep should look whether this job is stuck; None once nothing is left to do."""
    started_at: datetime | None = None
    """When the current attempt, or the last one, was claimed."""
    attempt: int = 0
    """The number of claims so far: the fence of the current attempt."""
    failures: int = 0
    """Attempts that ended in an error since the submission or the last replay."""
    stalls: int = Field(default=0, validation_alias=AliasChoices("lapses", "stalls"), serialization_alias="lapses")
    """Attempts whose worker vanished since the submission or the last replay."""
    shared_stalls: int = 0
    """Attempts whose worker vanished over other jobs as well: any of them may be the cause."""
    beside: int = 0
    """How many attempts ran beside the current one in its process that may as well be the cause, were it to die."""
    overruns: int = 0
    """Attempts since the submission or the last replay that blocked their process beyond their own time."""
    outages: int = 0
    """Attempts in a row that storage let down."""
    resends: int = 0
    moved: int = 0
    """Messages of it that the host moved to a poison queue since an attempt last began."""
    replays: int = 0
    edits: int = 0
    """How many of these edited the payload: steps that were made of another payload do not count."""
    given_up: datetime | None = None
    """`sent_at` of the envelope that the host gave up, where that is what failed the job."""
    message_id: str | None = None
    """Id of the queue message on which the current attempt, or the last one, was claimed; None where the host, and not an
    attempt, failed the job."""
    progress: Progress | None = None
    results: JsonValue = None
    error: Failure | None = None
    decided: str | None = None
    """Why it gives up with `error`, where its kind or the vault are still to be told; no handler runs any more."""
    state: JsonValue = None
    """What an attempt handed over to the next."""
    cancel_requested: bool = False
    dead_letter_id: str | None = None
    discarded_at: datetime | None = None
    """Failed: when an operator set its dead letter aside, so that it may expire."""
    dedupe_id: str | None = None
    parent_id: str | None = None
    """The job that this one is a part of."""
    parent_kind: str | None = None
    """That job's kind, where it is told how this one ended; None: it looks for itself."""
    child_key: str | None = None
    """What this one is called among the jobs that it is made of."""
    told_at: datetime | None = None
    """When it was told how this life (`replays`) ended."""
    suspended_at: datetime | None = None
    """Queued: since when it waits for the jobs that it is made of; no message starts it, and nobody looks."""
    woken_at: datetime | None = None
    """Running: when one of them called for it; so it does not wait, but goes on in another attempt."""
    overrides: dict[str, Any] | None = None
    """What holds for this job in place of its kind's policy, by the policy's names."""
    workflow: bool | None = None
    """Whether it is made of jobs from its start, so that only an attempt of its own can cancel it."""
    fan_out: FanOut | None = None
    """The jobs that this one is made of, if it is made of jobs."""
    callback_url: str | None = None
    """Where the outcome is to be told."""
    callback_job_id: str | None = None
    """The job that tells it, once there is one."""
    trace: str | None = None
    """W3C traceparent of the request that submitted the job."""
    history: tuple[Entry, ...] = ()

    @property
    def callback_due(self) -> bool:
        """Whether the job has ended and its callback's job is still to be made."""
        return self.status.final and self.callback_url is not None and self.callback_job_id is None

    @property
    def tell_due(self) -> bool:
        """Whether the job has ended and the job that it is a part of was not told yet."""
        return self.parent_kind is not None and self.told_at is None and self.status.final

    @property
    def has_children(self) -> bool:
        """Whether it may have jobs under way that it is made of: these are to be cancelled first."""
        return self.workflow is not None or self.fan_out is not None

    def to_json(self) -> bytes:
        """The record as the status blob holds it."""
        return self.model_dump_json(exclude_none=True).encode()

    def to_blob(self) -> tuple[bytes, dict[str, str], dict[str, str]]:
        """The status blob: the record, its metadata and its tags.

        Both carry `watch`, by which the sweep finds what is due without reading each blob: by the tag, or in a listing where
        there are no tags. What is done with has none.
        """
        watch = {} if self.watch_at is None else {"watch": self._watch(self.watch_at)}
        return self.to_json(), {"status": self.status.value, "version": str(self.version), **watch}, watch

    def _watch(self, at: datetime) -> str:
        """The moment, first, so that text order is time order; and what tells whether a look at the record can be spared."""
        if self.status.final or self.cancel_requested:
            return iso(at)
        return f"{iso(at)} {self.status.value} {self.kind} {self.priority.value}"


_NOT_INDEXED: dict[str, Any] = {
    **dict.fromkeys(("payload", "results", "history", "stamp", "message_id", "given_up", "callback_url", "fan_out", "state", "overrides"), True),
    "error": {"frames", "causes"},
}  # fmt: skip


def summary(job: Job) -> dict[str, Any]:
    """The index document of a job: the record without payload, results and history."""
    document = job.model_dump(
        mode="json",
        exclude=_NOT_INDEXED,
        exclude_none=True,
    )
    moments = isos(
        created_at=job.created_at, updated_at=job.updated_at, due_at=job.due_at, watch_at=job.watch_at,
        started_at=job.started_at, discarded_at=job.discarded_at,
    )  # fmt: skip
    return {**document, **moments, "id": job.job_id, "pk": job.job_id}
