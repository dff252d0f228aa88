"""How a run goes on: a pure function from (graph, record, what happened) to the record.

Nothing here reads a clock or touches storage. What a step is to do (its payload, its items, what an expression says) has to be found
out by whoever calls this: such a step is READY, and the answer is one more thing that happens (`Began`, `Skipped`, `CouldNot`).

Everything that happens may be told twice, or late; what is known already, or no longer counts, changes nothing, and gives back the same
record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from shared.workflows.graph import AtLeast, Condition, Graph, Node
from shared.workflows.record import LISTED, Items, Kept, Lost, Outcome, Part, Record, State, StepState

FailedHow = Literal["failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Begun:
    """The run begins."""

    at: datetime


@dataclass(frozen=True, slots=True)
class Began:
    """A ready step begins: with a job, with so many items, or (`wait`, `sleep`) without either."""

    at: datetime
    step: str
    items: Items | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """A ready step is not to run, since its condition does not hold."""

    at: datetime
    step: str
    reason: str


@dataclass(frozen=True, slots=True)
class CouldNot:
    """A ready step cannot begin."""

    at: datetime
    step: str
    reason: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The job of a part has ended; `error` None: it completed."""

    at: datetime
    part: Part
    replays: int = 0
    result: Kept | None = None
    error: str | None = None
    how: FailedHow = "failed"
    job_id: str = ""


@dataclass(frozen=True, slots=True)
class Revived:
    """The failed job of a part was replayed: it is under way again."""

    at: datetime
    part: Part
    replays: int


@dataclass(frozen=True, slots=True)
class Came:
    """An event has come."""

    at: datetime
    event: str
    content: Kept


@dataclass(frozen=True, slots=True)
class CancelAsked:
    """The run is to stop."""

    at: datetime


@dataclass(frozen=True, slots=True)
class TakenUp:
    """The run's own job was replayed: what failed without a job of its own is tried again; jobs that failed are replayed."""

    at: datetime
    replays: int


Happening = Begun | Began | Skipped | CouldNot | Ended | Revived | Came | CancelAsked | TakenUp


def advance(graph: Graph, record: Record, event: Happening) -> Record:  # noqa: C901 - one case for each happening
    """Return the record after something happened; the same where that changes nothing."""
    changed = record
    match event:
        case Begun():
            pass
        case Began():
            changed = _began(graph, record, event)
        case Skipped(at, step, reason):
            changed = _ended(record, step, State.SKIPPED, at, reason=reason)
        case CouldNot(at, step, reason):
            changed = _failed(graph, record, step, at, reason)
        case Ended():
            changed = _part_ended(graph, record, event)
        case Revived():
            changed = _revived(graph, record, event)
        case Came(at, name, content):
            known = record.events.get(name)
            changed = record if known else record.model_copy(update={"events": {**record.events, name: content}})
            changed = _event_met(graph, changed, at)
        case CancelAsked():
            changed = record if record.cancelled else _cancelled(record, event.at)
        case TakenUp():
            changed = _taken_up(graph, record, event)
    if changed is record and not isinstance(event, Begun):
        return record
    return _settled(graph, changed, event.at)


def _settled(graph: Graph, record: Record, at: datetime) -> Record:
    """What follows for the steps that wait: they are ready, skipped, or cancelled. In the end, whether the run has ended."""
    for name in graph.order:
        if record.steps[name].state is State.PENDING:
            record = _decided(record, graph.by_name[name], at)
    if record.outcome is None and all(step.state.ended for step in record.steps.values()):
        return record.model_copy(update={"outcome": _outcome(record)})
    return record


def _decided(record: Record, node: Node, at: datetime) -> Record:
    if record.cancelled:
        return _ended(record, node.name, State.CANCELLED, at, reason="the run was cancelled")
    if not all(record.steps[name].state.ended for name in node.needs):
        return record
    if node.when is None:
        reason = _in_the_way(record, node)
    else:
        known = holds(node.when, record)
        reason = None if known is not False else f"its condition does not hold: {worded(node.when)}"
    if reason:
        return _ended(record, node.name, State.SKIPPED, at, reason=reason)
    return record.with_step(node.name, record.steps[node.name].model_copy(update={"state": State.READY}))


def _in_the_way(record: Record, node: Node) -> str | None:
    """What before a step keeps it from running: a failure that is not tolerated, or that something was skipped."""
    for name in sorted(node.needs):
        before = record.steps[name]
        if not _good(before):
            return f"{name} {'was ' if before.state is not State.FAILED else ''}{before.state}"
    return None


def _good(step: StepState) -> bool:
    return step.state is State.COMPLETED or step.tolerated


