"""A whole pipeline here and now, without jobs: how a subpipeline is run inside of an executor, and a dry run inside of a request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from shared.domains.pipelines.catalogue import executors
from shared.domains.pipelines.content import Content
from shared.domains.pipelines.definition import Definition, Edge, Node, Pipeline
from shared.domains.pipelines.environment import resolved
from shared.domains.pipelines.executing import ContentError, Executor, Run, Step
from shared.domains.pipelines.running import chain, condition_of, perform, settings_of


@dataclass
class Passage:
    """What came out of each executor, in the order in which they ran."""

    out: dict[str, list[Content]] = field(default_factory=dict)

    def last(self, pipeline: Pipeline) -> list[Content]:
        """What came out in the end: of the executors that lead to no other."""
        sources = {edge.source for edge in pipeline.edges}
        return [item for node in pipeline.nodes if node.id not in sources for item in self.out.get(node.id, [])]


def bound(run: Run, definition: Definition) -> Run:
    """The run with what it needs to run chains and other pipelines of its definition."""

    async def apply(steps: Sequence[Step], items: list[Content]) -> list[Content]:
        return await chain(steps, items, made)

    async def subpipeline(name: str, items: list[Content]) -> list[Content]:
        if name not in definition.pipelines:
            raise ContentError(f"there is no pipeline {name!r}")
        pipeline = definition.pipelines[name]
        within = partial(replace, made, pipeline=name)
        passage = await run_through(pipeline, items, within())
        return passage.last(pipeline)

    made = replace(run, apply=apply, subpipeline=subpipeline)
    return made


async def run_through(
    pipeline: Pipeline, items: list[Content], run: Run, most: int | None = None, passage: Passage | None = None
) -> Passage:
    """Run items through all executors of a pipeline, one after the other.

    Args:
        pipeline: the pipeline.
        items: what its first executors are given; those that find content are asked where there is none.
        run: what executors may use, as `bound` made it.
        most: how many items executors that find content may find.
        passage: filled while it goes on, so that what came out before an error can be looked at.
    """
    passage = passage or Passage()
    for name in pipeline.order():
        node, into = pipeline.by_id[name], pipeline.into(name)
        inputs = {edge.source: let_through(edge, passage.out.get(edge.source, [])) for edge in into}
        given = together(inputs) if into else items
        if into and not given:
            passage.out[name] = []
            continue
        passage.out[name] = await run_node(node, given, run, inputs, most)
    return passage


async def run_node(
    node: Node, items: list[Content], run: Run, inputs: Mapping[str, list[Content]], most: int | None = None
) -> list[Content]:
    """Run one executor of a pipeline.

    Raises:
        ContentError: there is no such executor.
        pydantic.ValidationError: its settings do not fit, now that those of the app are known.
        Exception: as `perform`.
    """
    executor = executors().get(node.type)
    if executor is None:
        raise ContentError(f"there is no executor {node.type!r}")
    settings = settings_of(executor, resolved(node.settings))
    own = replace(run, executor_id=node.id, inputs=inputs)
    if executor.shape == "input":
        return items or await _found(executor, settings, own, most)
    return await perform(executor, settings, items, own)


def let_through(edge: Edge, items: list[Content]) -> list[Content]:
    """The items that take an edge."""
    condition = condition_of(edge.condition)
    return items if condition is None else [item for item in items if condition.holds(item.scope())]


def together(inputs: Mapping[str, list[Content]]) -> list[Content]:
    """What comes in by several edges, branch after branch."""
    return [item for items in inputs.values() for item in items]


async def _found(executor: Executor[Any], settings: Any, run: Run, most: int | None) -> list[Content]:
    if not settings.enabled:
        return []
    limit = min(each for each in (most or 10**9, settings.max_results or 10**9))
    condition = condition_of(settings.condition)
    found: list[Content] = []
    async for each in executor.run(settings, run):
        if condition is None or condition.holds(each.content.scope()):
            found.append(each.content)
        if len(found) >= limit:
            break
    return found
