"""Finding out what a step is to do: its payload, its items, what its condition says. All that reads the values of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

from shared.jobs.dependencies import Dependencies
from shared.jobs.kinds import stored
from shared.workflows.advance import holds
from shared.workflows.definitions import Definitions
from shared.workflows.graph import CODE, Condition, Graph, Node
from shared.workflows.keeping import Keeper, values
from shared.workflows.kind import Code, Workflow
from shared.workflows.record import Items, Part, Record, State
from shared.workflows.values import expressions, filled, identifier, names_of, parsed
from shared.workflows.view import NotLoadedError, Run

T = TypeVar("T")
Payload = Mapping[str, Any]


class Finder:
    """What the steps of one run are to do, as the run stands."""

    def __init__(self, deps: Dependencies, keeper: Keeper, definitions: Definitions, graph: Graph) -> None:
        self._deps = deps
        self._keeper = keeper
        self._definitions = definitions
        self._graph = graph
        self._loaded: dict[str, Any] = {}

    async def condition(self, record: Record, node: Node) -> bool:
        """Whether the condition of a step holds."""
        if node.when is None:
            return True
        code = self._code(record, node)
        texts = [each.text for each in node.when.walk() if each.op == "expression"]
        known = await self._values(record, node, names_of(texts))

        def ask(run: Run[Any], condition: Condition) -> bool:
            if condition.op == "code" and code.when:
                return bool(code.when(run))
            return parsed(condition.text).holds(known)

        when = node.when
        return bool(await self._called(record, node, lambda run: holds(when, record, lambda each: ask(run, each))))

    async def payload(self, record: Record, part: Part) -> Payload:
        """The payload of a part's job, checked against its kind.

        Raises:
            JobsError: it does not fit, or the kind is not known. And whatever the workflow's own code raises.
        """
        node, step = self._graph.by_name[part.step], record.steps[part.step]
        item = await self._keeper.item(step.items, part.index) if step.items and part.index is not None else None
        made = await self._made(record, node, item, part.index)
        kind = str(node.kind)
        if isinstance(made, BaseModel) and not isinstance(made, self._deps.kinds[kind].payload):
            made = stored(made)
        return self._deps.kinds.accept(kind, made)[3]

    async def items(self, record: Record, node: Node) -> Items:
        """The plan of a step that is done by a job for each item."""
        assert node.each  # noqa: S101 - asked of such steps only
        over = await self._result(record, node.each.over) if node.each.over else None
        if node.each.items == CODE:
            code = self._code(record, node)
            source = over if node.each.over else self._model(record, await self._payload(record))
            found = code.items(source) if code.items else source
        else:
            value = over if node.each.over else await self._payload(record)
            known = await self._values(record, node, names_of(expressions(node.each.items)), value=value)
            found = filled(node.each.items, known)
        return await self._keeper.plan(record.run_id, node.name, values(found))

    async def _made(self, record: Record, node: Node, item: Any, index: int | None) -> Any:
        if node.payload is None:
            return item if node.each else {}
        if node.payload == CODE:
            make = self._code(record, node).payload
            assert make  # noqa: S101 - Definitions.code saw to it
            return await self._called(record, node, (lambda run: make(run, item)) if node.each else make)
        known = await self._values(record, node, names_of(expressions(node.payload)), item=item, index=index)
        return filled(node.payload, known)

    def _code(self, record: Record, node: Node) -> Code:
        return self._definitions.code(record.workflow, self._graph, node.name)

    async def _called(self, record: Record, node: Node, function: Callable[[Run[Any]], T]) -> T:
        """Call a function of the workflow's code; a result that it asks for is read first where it has to be."""
        payload = self._model(record, await self._payload(record))
        while True:
            try:
                return function(self._view(record, node, payload))
            except NotLoadedError as missing:
                await self._result(record, missing.step)

    def _view(self, record: Record, node: Node, payload: Any) -> Run[Any]:
        before = self._graph.ancestors[node.name]
        states = {name: record.steps[name].state.value for name in before}
        failures = {name: record.steps[name].reason or "" for name in before if states[name] == State.FAILED}
        loaded = {name: value for name, value in self._loaded.items() if name in before}
        return Run(record.run_id, payload, states, failures, loaded, before)

    def _model(self, record: Record, payload: Any) -> Any:
        kind = self._deps.kinds[record.workflow]
        coded = isinstance(kind, Workflow) and bool(kind.graph.nodes)
        return kind.parse(payload, kind.version) if coded else payload

    async def _payload(self, record: Record) -> Any:
        return await self._keeper.load(record.payload)

    async def _values(self, record: Record, node: Node, names: set[str], **more: Any) -> dict[str, Any]:
        """What the names of expressions stand for: of the steps, only those that are named are read."""
        steps = {identifier(name): name for name in self._graph.ancestors[node.name]}
        found = {name: await self._result(record, steps[name]) for name in names if name in steps}
        states = {identifier(name): step.state.value for name, step in record.steps.items()}
        failures = {identifier(name): step.reason for name, step in record.steps.items() if step.state is State.FAILED}
        payload = await self._payload(record) if "payload" in names else None
        return {"payload": payload, "states": states, "failures": failures, **found, **more}

    async def _result(self, record: Record, name: str) -> Any:
        if name not in self._loaded:
            step = record.steps[name]
            if step.items:
                self._loaded[name] = await self._keeper.results(record.run_id, name, step.items)
            else:
                self._loaded[name] = await self._keeper.load(step.result)
        return self._loaded[name]
