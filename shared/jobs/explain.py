"""Why is it not running? What a job waits for, in words and in fields: a pure function of what is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from shared.jobs.kept import KeptInfo, State
from shared.jobs.model import Job, Status
from shared.jobs.pauses import Pause


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known besides the job itself."""

    now: datetime
    queue: str
    depth: int
    """Messages on the queue, about: those that are delayed, or being processed, included."""
    queue_age: float
    """Seconds that the message at the head of the queue has been due; 0 where none is waiting."""
    pause: Pause
    known: bool
    """Whether this code knows the kind."""
    grace: timedelta
    """How long past its time a job must be before the sweep takes it for stuck."""
    sweep_schedule: str
    kept: tuple[KeptInfo, ...] = ()
    """What is kept of its steps and effects, oldest first."""


Code = Literal[
    "unknown_kind", "paused", "backoff", "not_before", "snoozed", "children", "step_waits", "steps", "effect_unknown", "message_lost", "backlog", "starting",
    "cancelling", "running", "lease_ended", "completed", "cancelled", "failed", "callback_due", "workflow_step",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that a job waits for, or that ended it. `until`: when that will be over, where it is known."""

    code: Code
    text: str
    advice: str
    until: datetime | None = None


def explain(job: Job, circumstances: Circumstances) -> list[Reason]:
    """Every reason why a job is not (yet, or any more) running, the most telling first."""
    if job.status is Status.QUEUED:
        return [*_queued(job, circumstances), *_steps(job, circumstances)]
    if job.status is Status.RUNNING:
        return [*_running(job, circumstances), *_steps(job, circumstances)]
    return [*_ended(job, circumstances), *_steps(job, circumstances)]


def _queued(job: Job, circumstances: Circumstances) -> Iterator[Reason]:
    if not circumstances.known:
        yield Reason(
            "unknown_kind",
            f"No code that runs here knows the kind {job.kind}.",
            "Deploy the code that does: messages wait for it.",
        )
    if circumstances.pause.paused:
        yield _paused(job, circumstances.pause)
    if job.suspended_at:
        yield Reason(
            "children",
            f"It has waited for the jobs that it is made of since {_at(job.suspended_at)}; one that ends wakes it.",
            "Nothing. It holds no worker meanwhile.",
        )
    elif job.due_at > circumstances.now:
        yield _early(job)
    elif circumstances.pause.paused:
        return
    elif _lost(job, circumstances):
        yield Reason(
            "message_lost",
            f"It has been due since {_at(job.due_at)}, and no message older than that waits on {circumstances.queue}: "
            "its message seems to be lost.",
            f"Nothing: the sweep ({circumstances.sweep_schedule}) sends it again once it is {circumstances.grace.total_seconds():.0f} s overdue.",
        )
    elif circumstances.known:
        yield _behind(circumstances)


def _paused(job: Job, pause: Pause) -> Reason:
    since = f" since {_at(pause.since)}" if pause.since else ""
    why = f" ({pause.reason})" if pause.reason else ""
    return Reason(
        "paused",
        f"Jobs of the kind {job.kind} are paused{since}{why}.",
        f"POST /api/kinds/{job.kind}/resume lets them go on.",
    )


def _early(job: Job) -> Reason:
    if job.history and job.history[-1].event == "snoozed":
        return _snoozed(job)
    if job.failures and job.error:
        return Reason(
            "backoff",
            f"Attempt {job.attempt} failed ({job.error.type}): it backs off until {_at(job.due_at)}.",
            "Nothing: it is tried again then.",
            job.due_at,
        )
    return Reason(
        "not_before", f"It was submitted to start not before {_at(job.due_at)}.", "Nothing: it starts then.", job.due_at
    )


def _snoozed(job: Job) -> Reason:
    if job.fan_out:
        return Reason(
            "children",
            f"{job.fan_out.ended} of its {job.fan_out.total} child jobs have ended; it looks again at {_at(job.due_at)}.",
            f"Look at its children: GET /api/jobs?parent_id={job.job_id}.",
            job.due_at,
        )
    why = f" ({job.history[-1].detail})" if job.history[-1].detail else ""
    return Reason(
        "snoozed", f"It has put itself off until {_at(job.due_at)}{why}.", "Nothing: it goes on then.", job.due_at
    )


def _lost(job: Job, circumstances: Circumstances) -> bool:
    overdue = (circumstances.now - max(job.watch_at or job.due_at, job.due_at)).total_seconds()
    return overdue > circumstances.grace.total_seconds() and circumstances.queue_age < overdue


def _behind(circumstances: Circumstances) -> Reason:
    if not circumstances.depth:
        return Reason("starting", "Nothing holds it up: a worker has it, or will in a moment.", "Ask again.")
    waits = f"; the first in line has waited {circumstances.queue_age:.0f} s" if circumstances.queue_age >= 1 else ""
    return Reason(
        "backlog",
        f"About {circumstances.depth} messages are on {circumstances.queue}, itself, delayed and running ones included{waits}.",
        "Wait; where this lasts, more instances or a higher priority help.",
    )


def _running(job: Job, circumstances: Circumstances) -> Iterator[Reason]:
    if job.cancel_requested:
        yield Reason("cancelling", "It was asked to stop, and will at its next checkpoint.", "Wait for the checkpoint.")
    if job.due_at > circumstances.now:
        since = f" since {_at(job.started_at)}" if job.started_at else ""
        yield Reason(
            "running",
            f"Attempt {job.attempt} runs{since}; its lease lasts until {_at(job.due_at)} and is renewed while it lives.",
            "Wait; or cancel it.",
            job.due_at,
        )
    else:
        yield Reason(
            "lease_ended",
            f"The lease of attempt {job.attempt} ended at {_at(job.due_at)}: its worker has vanished.",
            f"Nothing: the host delivers its message again, or the sweep ({circumstances.sweep_schedule}) sends it once it is "
            f"{circumstances.grace.total_seconds():.0f} s overdue.",
        )


def _ended(job: Job, circumstances: Circumstances) -> Iterator[Reason]:
    if job.status is Status.COMPLETED:
        yield Reason("completed", f"It completed at {_at(job.due_at)}, in attempt {job.attempt}.", "Nothing.")
    elif job.status is Status.CANCELLED:
        yield Reason("cancelled", f"It was cancelled at {_at(job.due_at)}.", "Submit it anew, where it is wanted.")
    else:
        error = f"{job.error.type}: {job.error.message}" if job.error else "no error was recorded"
        yield Reason(
            "failed",
            f"It gave up at {_at(job.due_at)}, after attempt {job.attempt} ({error}).",
            f"POST /api/jobs/{job.job_id}/retry once the cause is mended; dead letter {job.dead_letter_id} has the rest.",
        )
    if job.callback_due:
        yield Reason(
            "callback_due",
            "Its outcome has not been told to its callback yet.",
            f"Nothing: the sweep ({circumstances.sweep_schedule}) has it told.",
        )


def _steps(job: Job, circumstances: Circumstances) -> Iterator[Reason]:
    """What its steps and effects have come to, as far as that matters for what is left to do."""
    kept = circumstances.kept
    if job.status is Status.QUEUED:
        for step in (each for each in kept if each.state is State.WAITING):
            yield Reason(
                "step_waits", f"Its step {step.name} has failed {step.tries} times.", "Nothing: it is tried again."
            )
    for effect in (each for each in kept if each.state is State.BEGUN and job.status is not Status.COMPLETED):
        yield Reason(
            "effect_unknown",
            f"Whether its effect {effect.name} was done is not known: attempt {effect.attempt} began it at {_at(effect.at)}.",
            f'POST /api/dead-letters/{job.dead_letter_id}/replay with {{"effects": {{"{effect.name}": {{"outcome": "done"}}}}}}, or '
            '"not_done".'
            if job.status is Status.FAILED
            else "Nothing: the attempt is at it, or the next one asks.",
        )
    done = [each for each in kept if each.state is State.DONE]
    if done and not (job.status.final and job.status is not Status.FAILED):
        yield Reason(
            "steps",
            f"{len(done)} of its steps are done, the latest, {done[-1].name}, at {_at(done[-1].at)}.",
            "Nothing: no later attempt does these again, unless a replay edits the payload.",
        )


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
