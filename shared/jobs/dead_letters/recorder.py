"""Giving up: the dead letter first, then the status, then word to the poison queue; and the poison trigger's side."""

from __future__ import annotations

from datetime import datetime

from shared.jobs.callbacks import Callbacks
from shared.jobs.dead_letters.vault import (
    DeadLetter,
    Reason,
    Vault,
    letter_of_envelope,
    letter_of_job,
    letter_of_message,
)
from shared.jobs.decide import Delivery
from shared.jobs.dependencies import LOG, Parts
from shared.jobs.envelope import Envelope, decode
from shared.jobs.errors import HostGaveUpError, InvalidTransitionError, UnknownKindError, UnreadableError
from shared.jobs.machine import Failed, apply
from shared.jobs.model import Failure, Job, Status
from shared.jobs.store import Held
from shared.ports import StorageError


class Burial:
    """Ends what cannot be done, and loses nothing of it."""

    def __init__(self, parts: Parts, vault: Vault, callbacks: Callbacks) -> None:
        self._parts = parts
        self._vault = vault
        self._callbacks = callbacks

    async def give_up(
        self, held: Held, reason: Reason, error: Failure, fence: int | None, given_up: datetime | None = None
    ) -> Held:
        """Record the job in the vault, fail it, and announce it on its poison queue.

        Raises:
            InvalidTransitionError: the job moved on meanwhile; the dead letter stays, as a record of what was tried.
        """
        letter = await self._keep_letter(held.job, reason, error)
        failed = Failed(self._parts.clock.now(), error, letter.id, fence, given_up)
        held = await self._parts.status.change(held, lambda job: apply(job, failed))
        await self._announce(held, letter)
        await self._callbacks.finish(held)
        LOG.error(
            "job failed: job=%s kind=%s attempt=%d reason=%s error=%s fingerprint=%s dead_letter=%s",
            held.job.job_id, held.job.kind, held.job.attempt, reason, error.type, letter.fingerprint, letter.id,
        )  # fmt: skip
        return held

    async def keep_message(self, delivery: Delivery, error: Exception) -> DeadLetter:
        """Record a message that is not an envelope, byte for byte."""
        letter = letter_of_message(delivery, Reason.UNREADABLE, self._failure(error), self._parts.clock.now())
        await self._keep(letter)
        return letter

    async def keep_envelope(
        self, envelope: Envelope, delivery: Delivery, reason: Reason, error: Exception, status: Status | None = None
    ) -> DeadLetter:
        """Record an envelope that no job of this app stands behind, or whose job is settled otherwise."""
        letter = letter_of_envelope(envelope, delivery, reason, self._failure(error), self._parts.clock.now())
        letter = letter.model_copy(update={"job_status": status})
        await self._keep(letter)
        return letter

    async def record(self, delivery: Delivery) -> str:
        """Take a message from a poison queue: record it and settle its job. Raises where it could not be recorded."""
        try:
            envelope = decode(delivery.body)
        except UnreadableError as error:
            await self.keep_message(delivery, error)
            return "recorded: unreadable"
        if envelope.dead_letter and await self._vault.has(envelope.dead_letter):
            return "recorded already"
        try:
            held = await self._parts.status.read(envelope.job_id)
        except UnreadableError as error:
            await self.keep_envelope(envelope, delivery, Reason.HOST, error)
            return "recorded: the job's own record cannot be read"
        if held and _abandoned(held.job, envelope, self._parts):
            return await self._fail_abandoned(held, envelope, delivery)
        await self.keep_envelope(envelope, delivery, Reason.HOST, HostGaveUpError(), held.job.status if held else None)
        return f"recorded: the job is {held.job.status}" if held else "recorded: no such job"

    async def _fail_abandoned(self, held: Held, envelope: Envelope, delivery: Delivery) -> str:
        error = held.job.error or self._failure(HostGaveUpError(), held.job.attempt)
        try:
            await self.give_up(held, Reason.HOST, error, None, envelope.sent_at)
        except InvalidTransitionError:
            await self.keep_envelope(envelope, delivery, Reason.HOST, HostGaveUpError())
            return "recorded: the job moved on"
        except UnknownKindError as unknown:
            await self.keep_envelope(envelope, delivery, Reason.HOST, unknown, held.job.status)
            return "recorded: the job waits for code that knows its kind"
        return "recorded: job failed"

    async def _keep_letter(self, job: Job, reason: Reason, error: Failure) -> DeadLetter:
        queue = self._parts.kinds.queue(job.kind, job.priority)
        letter = letter_of_job(job, reason, error, queue, self._parts.clock.now())
        await self._keep(letter)
        return letter

    async def _keep(self, letter: DeadLetter) -> None:
        if await self._vault.keep(letter):
            self._parts.observer.buried(letter)
            LOG.warning(
                "dead letter kept: id=%s reason=%s queue=%s job=%s fingerprint=%s",
                letter.id, letter.reason, letter.queue, letter.job_id, letter.fingerprint,
            )  # fmt: skip

    async def _announce(self, held: Held, letter: DeadLetter) -> None:
        """Tell the poison queue. Vault and status hold everything, so a queue that fails costs only the word."""
        queue = self._parts.kinds.poison_queue(held.job.kind, held.job.priority)
        try:
            await self._parts.queues.send(queue, letter.message_text)
        except StorageError as error:
            LOG.warning("poison queue not told: dead_letter=%s cause=%s", letter.id, type(error).__name__)

    def _failure(self, error: Exception, attempt: int = 0) -> Failure:
        return failure_of(error, attempt, self._parts)


def failure_of(error: BaseException, attempt: int, parts: Parts) -> Failure:
    """What is kept of an exception: its type and at most 2,000 characters of its message."""
    name = type(error).__name__
    message = str(error)[:2000].encode(errors="replace").decode()  # half a surrogate pair is no text that JSON can hold
    return Failure(type=name, message=message or name, attempt=attempt, at=parts.clock.now())


def _abandoned(job: Job, envelope: Envelope, parts: Parts) -> bool:
    """Whether a job depends on the message that the host gave up.

    Not if it is final, nor while a live lease shows another worker at it, nor if it waits for a later attempt than the
    one that this message was to start: that attempt has a message of its own, or the sweep will send one.
    """
    if job.status is Status.RUNNING:
        return job.due_at <= parts.clock.now()
    return job.status is Status.QUEUED and envelope.attempt > job.attempt
