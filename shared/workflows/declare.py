"""Declaring a workflow: one decorated function, called once, that says what its steps are."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypedDict, TypeVar, Unpack

from pydantic import BaseModel

from shared.jobs.declare import PolicyFields
from shared.jobs.kinds import Kind, Policy
from shared.jobs.model import Priority
from shared.workflows.check import check
from shared.workflows.conditions import all_of, any_failed, succeeded
from shared.workflows.errors import GraphError, GraphProblem
from shared.workflows.graph import CODE, AtLeast, Condition, Each, Graph, Node, OnFailure, Wait
from shared.workflows.helpers import EVENT_KIND, TIMER, GraphRun
from shared.workflows.kind import Code, Workflow
from shared.workflows.view import Run

P = TypeVar("P", bound=BaseModel)
Q = TypeVar("Q", bound=BaseModel)
When = Condition | Callable[[Run[Any]], bool]


def days(count: float) -> timedelta:
    """So many days."""
    return timedelta(days=count)


def hours(count: float) -> timedelta:
    """So many hours."""
    return timedelta(hours=count)


def minutes(count: float) -> timedelta:
    """So many minutes."""
    return timedelta(minutes=count)


def at_least(enough: float) -> AtLeast:
    """Of an `each`: how many items have to complete, as a number (an int) or as a share (a float up to 1.0)."""
    return AtLeast(count=enough) if isinstance(enough, int) else AtLeast(share=enough)


@dataclass(frozen=True, slots=True)
class Step:
    """A step that was declared: what other steps name."""

    name: str


Steps = Step | Iterable[Step]


class Overrides(TypedDict, total=False):
    """What a step may say in place of its kind's policy, and when it runs."""

    priority: Priority | None
    delay: timedelta
    """How long after what is before it has ended."""
    max_attempts: int
    timeout_seconds: float
    base_backoff_seconds: float
    max_backoff_seconds: float


async def _take_up(payload: Any, job: Any) -> Any:
    """Take the run of a workflow as far as it goes."""
    from shared.workflows.handler import take_up

    return await take_up(payload, job)


