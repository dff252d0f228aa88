"""The record of a run: what `jobs/{run_id}/run.json` holds, and what is kept beside it.

It holds no payloads and no lists of items or ids: a step that is done by a job for each of many items is told by a few numbers and a
bitmap. So it stays small, however much a run has to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, JsonValue

from shared.jobs.ids import derived_id
from shared.jobs.model import Priority

LISTED = 20
"""So many of the items that did not complete are listed with their error; all are counted."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class Ref(_Record):
    """Where a value is kept that is too big for the record."""

    blob: str
    sha256: str
    bytes: int


class Kept(_Record):
    """A value: small, as it is; else where it is."""

    value: JsonValue = None
    ref: Ref | None = None


class State(StrEnum):
    """What has become of a step."""

    PENDING = "pending"
    """Something before it has not ended."""
    READY = "ready"
    """All before it has ended: what it is to do is being found out. Never written."""
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        """Whether nothing but a replay changes it."""
        return self in (State.COMPLETED, State.FAILED, State.SKIPPED, State.CANCELLED)


class Lost(_Record):
    """An item that did not complete."""

    index: int
    job_id: str
    error: str


class Items(_Record):
    """How far a step has come that is done by a job for each item."""

    plan: str
    """What the names of the blobs begin with that hold the items."""
    total: int
    page: int
    """Items in each of these blobs."""
    next: int = 0
    """The first item that was not started yet."""
    under_way: tuple[int, ...] = ()
    completed: int = 0
    lost: str = "0"
    """The items that did not complete, as the bits of a hexadecimal number."""
    errors: tuple[Lost, ...] = ()
    """The first of them."""
    lives: dict[int, int] = {}
    """How often those items were replayed that were."""
    pages: tuple[str, ...] = ()
    """The blobs that hold the results so far."""
    buffer: tuple[tuple[int, Kept], ...] = ()
    """Results that are in none of these yet."""

    @property
    def failed(self) -> int:
        """How many items did not complete."""
        return int(self.lost, 16).bit_count()

    @property
    def ended(self) -> int:
        """How many items have ended."""
        return self.completed + self.failed

    def is_lost(self, index: int) -> bool:
        """Whether an item did not complete."""
        return bool(int(self.lost, 16) >> index & 1)


class StepState(_Record):
    """How far one step has come."""

    state: State = State.PENDING
    reason: str | None = None
    """Why it failed, was skipped or was cancelled."""
    tolerated: bool = False
    """Failed: whether others go on as if it had not."""
    result: Kept | None = None
    items: Items | None = None
    job: bool = False
    """Whether it has a job that can be replayed."""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    life: int = 0
    """How often it was begun anew, with jobs of its own."""
    replays: int = 0
    """How often its job was replayed."""


class Outcome(StrEnum):
    """How a run ended."""

    COMPLETED = "completed"
    WITH_FAILURES = "completed with failures"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Part:
    """One thing of a run that is under way: a step's job, an item's, or a timer."""

    step: str
    index: int | None = None
    timer: bool = False

    @property
    def key(self) -> str:
        """What its job is called among those of the run."""
        if self.timer:
            return f":timer/{self.step}"
        return self.step if self.index is None else f"{self.step}/{self.index}"

    @classmethod
    def of(cls, key: str) -> Part:
        """The part that is called so."""
        if key.startswith(":timer/"):
            return cls(key.removeprefix(":timer/"), None, timer=True)
        step, _, index = key.partition("/")
        return cls(step, int(index) if index else None)


EVENT = ":event/"
"""What the names of events begin with among the jobs of a run."""


class Record(_Record):
    """How far a run has come. Changed by `shared.workflows.advance` alone, and written under its ETag."""

    run_id: str
    workflow: str
    """The kind of the run's job."""
    definition: str
    """The hash of its graph."""
    version: int
    created_at: datetime
    priority: Priority | None = None
    """Where the run was submitted with another than its kind's: its jobs have that, too."""
    trace: str | None = None
    payload: Kept
    fingerprint: str = ""
    """The hash of the payload that it was made for."""
    life: int = 0
    """How often the run was begun anew, with another payload."""
    replays: int = 0
    """The life of the run's job that it was last looked at in."""
    steps: dict[str, StepState]
    events: dict[str, Kept] = {}
    """The events that have come, each by its name: the first of several."""
    renewals: int = 0
    """How often it was put on a newer definition."""
    cancelled: bool = False
    outcome: Outcome | None = None

    def with_step(self, name: str, step: StepState) -> Record:
        """The record with one step changed."""
        return self.model_copy(update={"steps": {**self.steps, name: step}})

    def under_way(self) -> Iterator[Part]:
        """Everything that was started, or is about to be, and has not ended."""
        for name, step in self.steps.items():
            if step.state is not State.RUNNING:
                continue
            if step.items:
                yield from (Part(name, index) for index in step.items.under_way)
            elif step.job:
                yield Part(name)
            else:
                yield Part(name, timer=True)

    def failed_parts(self) -> Iterator[Part]:
        """What failed, and has, as a rule, a job that can be replayed."""
        for name, step in self.steps.items():
            if items := step.items:
                yield from (Part(name, index) for index in range(items.next) if items.is_lost(index))
            elif step.job and step.state is State.FAILED:
                yield Part(name)

    def child_id(self, part: Part) -> str:
        """The id of a part's job: the same whoever starts it, and found among those of when its step began."""
        step = self.steps[part.step]
        return derived_id(step.started_at or self.created_at, f"{self.run_id}/{self.life}/{part.key}/{step.life}")

    @property
    def ended(self) -> int:
        """How many steps have ended."""
        return sum(step.state.ended for step in self.steps.values())

    def to_json(self) -> bytes:
        """The record as its blob holds it."""
        return self.model_dump_json(exclude_defaults=True).encode()


def name_of(run_id: str) -> str:
    """The name of a run's record."""
    return f"jobs/{run_id}/run.json"


def event_id(record_created_at: datetime, run_id: str, event: str) -> str:
    """The id of the job that stands for an event: the first of several is the one that there is."""
    return derived_id(record_created_at, f"{run_id}/{EVENT}{event}")