def holds(condition: Condition, record: Record, ask: Callable[[Condition], bool] | None = None) -> bool | None:
    """Whether a condition holds; None: only the values of the run can tell, and there is nobody to `ask`."""
    of = [holds(each, record, ask) for each in condition.of]
    states = [record.steps[name] for name in condition.steps]
    match condition.op:
        case "always":
            return True
        case "succeeded":
            return all(map(_good, states))
        case "failed":
            return all(step.state is State.FAILED for step in states)
        case "any_failed":
            return any(step.state in (State.FAILED, State.CANCELLED) for step in states)
        case "all":
            return False if False in of else None if None in of else True
        case "any":
            return True if True in of else None if None in of else False
        case "not":
            return None if of[0] is None else not of[0]
        case "expression" | "code":
            return ask(condition) if ask else None


def worded(condition: Condition) -> str:
    """A condition in a few words."""
    if condition.op == "expression":
        return condition.text
    return condition.op.replace("_", " ") + (f" ({', '.join(condition.steps)})" if condition.steps else "")


def _outcome(record: Record) -> Outcome:
    steps = record.steps.values()
    if record.cancelled:
        return Outcome.CANCELLED
    if any(step.state in (State.FAILED, State.CANCELLED) and not step.tolerated for step in steps):
        return Outcome.FAILED
    lost = any(step.tolerated or (step.items and step.items.failed) for step in steps)
    return Outcome.WITH_FAILURES if lost else Outcome.COMPLETED


def _began(graph: Graph, record: Record, event: Began) -> Record:
    step, node = record.steps[event.step], graph.by_name[event.step]
    if step.state is not State.READY:
        return record
    changes: dict[str, Any] = {"state": State.RUNNING, "started_at": event.at, "job": node.sort == "job"}
    record = record.with_step(node.name, step.model_copy(update={**changes, "items": event.items}))
    if node.sort == "each":
        return _filled(graph, record, node, event.at)
    return _event_met(graph, record, event.at) if node.sort == "wait" else record


def _event_met(graph: Graph, record: Record, at: datetime) -> Record:
    """End the waits whose event has come."""
    for name, step in record.steps.items():
        wait = graph.by_name[name].wait
        if wait and step.state is State.RUNNING and wait.event in record.events:
            record = _ended(record, name, State.COMPLETED, at, result=record.events[wait.event])
    return record


def _part_ended(graph: Graph, record: Record, event: Ended) -> Record:
    name = event.part.step
    step = record.steps.get(name)
    if step is None or record.outcome in (Outcome.COMPLETED, Outcome.WITH_FAILURES, Outcome.CANCELLED):
        return record
    if step.items:
        return _item_ended(graph, record, event, step.items)
    mended = step.state is State.FAILED and event.error is None and step.job
    if (step.state is not State.RUNNING and not mended) or event.replays < step.replays:
        return record
    if mended:
        record = _reopened(graph, record, name)
        if record.steps[name].state is not State.RUNNING:
            return record
    wait = graph.by_name[name].wait
    if event.part.timer and wait and event.error is None:
        return _failed(graph, record, name, event.at, f"no event {wait.event!r} came in time")
    if event.error is None:
        return _ended(record, name, State.COMPLETED, event.at, result=event.result)
    return _failed(graph, record, name, event.at, event.error, event.how)


def _failed(
    graph: Graph, record: Record, name: str, at: datetime, reason: str, how: FailedHow = "failed"
) -> Record:  # fmt: skip
    tolerated = graph.by_name[name].on_failure == "continue"
    return _ended(record, name, State(how), at, reason=reason[:500], tolerated=tolerated)


def _ended(record: Record, name: str, state: State, at: datetime, **changes: Any) -> Record:
    step = record.steps[name]
    if step.state.ended:
        return record
    changes = {"reason": None, "tolerated": False, **changes}
    return record.with_step(name, step.model_copy(update={"state": state, "ended_at": at, **changes}))


def _cancelled(record: Record, at: datetime) -> Record:
    """Nothing begins any more, and what only waits has ended; jobs under way end by themselves, and tell."""
    record = record.model_copy(update={"cancelled": True})
    for name, step in record.steps.items():
        if step.state is State.RUNNING and not step.job and step.items is None:
            record = _ended(record, name, State.CANCELLED, at, reason="the run was cancelled")
    return record


# --- a job for each item -----------------------------------------------------------------------------------------


