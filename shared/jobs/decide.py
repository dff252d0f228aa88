"""What to do with a message, given the job that it is about: a pure decision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.jobs.envelope import Delivery
from shared.jobs.model import Job, Status

SLACK = timedelta(seconds=2)
"""How far the clocks of two instances may differ before a message counts as early."""

SHARED_STALLS = 5
"""So many workers that vanished over several jobs count as one that vanished over this job alone."""
MOST_OVERRUNS = 2
"""How often a job may block its process beyond its own time: each time costs all its neighbours theirs."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Take the job for an attempt."""


@dataclass(frozen=True, slots=True)
class ClaimReplay:
    """Put the failed job back and take it: the message was put on the queue by an operator."""


@dataclass(frozen=True, slots=True)
class GiveUpStalled:
    """Too many workers vanished over this job."""


@dataclass(frozen=True, slots=True)
class PutBack:
    """Too early: send the message again, to be seen at `until`."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Drop:
    """Nothing is to be done for this message."""

    reason: str


Decision = Claim | ClaimReplay | GiveUpStalled | PutBack | Drop


def decide(
    job: Job,
    delivery: Delivery,
    *,
    dead_letter: str | None,
    sent_at: datetime,
    written_at: datetime | None,
    max_stalls: int,
    now: datetime,
) -> Decision:
    """Decide what a delivered message means for its job.

    Args:
        job: the job as it stands.
        delivery: the message.
        dead_letter: the dead letter that the envelope says it replays, if it does.
        sent_at: when the envelope says that it was written.
        written_at: when the status blob was last written, by the storage service's clock; None where it was not read.
        max_stalls: how many vanished workers the kind allows.
        now: the present moment.
    """
    if job.status is Status.FAILED:
        if _replays(job, delivery, dead_letter, sent_at, written_at):
            return ClaimReplay()
        return Drop("the job has failed, and this message is not a replay of it")
    if job.status.final:
        return Drop(f"the job is {job.status} already")
    if job.suspended_at is not None:
        return Drop("it waits for the jobs that it is made of")
    if job.status is Status.QUEUED:
        return Claim() if job.due_at <= now + SLACK else PutBack(job.due_at)
    if job.due_at > now and job.message_id != delivery.message_id:
        return PutBack(job.due_at)
    # The lease has ended, or the host delivers the very message of the current attempt again: its worker is gone.
    # A job that is to stop is claimed however often that was: the attempt only cancels it, and its children with it.
    shared = job.shared_stalls >= max_stalls * SHARED_STALLS
    spent = job.stalls >= max_stalls or shared or job.overruns >= MOST_OVERRUNS
    return GiveUpStalled() if spent and not job.cancel_requested else Claim()


def _replays(
    job: Job, delivery: Delivery, dead_letter: str | None, sent_at: datetime, written_at: datetime | None
) -> bool:
    """Whether a message for a failed job is an operator's replay and not a late duplicate.

    The text in the vault names its dead letter. A text moved as the host left it on the poison queue does not. So it is
    taken for a replay only where it is the very text that the host gave up, which failed the job, and where it was put
    on the queue after that (both moments are the service's). Any other text without that name is this app's own: put
    back by a worker that had hung, or sent twice by a call whose answer was lost.
    """
    if dead_letter is not None:
        return dead_letter == job.dead_letter_id
    if job.given_up != sent_at or delivery.inserted_at is None or written_at is None:
        return False
    return delivery.inserted_at > written_at
