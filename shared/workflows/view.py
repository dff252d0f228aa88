"""What the functions of a workflow see of its run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from shared.workflows.conditions import Named

P_co = TypeVar("P_co", bound=BaseModel, covariant=True)


class NotBeforeError(LookupError):
    """The step is not before this one: it has no result yet, or none for it."""


class NotLoadedError(LookupError):
    """The result is in a blob of its own, and was not read yet: it is, and the function is called again."""

    def __init__(self, step: str) -> None:
        super().__init__(step)
        self.step = step


@dataclass(frozen=True, slots=True)
class Run(Generic[P_co]):
    """A run, as it stands when a step of it is about to begin. Functions that are given it must not have effects of their own.

    They may be called more than once for a step, and must come to the same each time.
    """

    run_id: str
    payload: P_co
    states: Mapping[str, str]
    """What became of each step that is before this one: `completed`, `failed`, `skipped`, `cancelled`."""
    failures: Mapping[str, str]
    """Why, of those that failed."""
    _results: Mapping[str, Any]
    _known: frozenset[str]

    def result(self, step: Named | str) -> Any:
        """The JSON result of a step that is before this one.

        Of an `each`: the results of its items that completed, as a list in the order of the items. Of a wait: the event's content.
        None where the step did not complete.

        Raises:
            NotBeforeError: the step is not before this one.
        """
        name = step if isinstance(step, str) else step.name
        if name in self._results:
            return self._results[name]
        if name not in self._known:
            raise NotBeforeError(f"step {name!r} is not before this one: it has no result for it")
        raise NotLoadedError(name)

    def results(self, *steps: Named | str) -> Sequence[Any]:
        """The results of several steps."""
        return [self.result(step) for step in steps]
