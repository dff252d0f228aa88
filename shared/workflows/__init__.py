"""Graphs of jobs: what a domain needs to declare workflows."""

from shared.workflows.check import check
from shared.workflows.conditions import all_of, always, any_failed, any_of, failed, holds, negated, succeeded
from shared.workflows.declare import Flow, Overrides, Step, at_least, days, hours, minutes, workflow
from shared.workflows.errors import DefinitionChangedError, GraphError, GraphProblem, RunFailedError
from shared.workflows.graph import CODE, AtLeast, Condition, Each, Graph, Node, Wait
from shared.workflows.keeping import result_of
from shared.workflows.kind import Workflow
from shared.workflows.view import Run

__all__ = [
    "CODE", "AtLeast", "Condition", "DefinitionChangedError", "Each", "Flow", "Graph", "GraphError", "GraphProblem", "Node",
    "Overrides", "Run", "RunFailedError", "Step", "Wait", "Workflow", "all_of", "always", "any_failed", "any_of", "at_least",
    "check", "days", "failed", "holds", "hours", "minutes", "negated", "result_of", "succeeded", "workflow",
]  # fmt: skip
