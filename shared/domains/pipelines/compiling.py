"""A pipeline as the graph of a workflow: each executor is a step, done by one job, which is given where its items are."""

from __future__ import annotations

from typing import Any

from shared.domains.pipelines.definition import Edge, Pipeline
from shared.domains.pipelines.payloads import EXECUTOR
from shared.workflows.graph import Condition, Graph, Node
from shared.workflows.values import RESERVED, identifier


def graph_of(pipeline: Pipeline, max_attempts: int | None = None) -> Graph:
    """The graph of a pipeline that was checked.

    Args:
        pipeline: without the executor that is left out of this run, if one is.
        max_attempts: how often each executor is tried; None: as the kind's policy says.
    """
    names = _names(pipeline)
    sometimes = _sometimes(pipeline)
    tolerated = {edge.source for node in pipeline.nodes if node.wait == "any" for edge in pipeline.into(node.id)}
    nodes = []
    for own in pipeline.order():
        into = pipeline.into(own)
        payload: dict[str, Any] = {
            **{
                key: {"$": f"payload.{key}"}
                for key in ("execution", "pipeline_id", "version", "definition", "left_out")
            },
            "node": own,
            "inputs": {edge.source: {"$": identifier(names[edge.source])} for edge in into},
            **({} if into else {"items": {"$": "payload.items"}}),
        }
        nodes.append(
            Node(
                name=names[own],
                kind=EXECUTOR,
                after=tuple(dict.fromkeys(names[edge.source] for edge in into)),
                payload=payload,
                when=_when(into, names) if own in sometimes else None,
                max_attempts=max_attempts,
                on_failure="continue" if own in tolerated else "fail",
            )
        )
    return Graph(name=f"pipeline {pipeline.name}"[:200], nodes=tuple(nodes))


def step_of(pipeline: Pipeline, id: str) -> str:
    """What an executor's step is called in the graph."""
    return _names(pipeline)[id]


def _names(pipeline: Pipeline) -> dict[str, str]:
    """The names of the steps: the executors' ids, but for those that mean something else in expressions, or that look alike there."""
    found: dict[str, str] = {}
    taken = set(RESERVED)
    for node in pipeline.nodes:
        name, number = node.id, 1
        while identifier(name) in taken:
            number += 1
            name = f"{node.id[:60]}.{number}"
        taken.add(identifier(name))
        found[node.id] = name
    return found


def _sometimes(pipeline: Pipeline) -> set[str]:
    """The executors that may have nothing to do: behind a condition, or behind one that is; or for which any branch is enough."""
    found: set[str] = set()
    for name in pipeline.order():
        into = pipeline.into(name)
        if pipeline.by_id[name].wait == "any" or any(edge.condition or edge.source in found for edge in into):
            found.add(name)
    return found


def _when(into: list[Edge], names: dict[str, str]) -> Condition:
    """It runs once anything comes in."""
    return Condition(op="expression", text=" or ".join(_comes(edge, identifier(names[edge.source])) for edge in into))


def _comes(edge: Edge, source: str) -> str:
    done = f"states.{source} == 'completed'"
    return f"({done} and {source}.to['{edge.target}'] > 0)" if edge.condition else f"({done})"
