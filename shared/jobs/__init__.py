"""The engine of durable jobs. What a domain needs to declare kinds of jobs and timers, and to write handlers, is here."""

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
from shared.jobs.fan_out import fan_out
from shared.jobs.kinds import Dedupe, Kind, Policy
from shared.jobs.locks import FencedError, Lock, LockedError, Locks, LostLockError
from shared.jobs.model import Failure, Job, Priority, Status
from shared.jobs.steps import StepPolicy
from shared.jobs.ticket import IdempotencyKey, Options, Ticket
from shared.jobs.timers.timer import Missed, Timer

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