class Flow(Generic[P]):
    """What a workflow's function is given: each call declares a step."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._undone: list[tuple[Step, Kind[Any], Callable[[Run[P]], Any] | None, str]] = []  # compensations
        self.nodes: list[Node] = []
        """The steps so far."""
        self.code: dict[str, Code] = {}
        """Their functions."""
        self.kinds: dict[str, Kind[Any]] = {}
        """The kinds of their jobs."""

    def step(
        self,
        name: str,
        kind: Kind[Q],
        payload: Callable[[Run[P]], Q] | None = None,
        *,
        after: Steps = (),
        when: When | None = None,
        on_failure: OnFailure = "fail",
        **overrides: Unpack[Overrides],
    ) -> Step:
        """A step that is done by one job.

        Args:
            name: names it in the run, in what is told of it and in what depends on it.
            kind: the kind of the job.
            payload: makes its payload from the run; None where a payload without any field will do.
            after: the steps that have to end before it. It runs if all of them succeeded, unless `when` says otherwise.
            when: whether it runs; asked once all before it has ended, however it ended. The steps that it names are before it.
            on_failure: what its failure means.
            **overrides: see `Overrides`.
        """
        node = Node(
            name=name,
            kind=self._kind(kind),
            after=_names(after),
            payload=CODE if payload else None,
            when=self._when(when),
            on_failure=on_failure,
            **_overrides(overrides),
        )
        return self._add(node, Code(payload=payload, when=_function(when)))

    def each(  # noqa: PLR0913 - what such a step is made of
        self,
        name: str,
        kind: Kind[Q],
        payload: Callable[[Run[P], Any], Q] | None = None,
        *,
        over: Step | None = None,
        items: Callable[[Any], Iterable[Any]] | None = None,
        width: int = 8,
        after: Steps = (),
        when: When | None = None,
        on_failure: OnFailure = "fail",
        **overrides: Unpack[Overrides],
    ) -> Step:
        """A step that is done by one job for each item of a list.

        Args:
            name: as for `step`.
            kind: the kind of the jobs.
            payload: makes the payload of an item's job from the run and the item; None: the item is the payload.
            over: the step whose result has the items; None: the run's payload has them.
            items: takes the items from that result (or payload); None: it is the list.
            width: how many jobs are under way at the same time, at most.
            after: more steps that have to end before it.
            when: as for `step`.
            on_failure: as for `step`; `at_least(0.8)`: it fails where less than that share of the items completes.
            **overrides: see `Overrides`; they hold for each job.
        """
        said = {} if items is None else {"items": CODE}
        node = Node(
            name=name,
            kind=self._kind(kind),
            after=_names(after),
            payload=CODE if payload else None,
            each=Each(over=over.name if over else None, width=width, **said),
            when=self._when(when),
            on_failure=on_failure,
            **_overrides(overrides),
        )
        return self._add(node, Code(payload, items, _function(when)))

    def wait(
        self,
        name: str,
        *,
        event: str | None = None,
        timeout: timedelta | None = None,
        after: Steps = (),
        when: When | None = None,
        on_failure: OnFailure = "fail",
    ) -> Step:
        """A step that waits for an event (by default of its own name); its result is what the event says.

        The event may have come before. It fails where `timeout` passes without one.
        """
        node = Node(
            name=name,
            after=_names(after),
            wait=Wait(event=event or name, timeout_seconds=timeout.total_seconds() if timeout else None),
            when=self._when(when),
            on_failure=on_failure,
        )
        return self._add(node, Code(when=_function(when)))

    def sleep(self, name: str, length: timedelta, *, after: Steps = (), when: When | None = None) -> Step:
        """A step that lets time pass, as much as it likes; no worker is held meanwhile."""
        node = Node(name=name, after=_names(after), sleep_seconds=length.total_seconds(), when=self._when(when))
        return self._add(node, Code(when=_function(when)))

    def compensate(
        self, step: Step, kind: Kind[Q], payload: Callable[[Run[P]], Q] | None = None, *, name: str = ""
    ) -> None:
        """Have the effect of a step taken back where the run fails and that step had completed.

        Compensations run after all other steps have ended, one after the other, the last declared first.
        """
        self._undone.append((step, kind, payload, name or f"undo-{step.name}"))

    def finish(self) -> None:
        """Add the compensations. The decorator calls it."""
        steps = [Step(node.name) for node in self.nodes]
        before = steps
        for step, kind, payload, name in reversed(self._undone):
            node = Node(
                name=name,
                kind=self._kind(kind),
                after=_names(before),
                payload=CODE if payload else None,
                when=all_of(any_failed(*steps), succeeded(step)),
                compensates=step.name,
            )
            before = [self._add(node, Code(payload=payload))]

    def _add(self, node: Node, code: Code) -> Step:
        self.nodes.append(node)
        if code != Code():
            self.code[node.name] = code
        return Step(node.name)

    def _kind(self, kind: Kind[Any]) -> str:
        self.kinds[kind.name] = kind
        return kind.name

    def _when(self, when: When | None) -> Condition | None:
        if when is None or isinstance(when, Condition):
            return when and self._every(when)
        return Condition(op="code")

    def _every(self, when: Condition) -> Condition:
        """Where a condition is about any step, about which: those that were declared before."""
        if when.op == "any_failed" and not when.steps:
            return when.model_copy(update={"steps": tuple(node.name for node in self.nodes)})
        return when.model_copy(update={"of": tuple(map(self._every, when.of))})


def workflow(
    name: str,
    *,
    payload: type[P],
    version: int = 1,
    earlier: Sequence[Workflow[Any]] = (),
    **fields: Unpack[PolicyFields],
) -> Callable[[Callable[[Flow[P]], None]], Workflow[P]]:
    """Declare a workflow.

    Example::

        @workflow("publish-site", payload=Site)
        def publish_site(flow: Flow[Site]) -> None:
            collected = flow.step("collect", collect_content, lambda run: Collect(topics=run.payload.topics))
            flow.each("enrich", enrich_item, over=collected, items=lambda r: r["items"], on_failure=at_least(0.8))

    Args:
        name: its name, which is that of the kind of job that a run of it is.
        payload: what a run is given.
        version: raise it where runs under way must not go on with the new graph or the new functions.
        earlier: earlier versions that still have runs; without them, such runs fail and say so.
        **fields: what differs from the usual `Policy` of the run's job. Clients may start it unless `public` is false.

    Raises:
        GraphError: the graph cannot work; it says everything that is wrong.
    """

    def declare(function: Callable[[Flow[P]], None]) -> Workflow[P]:
        flow: Flow[P] = Flow(name)
        function(flow)
        flow.finish()
        graph = Graph(name=name, version=version, nodes=tuple(flow.nodes))
        check(graph, {kind.name: kind.payload for kind in flow.kinds.values()})
        _check_functions(graph, flow.code)
        fields.setdefault("public", True)
        kinds = tuple(flow.kinds.values())
        further = (each for kind in kinds for each in kind.brings)  # of workflows that are steps
        return Workflow(
            name, payload, _handler_of(function), policy=Policy(**fields), brings=(*kinds, *further, TIMER, EVENT_KIND),
            timeouts=tuple(node.timeout_seconds for node in graph.nodes if node.timeout_seconds),
            parent=_conductor, graph=graph, code=flow.code, earlier=tuple(earlier),
        )  # fmt: skip

    return declare


def graph_workflow(name: str, *brings: Kind[Any], **fields: Unpack[PolicyFields]) -> Workflow[GraphRun]:
    """A workflow whose runs each bring their own graph, as data.

    Example::

        PIPELINE = graph_workflow("pipeline")
        digest = await Definitions(blobs, kinds).keep(graph)
        await app.submit(PIPELINE, GraphRun(definition=digest, input={"document": "a.pdf"}))

    Args:
        name: the kind of the runs' jobs.
        *brings: kinds that the graphs use, where they are not declared by a domain.
        **fields: what differs from the usual `Policy` of the run's job.
    """

    async def handle(payload: GraphRun, job: Any) -> Any:
        return await _take_up(payload, job)

    brought = (*brings, TIMER, EVENT_KIND)
    return Workflow(name, GraphRun, handle, policy=Policy(**fields), brings=brought, parent=_conductor)


def _conductor(children: Any) -> Any:
    """What conducts the runs of all workflows of a process; loaded by the first that is run."""
    from shared.workflows.conductor import Conductor

    return Conductor(children)


def _handler_of(function: Callable[..., None]) -> Callable[[Any, Any], Awaitable[Any]]:
    async def handle(payload: Any, job: Any) -> Any:
        return await _take_up(payload, job)

    handle.__module__, handle.__qualname__ = function.__module__, function.__qualname__
    return handle


def _check_functions(graph: Graph, code: Mapping[str, Code]) -> None:
    """See that no function asks for the result of a step that is not before its own: those that it was written around."""
    problems = [
        GraphProblem(name, "payload", f"it uses the result of {step.name!r}, which is not before it")
        for name, functions in code.items()
        for function in (functions.payload, functions.when, functions.items)
        for step in _steps_in(function)
        if step.name not in graph.ancestors[name]
    ]
    if problems:
        raise GraphError(graph.name, tuple(problems))


def _steps_in(function: Callable[..., Any] | None) -> list[Step]:
    if not inspect.isfunction(function):
        return []
    held = inspect.getclosurevars(function).nonlocals.values() if function.__closure__ else ()
    values = [*held, *(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    return [value for value in values if isinstance(value, Step)]


def _names(steps: Steps) -> tuple[str, ...]:
    return (steps.name,) if isinstance(steps, Step) else tuple(step.name for step in steps)


def _function(when: When | None) -> Callable[[Run[Any]], bool] | None:
    return None if when is None or isinstance(when, Condition) else when


def _overrides(overrides: Overrides) -> dict[str, Any]:
    content: dict[str, Any] = dict(overrides)
    delay: timedelta | None = content.pop("delay", None)
    return content | ({"delay_seconds": delay.total_seconds()} if delay else {})
