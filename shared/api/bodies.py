"""What requests about the engine's own resources bring."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from shared.jobs.dead_letters.vault import Filter
from shared.jobs.effects import Answer
from shared.web.parameters import LETTER_CURSOR

_CLOSED = ConfigDict(extra="forbid", defer_build=True)


class ReplayRequest(BaseModel):
    """The body of a replay of one dead letter; all of it is optional."""

    model_config = _CLOSED

    payload: dict[str, Any] | None = None
    effects: Annotated[dict[str, Answer], Field(max_length=100)] = {}
    """By the name of each effect of which it is asked whether it was done: the answer."""
    dry_run: bool = False


class DiscardRequest(BaseModel):
    """The body of a discard."""

    model_config = _CLOSED

    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class ReplaysRequest(BaseModel):
    """The body of a replay by filter. An empty filter means every one never replayed or discarded.

    Whoever goes on sends `cursor` and, as `filter.until`, the `until` of the answer before.
    """

    model_config = _CLOSED

    filter: Filter = Filter()
    ids: Annotated[list[str], Field(max_length=100)] | None = None
    limit: int = Field(100, ge=1, le=500)
    cursor: Annotated[str, StringConstraints(pattern=LETTER_CURSOR)] | None = None
    dry_run: bool = False
    payload: dict[str, Any] | None = None


class PauseRequest(BaseModel):
    """The body of a pause; all of it is optional."""

    model_config = _CLOSED

    reason: Annotated[str, StringConstraints(max_length=500)] | None = None


class RunRequest(BaseModel):
    """The body of a run by hand; all of it is optional."""

    model_config = _CLOSED

    scheduled_for: AwareDatetime | None = None
    """The missed occurrence that is to be made up; none: a run of its own."""
