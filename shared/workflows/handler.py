"""The handler of every workflow's jobs."""

from __future__ import annotations

from typing import Any

from shared.jobs.errors import Suspend
from shared.workflows.conductor import Conductor
from shared.workflows.errors import RunFailedError
from shared.workflows.record import Outcome, Record, State


async def take_up(payload: Any, job: Any) -> Any:
    """Begin the run, go on with it, or say how it ended.

    Raises:
        Suspend: its steps are at work.
        RunFailedError: a step failed.
    """
    conductor = job.children.parent(job.job.kind)
    assert isinstance(conductor, Conductor)  # noqa: S101 - said by the workflow's declaration
    record = await conductor.take_up(job.job, payload.model_dump(mode="json", exclude_none=True))
    match record.outcome:
        case None:
            raise Suspend(f"{record.ended} of {len(record.steps)} steps have ended")
        case Outcome.FAILED | Outcome.CANCELLED:
            raise RunFailedError(_failure(record))
    return {
        "outcome": record.outcome.value,
        "steps": {name: step.state.value for name, step in record.steps.items()},
    }


def _failure(record: Record) -> str:
    failed = [(name, step) for name, step in record.steps.items() if step.state in (State.FAILED, State.CANCELLED)]
    return "; ".join(f"step {name} {step.state}: {step.reason}" for name, step in failed if not step.tolerated)[:1000]
