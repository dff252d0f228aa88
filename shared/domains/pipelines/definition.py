"""A pipeline as it is kept and run: its executors, and the edges between them. Made of YAML by `shared.domains.pipelines.checking`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Edge(_Data):
    """From one executor to another."""

    source: str
    target: str
    condition: str | None = None
    """Only the items for which this holds take it."""


class Node(_Data):
    """An executor in a pipeline."""

    id: str
    type: str
    """Its name in the catalogue."""
    description: str = ""
    settings: dict[str, Any] = Field(default_factory=dict)
    """As written: ``${NAME}`` stands for a setting of the app until it runs, so that no secret is kept here."""
    uses: tuple[str, ...] = ()
    """The pipelines of the same file that its settings name."""
    wait: Literal["all", "any"] = "all"
    """`any`: what comes in of the branches that succeeded is enough, as long as one did."""


class Pipeline(_Data):
    """One pipeline of a file."""

    name: str
    description: str = ""
    nodes: tuple[Node, ...] = ()
    edges: tuple[Edge, ...] = ()

    @cached_property
    def by_id(self) -> Mapping[str, Node]:
        """The executors by id."""
        return {node.id: node for node in self.nodes}

    def into(self, id: str) -> list[Edge]:
        """The edges to an executor."""
        return [edge for edge in self.edges if edge.target == id]

    def out_of(self, id: str) -> list[Edge]:
        """The edges from an executor."""
        return [edge for edge in self.edges if edge.source == id]

    @property
    def uses(self) -> tuple[str, ...]:
        """The pipelines that its executors use."""
        return tuple(dict.fromkeys(name for node in self.nodes for name in node.uses))

    @property
    def first(self) -> list[Node]:
        """The executors that nothing leads to."""
        targets = {edge.target for edge in self.edges}
        return [node for node in self.nodes if node.id not in targets]

    def order(self) -> list[str]:
        """The executors so that each comes after those that lead to it; graphlib's CycleError where that cannot be."""
        from graphlib import TopologicalSorter

        sorter = TopologicalSorter({node.id: [edge.source for edge in self.into(node.id)] for node in self.nodes})
        return list(sorter.static_order())

    def without(self, id: str) -> Pipeline:
        """The pipeline without an executor: what led to it leads to what it led to."""
        if id not in self.by_id:
            return self
        bridged = [
            Edge(source=before.source, target=after.target, condition=after.condition or before.condition)
            for before in self.into(id)
            for after in self.out_of(id)
        ]
        kept = [edge for edge in self.edges if id not in (edge.source, edge.target)]
        nodes = tuple(node for node in self.nodes if node.id != id)
        return Pipeline(name=self.name, description=self.description, nodes=nodes, edges=(*kept, *bridged))


class Definition(_Data):
    """What a file defines: the pipeline that is run, and those that it may use."""

    main: str
    pipelines: dict[str, Pipeline]

    @property
    def pipeline(self) -> Pipeline:
        """The pipeline that is run."""
        return self.pipelines[self.main]

    def to_json(self) -> bytes:
        """The same bytes for the same definition."""
        content = self.model_dump(mode="json", exclude_defaults=True)
        return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    @cached_property
    def hash(self) -> str:
        """What it is known by: the SHA-256 of its JSON."""
        return hashlib.sha256(self.to_json()).hexdigest()
