"""Jobs that runs use beside those of their steps, and the payload of runs of graphs that are no code."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, JsonValue

from shared.jobs.declare import job
from shared.jobs.kinds import Kind


class Nothing(BaseModel):
    """No payload."""


class EventPayload(BaseModel):
    """Which event has come."""

    event: str


class GraphRun(BaseModel):
    """What a run of a graph is given that no code declares."""

    definition: str
    """The hash of the graph, which is kept (`shared.workflows.definitions.Definitions.keep`)."""
    input: JsonValue = None
    """The run's payload, as the graph's templates know it."""


@job("workflow-timer", max_attempts=20)
async def _timer(payload: Nothing, job: Any) -> None:
    """Let a sleep, or the time of a wait, be over: the engine has kept the job until then."""


@job("workflow-event")
async def _event(payload: EventPayload, job: Any) -> None:
    """An event that has come. Such jobs are completed from their first moment, and never run."""


TIMER: Kind[Nothing] = _timer
EVENT_KIND: Kind[EventPayload] = _event
