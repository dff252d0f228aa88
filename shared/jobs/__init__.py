"""The engine of durable jobs. What a domain needs to declare kinds of jobs and timers, and to write handlers, is here.

Each name is imported when it is first asked for: to declare a timer, which is read at every cold start, takes no engine.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from shared.jobs.children import Child
    from shared.jobs.context import JobContext
    from shared.jobs.declare import job
    from shared.jobs.effects import Done, NotDone, Unknown
    from shared.jobs.errors import (
        FinalError,
        HandOver,
        JobCancelledError,
        JobsError,
        NotDoneError,
        RetryLater,
        Snooze,
        SupersededError,
    )
    from shared.jobs.fanning import fan_out
    from shared.jobs.kinds import Dedupe, Kind, Policy
    from shared.jobs.locks import FencedError, Lock, LockedError, Locks, LostLockError
    from shared.jobs.model import Failure, Job, Priority, Status
    from shared.jobs.steps import StepPolicy
    from shared.jobs.ticket import IdempotencyKey, Options, Ticket
    from shared.jobs.timers.timer import Missed, Timer

_HOME = {
    "Child": "children",
    "Dedupe": "kinds",
    "Done": "effects",
    "Failure": "model",
    "FencedError": "locks",
    "FinalError": "errors",
    "HandOver": "errors",
    "IdempotencyKey": "ticket",
    "Job": "model",
    "JobCancelledError": "errors",
    "JobContext": "context",
    "JobsError": "errors",
    "Kind": "kinds",
    "Lock": "locks",
    "LockedError": "locks",
    "Locks": "locks",
    "LostLockError": "locks",
    "Missed": "timers.timer",
    "NotDone": "effects",
    "NotDoneError": "errors",
    "Options": "ticket",
    "Policy": "kinds",
    "Priority": "model",
    "RetryLater": "errors",
    "Snooze": "errors",
    "Status": "model",
    "StepPolicy": "steps",
    "SupersededError": "errors",
    "Ticket": "ticket",
    "Timer": "timers.timer",
    "Unknown": "effects",
    "fan_out": "fanning",
    "job": "declare",
}
"""Where each name is."""


if not TYPE_CHECKING:  # mypy is to know what there is

    def __getattr__(name: str) -> Any:
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
        return value


__all__ = [
    "Child",
    "Dedupe",
    "Done",
    "Failure",
    "FencedError",
    "FinalError",
    "HandOver",
    "IdempotencyKey",
    "Job",
    "JobCancelledError",
    "JobContext",
    "JobsError",
    "Kind",
    "Lock",
    "LockedError",
    "Locks",
    "LostLockError",
    "Missed",
    "NotDone",
    "NotDoneError",
    "Options",
    "Policy",
    "Priority",
    "RetryLater",
    "Snooze",
    "Status",
    "StepPolicy",
    "SupersededError",
    "Ticket",
    "Timer",
    "Unknown",
    "fan_out",
    "job",
]
