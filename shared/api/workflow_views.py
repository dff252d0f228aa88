"""The shapes of what is said about workflows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NotRequired

from pydantic import BaseModel, ConfigDict, Field, JsonValue, with_config
from typing_extensions import TypedDict

from shared.api.schemas import Moment, Uuid
from shared.jobs.kinds import Policy
from shared.jobs.model import Status
from shared.workflows.looking import direct

if TYPE_CHECKING:
    from shared.workflows.kind import Workflow

_CLOSED = ConfigDict(extra="forbid")
Sort = Literal["job", "each", "wait", "sleep"]
State = Literal["pending", "ready", "running", "completed", "failed", "skipped", "cancelled"]


class EventBody(BaseModel):
    """What an event says."""

    model_config = _CLOSED

    content: JsonValue = Field(None, description="The result of the step that waits for it.")


@with_config(_CLOSED)
class EventView(TypedDict):
    """An event that was taken in. `first`: whether it is the first of its name, and so the one that counts."""

    job_id: Uuid
    run_id: Uuid
    event: str
    first: bool


@with_config(_CLOSED)
class DeclaredStep(TypedDict):
    """A step of a workflow."""

    name: str
    sort: Sort
    after: list[str]
    kind: NotRequired[str]


@with_config(_CLOSED)
class WorkflowView(TypedDict):
    """A workflow. Without steps, each run brings its own graph."""

    workflow: str
    version: int
    definition: str
    public: bool
    steps: list[DeclaredStep]


@with_config(_CLOSED)
class WorkflowList(TypedDict):
    """Every workflow."""

    items: list[WorkflowView]


@with_config(_CLOSED)
class ItemError(TypedDict):
    """An item that did not complete."""

    index: int
    job_id: str
    error: str


@with_config(_CLOSED)
class ItemsView(TypedDict):
    """How far a step has come that is done by a job for each item; `errors` are the first."""

    total: int
    completed: int
    failed: int
    under_way: int
    errors: list[ItemError]


@with_config(_CLOSED)
class RunStep(TypedDict):
    """A step of a run. `job_id`: the job that does it; `reason`: why it failed or was skipped."""

    name: str
    sort: Sort
    state: State
    after: list[str]
    kind: NotRequired[str]
    job_id: NotRequired[Uuid]
    reason: NotRequired[str]
    waits_for: NotRequired[str]
    condition: NotRequired[str]
    tolerated: NotRequired[bool]
    event: NotRequired[str]
    started_at: NotRequired[Moment]
    ended_at: NotRequired[Moment]
    items: NotRequired[ItemsView]


@with_config(_CLOSED)
class GraphView(TypedDict):
    """A run's steps, as they were declared. `outcome` is null until all have ended."""

    job_id: Uuid
    workflow: str
    version: int
    definition: str
    status: Status
    outcome: Literal["completed", "completed with failures", "failed", "cancelled"] | None
    ended: int
    steps: list[RunStep]
    events: list[str]


def workflow_view(kind: Workflow[Any], policy: Policy) -> WorkflowView:
    """A workflow, and what its steps are."""
    steps: list[DeclaredStep] = []
    for node in kind.graph.nodes:
        step: DeclaredStep = {"name": node.name, "sort": node.sort, "after": direct(kind.graph, node)}
        if node.kind:
            step["kind"] = node.kind
        steps.append(step)
    return {
        "workflow": kind.name,
        "version": kind.graph.version,
        "definition": kind.graph.hash,
        "public": policy.public,
        "steps": steps,
    }
