"""Conditions as code writes them: ``when=succeeded(built)``."""

from __future__ import annotations

from typing import Protocol

from shared.workflows.graph import Condition


class Named(Protocol):
    """Anything that has a step's name: what `Flow.step` returns."""

    @property
    def name(self) -> str:
        """The step's name."""
        ...


def succeeded(*steps: Named) -> Condition:
    """All of these steps completed, or their failure is tolerated."""
    return Condition(op="succeeded", steps=tuple(step.name for step in steps))


def failed(*steps: Named) -> Condition:
    """All of these steps failed."""
    return Condition(op="failed", steps=tuple(step.name for step in steps))


def any_failed(*steps: Named) -> Condition:
    """One of these steps failed; without any, one of all that were declared before."""
    return Condition(op="any_failed", steps=tuple(step.name for step in steps))


def always() -> Condition:
    """Whatever became of what is before it."""
    return Condition(op="always")


def holds(text: str) -> Condition:
    """An expression over what is known: ``holds("len(collect.items) > 3")``; see `shared.workflows.values`."""
    return Condition(op="expression", text=text)


def all_of(*conditions: Condition) -> Condition:
    """Each of these holds."""
    return Condition(op="all", of=conditions)


def any_of(*conditions: Condition) -> Condition:
    """One of these holds."""
    return Condition(op="any", of=conditions)


def negated(condition: Condition) -> Condition:
    """This does not hold."""
    return Condition(op="not", of=(condition,))
