"""Looking at runs from outside: what each step has come to, what it waits for, as data and as a Mermaid diagram."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.jobs.dependencies import Dependencies
from shared.jobs.errors import JobNotFoundError
from shared.jobs.explain import Reason
from shared.jobs.model import Job
from shared.workflows.advance import worded
from shared.workflows.definitions import Definitions
from shared.workflows.graph import Graph, Node
from shared.workflows.helpers import GraphRun
from shared.workflows.kind import Workflow
from shared.workflows.record import Items, Part, Record, State, StepState, name_of


@dataclass(frozen=True, slots=True)
class StepLook:
    """A step of a run, as it stands."""

    node: Node
    state: State
    step: StepState
    job_id: str | None
    """Of a step that is done by one job, once it was begun."""

    @property
    def items(self) -> Items | None:
        """Of an `each`, once it was begun."""
        return self.step.items


@dataclass(frozen=True, slots=True)
class Look:
    """A run as it stands. Without a record, it has not begun."""

    run: Job
    graph: Graph
    record: Record | None

    @property
    def steps(self) -> Iterator[StepLook]:
        """Its steps, as they were declared."""
        for node in self.graph.nodes:
            step = self.record.steps[node.name] if self.record else StepState()
            part = Part(node.name) if step.job else Part(node.name, timer=True) if _timed(node, step) else None
            job_id = self.record.child_id(part) if self.record and part and step.started_at else None
            yield StepLook(node, step.state, step, job_id)

    @property
    def ended(self) -> int:
        """How many steps have ended."""
        return self.record.ended if self.record else 0

    def waits(self) -> Iterator[tuple[str, str]]:
        """Of each step that has not ended, what it waits for, in words."""
        for look in self.steps:
            if not look.state.ended:
                yield look.node.name, self._waits(look)

    def _waits(self, look: StepLook) -> str:
        node, items = look.node, look.items
        if look.state is not State.RUNNING or self.record is None:
            steps = self.record.steps if self.record else {}
            before = [name for name in sorted(node.needs) if name not in steps or not steps[name].state.ended]
            return f"waits for {', '.join(before)}" if before else "is about to begin"
        if items:
            return f"{items.ended} of {items.total} items have ended, {len(items.under_way)} are under way"
        if node.wait:
            return f"waits for the event {node.wait.event!r}"
        return "sleeps" if node.sort == "sleep" else f"is at work: job {look.job_id}"


def reasons(look: Look) -> list[Reason]:
    """What a run waits for, step by step."""
    advice = {"wait": "POST the event to the run.", "sleep": "Nothing: time does it."}
    steps = {node.name: node.sort for node in look.graph.nodes}
    return [
        Reason("workflow_step", f"Step {name} {waits}.", advice.get(steps[name], "Look at its job, where it has one."))
        for name, waits in look.waits()
    ]


def _timed(node: Node, step: StepState) -> bool:
    return (
        step.started_at is not None
        and node.sort in ("sleep", "wait")
        and not (node.wait and not node.wait.timeout_seconds)
    )


class NoRunError(JobNotFoundError):
    """The job is no run of a workflow."""


async def look_at(deps: Dependencies, run: Job) -> Look:
    """A run as it stands. Two storage calls at most.

    Raises:
        NoRunError: the job is no run.
        UnknownKindError: this code does not know its workflow.
        DefinitionGoneError: its definition is not kept.
    """
    kind = deps.kinds[run.kind]
    if not isinstance(kind, Workflow):
        raise NoRunError(f"job {run.job_id} is no run of a workflow")
    blob = await deps.blobs.read(name_of(run.job_id))
    record = Record.model_validate_json(blob.data) if blob else None
    digest = record.definition if record else None
    if digest is None and not kind.graph.nodes:
        digest = GraphRun.model_validate(await deps.payload(run)).definition
    if digest is None or digest == kind.graph.hash:
        return Look(run, kind.graph, record)
    return Look(run, await Definitions(deps.blobs, deps.kinds).graph(digest), record)


def data_of(look: Look) -> dict[str, Any]:
    """A run's graph as JSON."""
    waits = dict(look.waits())
    record = look.record
    return {
        "job_id": look.run.job_id,
        "workflow": look.run.kind,
        "version": look.graph.version,
        "definition": record.definition if record else look.graph.hash,
        "status": look.run.status.value,
        "outcome": record.outcome.value if record and record.outcome else None,
        "ended": look.ended,
        "steps": [_step(look.graph, each, waits.get(each.node.name)) for each in look.steps],
        "events": sorted(record.events) if record else [],
    }


def _step(graph: Graph, look: StepLook, waits: str | None) -> dict[str, Any]:
    node, step, items = look.node, look.step, look.items
    view: dict[str, Any] = {
        "name": node.name,
        "sort": node.sort,
        "state": look.state.value,
        "after": direct(graph, node),
    }
    more: Mapping[str, Any] = {
        "kind": node.kind,
        "job_id": look.job_id,
        "reason": step.reason,
        "waits_for": waits,
        "condition": worded(node.when) if node.when else None,
        "tolerated": step.tolerated or None,
        "event": node.wait.event if node.wait else None,
        "started_at": _moment(step.started_at),
        "ended_at": _moment(step.ended_at),
        "items": items and _items(items),
    }
    return view | {name: value for name, value in more.items() if value is not None}


def _items(items: Items) -> dict[str, Any]:
    return {
        "total": items.total,
        "completed": items.completed,
        "failed": items.failed,
        "under_way": len(items.under_way),
        "errors": [{"index": one.index, "job_id": one.job_id, "error": one.error} for one in items.errors],
    }


def _moment(at: datetime | None) -> str | None:
    return f"{at:%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z" if at else None


_SHAPES = {"job": '["{}"]', "each": '[["{}"]]', "wait": '(["{}"])', "sleep": '("{}")'}
_COLOURS = {
    State.COMPLETED: "fill:#d3f2dd,stroke:#1d7a42", State.FAILED: "fill:#fbdcdc,stroke:#b3261e",
    State.RUNNING: "fill:#d6e8fb,stroke:#1f5fa8", State.SKIPPED: "fill:#eeeeee,stroke:#888888,stroke-dasharray:4",
    State.CANCELLED: "fill:#eeeeee,stroke:#888888", State.PENDING: "fill:#ffffff,stroke:#999999",
}  # fmt: skip


def mermaid(look: Look) -> str:
    """A run's graph as a Mermaid flowchart, each step in the colour of its state."""
    lines = ["flowchart TD"]
    ids = {node.name: f"s{number}" for number, node in enumerate(look.graph.nodes)}
    for each in look.steps:
        items = each.items
        count = f"<br/>{items.completed} of {items.total}" if items else ""
        words = f"{each.node.name}<br/>{each.state}{count}"
        state = each.state if each.state is not State.READY else State.PENDING
        lines.append(f"    {ids[each.node.name]}{_SHAPES[each.node.sort].format(words)}:::{state}")
    for node in look.graph.nodes:
        arrow = "-.->" if node.when else "-->"
        lines += [f"    {ids[before]} {arrow} {ids[node.name]}" for before in direct(look.graph, node)]
    lines += [f"    classDef {state} {colour}" for state, colour in _COLOURS.items()]
    return "\n".join(lines) + "\n"


def direct(graph: Graph, node: Node) -> list[str]:
    """What a step waits for, without what is before that anyway: the edges of a drawing."""
    further = frozenset[str]().union(*(graph.ancestors[name] for name in node.needs))
    return [each.name for each in graph.nodes if each.name in node.needs - further]
