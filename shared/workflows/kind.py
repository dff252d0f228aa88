"""A workflow as a kind of job, with the functions that belong to its graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import BaseModel

from shared.jobs.kinds import Kind
from shared.workflows.graph import Graph
from shared.workflows.view import Run

P = TypeVar("P", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Code:
    """The functions of a step, where its graph says `CODE`."""

    payload: Callable[..., Any] | None = None
    items: Callable[[Any], Iterable[Any]] | None = None
    when: Callable[[Run[Any]], bool] | None = None


@dataclass(frozen=True, slots=True)
class Workflow(Kind[P]):
    """A workflow: the kind of job that a run of it is, with its graph and the functions that belong to the graph."""

    graph: Graph = field(default_factory=lambda: Graph(name="none", nodes=()))
    """Without steps: each run brings its own (`graph_workflow`)."""
    code: Mapping[str, Code] = field(default_factory=dict)
    earlier: tuple[Workflow[Any], ...] = ()
    """Versions of it that runs may still be pinned to."""

    def of_version(self, version: int) -> Workflow[Any] | None:
        """This workflow, or the earlier one of that version."""
        known = (self, *self.earlier)
        return next((each for each in known if each.graph.version == version), None)
