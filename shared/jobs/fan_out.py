"""Fan-out: one job whose work is many jobs.

Stub.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import JsonValue

if TYPE_CHECKING:
    from shared.jobs.context import JobContext


@dataclass(frozen=True, slots=True)
class Child:
    """One job of a fan-out: `key` names it among its siblings, and with the parent's id makes its job id."""

    key: str
    kind: str
    payload: dict[str, JsonValue]


async def fan_out(job: JobContext, plan: Callable[[], AsyncIterator[Child]], *, width: int) -> dict[str, Any]:
    """Run a job for each child of the plan, `width` at a time; return the counts, and which of them failed."""
    raise NotImplementedError
