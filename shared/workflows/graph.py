"""The graph of a workflow, as data: its steps, what each waits for, and what its failure means.

Whatever declares a workflow (code, or text such as YAML) ends up here, and the engine runs nothing else. A graph can be written as
JSON, and is known by the hash of that: a run is pinned to it. What only code can say (a function that makes a payload) stands in it as
`CODE`; `shared.workflows.declare.Workflow` has the function.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from graphlib import TopologicalSorter
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from shared.jobs.model import Priority

CODE: JsonValue = {"$code": True}
"""Stands for what a function of the workflow's code makes."""


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AtLeast(_Data):
    """How many items of an `each` have to complete: so many, or such a share of them."""

    count: int | None = Field(default=None, ge=0)
    share: float | None = Field(default=None, ge=0, le=1)

    @model_validator(mode="after")
    def _one_of_two(self) -> AtLeast:
        if (self.count is None) == (self.share is None):
            raise ValueError("give a count or a share")
        return self

    def met(self, completed: int, total: int) -> bool:
        """Whether that many of all are enough; of no items at all, none have to complete."""
        if self.count is not None:
            return completed >= min(self.count, total)
        return completed >= (self.share or 0) * total - 1e-9


OnFailure = Literal["fail", "continue"] | AtLeast
"""What a step that failed means. `fail`: what needs it is skipped, and the run fails. `continue`: others go on as if it had completed,
without a result. `AtLeast`: of the items of an `each`, so many are enough; fewer are a failure."""


class Condition(_Data):
    """When a step runs, once all that is before it has ended; where it does not hold, the step is skipped.

    `succeeded`, `failed`: all of `steps` have. `any_failed`: one of `steps` has. `always`: whatever became of them. `all`, `any`,
    `not`: of the conditions in `of`. `expression`: `text` holds (`shared.expressions`; see `shared.workflows.values` for its names).
    `code`: a function of the workflow's code says so.
    """

    op: Literal["succeeded", "failed", "any_failed", "always", "all", "any", "not", "expression", "code"]
    steps: tuple[str, ...] = ()
    of: tuple[Condition, ...] = ()
    text: str = ""

    @property
    def named(self) -> set[str]:
        """The steps that it names, its parts' included; those of expressions are found where these are parsed."""
        return set(self.steps).union(*(each.named for each in self.of))

    def walk(self) -> Iterator[Condition]:
        """This condition and all its parts."""
        yield self
        for each in self.of:
            yield from each.walk()


class Each(_Data):
    """A step that is done by one job for each item of a list."""

    over: str | None = None
    """The step whose result the list is made from; None: the payload of the run."""
    items: JsonValue = {"$": "value"}
    """A template of the list; `value` is the result of `over` (or the payload)."""
    width: int = Field(default=8, ge=1, le=256)
    """How many items are under way at the same time, at most."""


class Wait(_Data):
    """A step that waits for an event, which may have come before."""

    event: str
    timeout_seconds: float | None = Field(default=None, gt=0)
    """After which the step fails; None: it waits for as long as it takes."""


class Node(_Data):
    """One step of a workflow: a job of a kind (`kind`), one for each item (`kind` and `each`), a wait, or a sleep."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")
    kind: str | None = None
    after: tuple[str, ...] = ()
    """The steps that must have ended before."""
    payload: JsonValue = None
    """A template of the job's payload (see `shared.workflows.values`); None: an `each` passes each item on as it is, any other
    step a payload without fields."""
    each: Each | None = None
    wait: Wait | None = None
    sleep_seconds: float | None = Field(default=None, ge=0)
    when: Condition | None = None
    """None: if all that is before it succeeded."""
    on_failure: OnFailure = "fail"
    compensates: str | None = None
    """The step whose effect it takes back; no run is taken up again in which such a step has begun."""
    priority: Priority | None = None
    delay_seconds: float = Field(default=0, ge=0)
    max_attempts: int | None = Field(default=None, ge=1)
    timeout_seconds: float | None = Field(default=None, gt=0)
    base_backoff_seconds: float | None = Field(default=None, ge=0)
    max_backoff_seconds: float | None = Field(default=None, ge=0)

    @property
    def needs(self) -> set[str]:
        """Every step that this one waits for: said by `after`, or by what it is over, or by its condition."""
        named = self.when.named if self.when else set()
        over = {self.each.over} if self.each and self.each.over else set()
        return {*self.after, *over, *named}

    @property
    def policy(self) -> dict[str, Any]:
        """What differs from the policy of its kind."""
        names = ("max_attempts", "timeout_seconds", "base_backoff_seconds", "max_backoff_seconds")
        return {name: value for name in names if (value := getattr(self, name)) is not None}

    @property
    def sort(self) -> Literal["job", "each", "wait", "sleep"]:
        """What kind of step it is."""
        if self.wait:
            return "wait"
        if self.sleep_seconds is not None:
            return "sleep"
        return "each" if self.each else "job"


class Graph(_Data):
    """A workflow's steps, in the order in which they were declared."""

    name: str
    version: int = Field(default=1, ge=1)
    nodes: tuple[Node, ...]

    @cached_property
    def by_name(self) -> Mapping[str, Node]:
        """The steps by name."""
        return {node.name: node for node in self.nodes}

    @cached_property
    def order(self) -> tuple[str, ...]:
        """The steps, each after all that it waits for. Only of a graph that was checked."""
        return tuple(TopologicalSorter({node.name: sorted(node.needs) for node in self.nodes}).static_order())

    @cached_property
    def ancestors(self) -> Mapping[str, frozenset[str]]:
        """Of each step, all steps that have ended before it begins. Only of a graph that was checked."""
        found: dict[str, frozenset[str]] = {}
        for name in self.order:
            needs = self.by_name[name].needs
            found[name] = frozenset(needs).union(*(found[each] for each in needs))
        return found

    @cached_property
    def descendants(self) -> Mapping[str, frozenset[str]]:
        """Of each step, all steps that wait for it, near or far."""
        return {
            name: frozenset(other for other, before in self.ancestors.items() if name in before)
            for name in self.by_name
        }  # fmt: skip

    def __copy__(self) -> Graph:
        """Without what was derived from it: a copy may be changed (`model_copy`)."""
        copy = super().__copy__()
        for name in set(vars(copy)) - set(Graph.model_fields):
            del vars(copy)[name]
        return copy

    def to_json(self) -> bytes:
        """The same bytes for the same graph."""
        content = self.model_dump(mode="json", exclude_defaults=True)
        return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()

    @cached_property
    def hash(self) -> str:
        """What it is known by: the SHA-256 of its JSON."""
        return hashlib.sha256(self.to_json()).hexdigest()
