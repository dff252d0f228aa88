"""Is a graph one that can work? Asked when it is declared, and of everything at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from graphlib import CycleError, TopologicalSorter
from typing import Any

from pydantic import BaseModel, JsonValue, ValidationError

from shared.expressions import ExpressionError
from shared.jobs.kinds import problems_of
from shared.workflows.errors import GraphError, GraphProblem
from shared.workflows.graph import CODE, AtLeast, Graph, Node
from shared.workflows.values import RESERVED, expressions, identifier, parsed

LARGEST = 500
"""Steps of a workflow: the record of a run holds them all. What there are more of are items of an `each`."""
Payloads = Mapping[str, type[BaseModel]]
_OF_ALL = frozenset({"payload", "states", "failures"})
_OF_ITEMS = frozenset({"item", "index"})


def check(graph: Graph, payloads: Payloads | None = None) -> None:
    """See that a graph can work.

    Args:
        graph: the graph.
        payloads: the payload models of the kinds that there are, by name; None: kinds and payloads are not looked at.

    Raises:
        GraphError: with everything that is wrong.
    """
    problems = tuple(_problems(graph, payloads))
    if problems:
        raise GraphError(graph.name, problems)


def _problems(graph: Graph, payloads: Payloads | None) -> Iterator[GraphProblem]:
    if not graph.nodes:
        yield GraphProblem(None, "nodes", "it has no steps")
    if len(graph.nodes) > LARGEST:
        yield GraphProblem(None, "nodes", f"it has {len(graph.nodes)} steps, and {LARGEST} are the most")
    names = Counter(node.name for node in graph.nodes)
    yield from (GraphProblem(name, "name", "two steps have this name") for name, times in names.items() if times > 1)
    called = Counter(identifier(name) for name in names)
    for name in names:
        if called[identifier(name)] > 1:
            yield GraphProblem(name, "name", f"expressions call another step {identifier(name)}, too")
        if identifier(name) in RESERVED:
            yield GraphProblem(name, "name", "the name stands for something else in expressions")
    unknown = [problem for node in graph.nodes for problem in _unknown(node, names)]
    yield from unknown
    cycle = None if unknown else _cycle(graph)
    if cycle:
        yield GraphProblem(cycle[0], "after", f"it waits for itself: {' -> '.join(reversed(cycle))}")
    for node in graph.nodes:
        before = frozenset() if unknown or cycle else graph.ancestors[node.name]
        yield from _shape(node)
        yield from _used(node, before, frozenset(names), certain=not (unknown or cycle))
        if payloads is not None and node.kind is not None:
            yield from _payload(node, payloads)


def _unknown(node: Node, names: Iterable[str]) -> Iterator[GraphProblem]:
    for needed in sorted({*node.needs, *([node.compensates] if node.compensates else [])} - set(names)):
        yield GraphProblem(node.name, "after", f"there is no step {needed!r}{_meant(needed, names)}")


def _meant(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), 1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _cycle(graph: Graph) -> list[str] | None:
    try:
        TopologicalSorter({node.name: node.needs for node in graph.nodes}).prepare()
    except CycleError as error:
        return list(error.args[1])
    return None


def _shape(node: Node) -> Iterator[GraphProblem]:
    does = [node.kind is not None, node.wait is not None, node.sleep_seconds is not None]
    if sum(does) != 1:
        yield GraphProblem(node.name, "kind", "a step is a job of a kind, or waits, or sleeps: one of these")
    if node.each and node.kind is None:
        yield GraphProblem(node.name, "each", "there are items of jobs only")
    if isinstance(node.on_failure, AtLeast) and not node.each:
        yield GraphProblem(node.name, "on_failure", "at least so many: of the items of an `each`")


def _used(node: Node, before: frozenset[str], names: frozenset[str], *, certain: bool) -> Iterator[GraphProblem]:
    """What its expressions speak of: only what has ended before."""
    of_item = _OF_ITEMS if node.each else frozenset()
    texts = [(text, "payload", _OF_ALL | of_item) for text in expressions(node.payload)]
    if node.each:
        texts += [(text, "items", _OF_ALL | {"value"}) for text in expressions(node.each.items)]
    conditions = node.when.walk() if node.when else ()
    texts += [(each.text, "when", _OF_ALL) for each in conditions if each.op == "expression"]
    steps = {identifier(name): name for name in names}
    for text, field, allowed in texts:
        try:
            used = parsed(text).names
        except ExpressionError as error:
            yield GraphProblem(node.name, field, str(error))
            continue
        for name in used:
            if name in allowed:
                continue
            if name not in steps:
                meant = _meant(name, [*steps, *allowed])
                yield GraphProblem(node.name, field, f"{text!r} speaks of {name!r}, which there is not{meant}")
            elif certain and steps[name] not in before:
                yield GraphProblem(node.name, field, f"it uses the result of {steps[name]!r}, which is not before it")


def _payload(node: Node, payloads: Payloads) -> Iterator[GraphProblem]:
    """Whether what is certain of its payload fits: all of it, where no expression is in it."""
    model = payloads.get(str(node.kind))
    if model is None:
        meant = _meant(str(node.kind), payloads)
        yield GraphProblem(node.name, "kind", f"there is no kind of job {node.kind!r}{meant}")
        return
    if node.payload == CODE or (node.payload is None and node.each):
        return
    template: JsonValue = {} if node.payload is None else node.payload
    if not isinstance(template, dict) or set(template) == {"$"}:
        if not isinstance(template, dict):
            yield GraphProblem(node.name, "payload", "a payload is an object")
        return
    for field, message in _misfits(model, template):
        yield GraphProblem(node.name, "payload" + (f".{field}" if field else ""), message)


def _misfits(model: type[BaseModel], template: Mapping[str, JsonValue]) -> Iterator[tuple[str, str]]:
    """What an expression makes is not known yet: a field that holds one fits."""
    try:
        model.model_validate(template)
    except ValidationError as error:
        for problem in problems_of(error):
            first = problem.field.partition(".")[0]
            if first not in template or not any(expressions(_named(template, first))):
                yield problem.field, f"the payload of its kind: {problem.field}: {problem.message}".replace(": :", ":")


def _named(template: Mapping[str, JsonValue], name: str) -> Any:
    return template.get(name)