def _item_ended(graph: Graph, record: Record, event: Ended, items: Items) -> Record:
    index = event.part.index or 0
    mended = items.is_lost(index) and event.error is None
    if (index not in items.under_way and not mended) or event.replays < items.lives.get(index, 0):
        return record
    bits = int(items.lost, 16) & ~(1 << index)
    errors = tuple(each for each in items.errors if each.index != index)
    changes: dict[str, Any] = {"under_way": tuple(each for each in items.under_way if each != index)}
    if event.error is None:
        changes |= {"completed": items.completed + 1}
        if event.result:
            changes |= {"buffer": (*items.buffer, (index, event.result))}
    else:
        bits |= 1 << index
        errors = (*errors, Lost(index=index, job_id=event.job_id, error=event.error[:200]))[:LISTED]
    changes |= {"lost": f"{bits:x}", "errors": errors}
    if mended and record.steps[event.part.step].state.ended:
        record = _reopened(graph, record, event.part.step)
    node, step = graph.by_name[event.part.step], record.steps[event.part.step]
    record = record.with_step(node.name, step.model_copy(update={"items": items.model_copy(update=changes)}))
    return _filled(graph, record, node, event.at)


def _filled(graph: Graph, record: Record, node: Node, at: datetime) -> Record:
    """Name the items next to start, as far as there is room; end the step once all have ended."""
    step = record.steps[node.name]
    items = step.items
    if items is None or node.each is None or step.state is not State.RUNNING:
        return record
    room = 0 if record.cancelled else max(0, node.each.width - len(items.under_way))
    until = min(items.total, items.next + room)
    if until > items.next:
        changes = {"next": until, "under_way": (*items.under_way, *range(items.next, until))}
        items = items.model_copy(update=changes)
        record = record.with_step(node.name, step.model_copy(update={"items": items}))
    if items.under_way:
        return record
    if items.ended < items.total:
        return _ended(record, node.name, State.CANCELLED, at, reason="the run was cancelled")
    if _enough(node, items):
        return _ended(record, node.name, State.COMPLETED, at)
    first = f"; the first: {items.errors[0].error}" if items.errors else ""
    return _failed(graph, record, node.name, at, f"{items.failed} of {items.total} items did not complete{first}")


def _enough(node: Node, items: Items) -> bool:
    if isinstance(node.on_failure, AtLeast):
        return node.on_failure.met(items.completed, items.total)
    return node.on_failure == "continue" or not items.failed


# --- going on after a failure ------------------------------------------------------------------------------------


def _revived(graph: Graph, record: Record, event: Revived) -> Record:
    step = record.steps.get(event.part.step)
    if step is None or record.outcome in (Outcome.COMPLETED, Outcome.WITH_FAILURES, Outcome.CANCELLED):
        return record
    name, index = event.part.step, event.part.index
    if step.items is None:
        if step.state not in (State.FAILED, State.CANCELLED) or not step.job or event.replays <= step.replays:
            return record
        record = _reopened(graph, record, name)
        return _changed(record, name, replays=event.replays)
    items = step.items
    if index is None or not items.is_lost(index) or event.replays <= items.lives.get(index, 0):
        return record
    if step.state.ended:
        record = _reopened(graph, record, name)
        if record.steps[name].state.ended:
            return record
    changes = {
        "lost": f"{int(items.lost, 16) & ~(1 << index):x}",
        "errors": tuple(each for each in items.errors if each.index != index),
        "under_way": (*items.under_way, index),
        "lives": {**items.lives, index: event.replays},
    }
    return _changed(record, name, items=items.model_copy(update=changes))


def _reopened(graph: Graph, record: Record, name: str) -> Record:
    """Have a step that ended run again, and decide anew about what was skipped after it.

    Not where the effects of the run were being taken back already: what it had completed does not hold any more.
    """
    undone = (record.steps[node.name].started_at for node in graph.nodes if node.compensates)
    if any(undone):
        return record
    record = _changed(record, name, state=State.RUNNING, reason=None, ended_at=None, tolerated=False)
    for after in graph.descendants[name]:
        if record.steps[after].state is State.SKIPPED:
            record = record.with_step(after, StepState(life=record.steps[after].life))
    return record.model_copy(update={"outcome": None})


def _taken_up(graph: Graph, record: Record, event: TakenUp) -> Record:
    if event.replays <= record.replays:
        return record
    record = record.model_copy(update={"replays": event.replays})
    for name in graph.order:
        step = record.steps[name]
        if record.outcome is not Outcome.CANCELLED and step.state is State.FAILED and not step.job and not step.items:
            reopened = _reopened(graph, record, name)
            if reopened.steps[name].state is State.RUNNING:
                record = reopened.with_step(name, StepState(life=step.life + 1))
    return record


def _changed(record: Record, name: str, **changes: Any) -> Record:
    return record.with_step(name, record.steps[name].model_copy(update=changes))


def new_steps(names: Iterable[str]) -> dict[str, StepState]:
    """Steps of which nothing has become yet."""
    return {name: StepState() for name in names}
