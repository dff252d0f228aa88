"""What can be wrong with a workflow."""

from __future__ import annotations

from dataclasses import dataclass

from shared.jobs.errors import FinalError, JobsError, KindError


@dataclass(frozen=True, slots=True)
class GraphProblem:
    """One thing that is wrong with a graph: in which step (None: the whole), in which of its fields, and what."""

    step: str | None
    field: str
    message: str

    def __str__(self) -> str:
        """One line."""
        return f"step {self.step!r}: {self.message}" if self.step else self.message


class GraphError(KindError):
    """The graph of a workflow cannot work."""

    def __init__(self, name: str, problems: tuple[GraphProblem, ...]) -> None:
        super().__init__(f"workflow {name}: " + "; ".join(map(str, problems)))
        self.problems = problems
        """All that is wrong."""


class RunFailedError(FinalError):
    """A step of the run failed."""


class DefinitionGoneError(FinalError):
    """The run was begun on a definition that this code does not have."""


class DefinitionChangedError(JobsError):
    """What the run has completed is not the same in the newer definition."""
