"""Giving up: the dead letter first, then the status, then word to the poison queue; and the poison trigger's side."""

from __future__ import annotations

from datetime import datetime

from shared.jobs.callbacks import Callbacks
from shared.jobs.dead_letters.vault import (
    DeadLetter,
    Reason,
    Vault,
    letter_id_of,
    letter_of_envelope,
    letter_of_job,
    letter_of_message,
)
from shared.jobs.dependencies import Dependencies
from shared.jobs.envelope import Delivery, Envelope, decode, text_of
from shared.jobs.errors import HostGaveUpError, InvalidTransitionError, UnknownKindError, UnreadableError
from shared.jobs.events import Decided, Failed, Moved
from shared.jobs.failures import failure_of
from shared.jobs.log import LOG, about
from shared.jobs.model import Failure, Job, Status
from shared.ports import StorageError
from shared.storage import Versioned

MOST_MOVED = 10
"""How often the messages of a job are sent again that the host gives up, before the job gives up, too."""


class Recorder:
    """Ends what cannot be done, and loses nothing of it."""

    def __init__(self, deps: Dependencies, vault: Vault, callbacks: Callbacks) -> None:
        self._deps = deps
        self._vault = vault
        self._callbacks = callbacks

    async def give_up(
        self,
        current: Versioned[Job],
        reason: Reason,
        error: Failure,
        fence: int | None,
        given_up: datetime | None = None,
    ) -> Versioned[Job]:
        """Record the job in the vault, fail it, and announce it on its poison queue.

        Raises:
            InvalidTransitionError: the job moved on meanwhile; the dead letter stays, as a record of what was tried.
        """
        letter = await self._keep_letter(current.value, reason, error)
        failed = Failed(self._deps.clock.now(), error, letter.id, fence, given_up)
        current = await self._deps.status.change(current, failed)
        await self._announce(current, letter)
        await self._callbacks.finish(current)
        LOG.error(
            "job failed: job=%s kind=%s attempt=%d reason=%s error=%s fingerprint=%s dead_letter=%s",
            current.value.job_id, current.value.kind, current.value.attempt, reason, error.told, letter.fingerprint, letter.id,
        )  # fmt: skip
        return current

    async def keep_message(self, delivery: Delivery, error: Exception) -> DeadLetter:
        """Record a message that is not an envelope, byte for byte."""
        letter = letter_of_message(delivery, Reason.UNREADABLE, self._failure(error), self._deps.clock.now())
        await self._keep(letter)
        return letter

    async def keep_envelope(
        self, envelope: Envelope, delivery: Delivery, reason: Reason, error: Exception, status: Status | None = None
    ) -> DeadLetter:
        """Record an envelope that no job of this app stands behind, or whose job is settled otherwise."""
        letter = letter_of_envelope(envelope, delivery, reason, self._failure(error), self._deps.clock.now())
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
            current = await self._deps.status.read(envelope.job_id)
        except UnreadableError as error:
            await self.keep_envelope(envelope, delivery, Reason.HOST, error)
            return "recorded: the job's own record cannot be read"
        if current and _buried(current.value, envelope):
            return "recorded already"  # the vault does not show it to every process at once
        if current and _abandoned(current.value, envelope, self._deps):
            return await self._settle_abandoned(current, envelope, delivery)
        if current and _says_nothing_new(current.value, envelope):
            LOG.info("message dropped that the host moved: %s status=%s", about(current.value), current.value.status)
            return f"dropped: the job is {current.value.status}"
        await self.keep_envelope(
            envelope, delivery, Reason.HOST, HostGaveUpError(), current.value.status if current else None
        )
        return f"recorded: the job is {current.value.status}" if current else "recorded: no such job"

    async def record_or_put_back(self, delivery: Delivery) -> str:
        """Record; where storage fails, send the message anew to its poison queue, to the letter as the host left it."""
        try:
            return await self.record(delivery)
        except StorageError as error:
            return await self._deps.put_back(delivery, text_of(delivery.body), "poison_put_back", error)

    async def _settle_abandoned(self, current: Versioned[Job], envelope: Envelope, delivery: Delivery) -> str:
        error = current.value.error or self._failure(_moved(current.value), current.value.attempt)
        try:
            if self._worth_another(current.value):
                await self._send_again(current)
                return "sent again"
            if self._deps.kinds[current.value.kind].on_abort and not current.value.decided:
                await self._leave_to_an_attempt(current, error)
                return "sent again, to give up"
            await self.give_up(current, Reason.HOST, error, None, envelope.sent_at)
        except InvalidTransitionError:
            return "dropped: the job moved on"
        except UnknownKindError as unknown:
            await self.keep_envelope(envelope, delivery, Reason.HOST, unknown, current.value.status)
            return "recorded: the job waits for code that knows its kind"
        return "recorded: job failed"

    def _worth_another(self, job: Job) -> bool:
        """Whether the host's giving up says nothing of the job.

        A receive that a stop aborts costs a delivery without a run, and five of those are enough. Nor is a job to blame for
        the few workers that vanished over it, where its kind allows for more.
        """
        stalls = self._deps.kinds.policy(job.kind).max_stalls
        return job.moved < MOST_MOVED and (job.status is Status.QUEUED or job.stalls < stalls)

    async def _send_again(self, current: Versioned[Job]) -> None:
        """Send what the host gave up, each time later: what keeps its messages from being run may last."""
        now = self._deps.clock.now()
        wait = self._deps.timing.put_back * (current.value.moved + 1)
        current = await self._deps.status.change(current, Moved(now, now + wait))
        await self._deps.send_or_leave(current, wait)
        await self._deps.project(current.value)
        LOG.warning("moved by the host, sent again: %s times=%d", about(current.value), current.value.moved)

    async def _leave_to_an_attempt(self, current: Versioned[Job], error: Failure) -> None:
        """Have an attempt give the job up: it tells the kind. If the host moves that message as well, nobody does."""
        now = self._deps.clock.now()
        current = await self._deps.status.change(current, Decided(now, None, error, Reason.HOST.value))
        await self._deps.send_or_leave(current)
        await self._deps.project(current.value)

    async def _keep_letter(self, job: Job, reason: Reason, error: Failure) -> DeadLetter:
        queue = self._deps.kinds.queue(job.kind, job.priority)
        letter = letter_of_job(job, reason, error, queue, self._deps.clock.now())
        await self._keep(letter)
        return letter

    async def _keep(self, letter: DeadLetter) -> None:
        if await self._vault.keep(letter):
            self._deps.observer.dead_lettered(letter)
            LOG.warning(
                "dead letter kept: id=%s reason=%s queue=%s job=%s fingerprint=%s",
                letter.id, letter.reason, letter.queue, letter.job_id, letter.fingerprint,
            )  # fmt: skip

    async def _announce(self, current: Versioned[Job], letter: DeadLetter) -> None:
        """Tell the poison queue. Vault and status hold everything, so a queue that fails costs only the word."""
        queue = self._deps.kinds.poison_queue(current.value.kind, current.value.priority)
        try:
            await self._deps.queues.send(queue, letter.message_text)
        except StorageError as error:
            LOG.warning("poison queue not told: dead_letter=%s cause=%s", letter.id, type(error).__name__)

    def _failure(self, error: Exception, attempt: int = 0) -> Failure:
        return failure_of(error, attempt, self._deps.clock.now())


def _moved(job: Job) -> HostGaveUpError:
    if job.status is Status.RUNNING:
        return HostGaveUpError()
    return HostGaveUpError(
        f"the host moved its messages to the poison queue {job.moved + 1} times, and no attempt began on their account"
    )


def _says_nothing_new(job: Job, envelope: Envelope) -> bool:
    """Whether a message is one too many: all that it holds is in a record that does not depend on it."""
    mine = (job.kind, job.payload, job.payload_blob)
    return mine == (envelope.kind, envelope.payload, envelope.payload_blob) and envelope.dead_letter is None


def _buried(job: Job, envelope: Envelope) -> bool:
    """Whether the dead letter that an envelope announces is that of one of the job's lives: kept before it was announced."""
    lives = (job.model_copy(update={"replays": life}) for life in range(job.replays, -1, -1))
    return envelope.dead_letter is not None and any(letter_id_of(life) == envelope.dead_letter for life in lives)


def _abandoned(job: Job, envelope: Envelope, deps: Dependencies) -> bool:
    """Whether a job depends on the message that the host gave up.

    Not if it is final, nor while a live lease shows another worker at it, nor if it waits for a later attempt than the
    one that this message was to start: that attempt has a message of its own, or the sweep will send one.
    """
    if job.status is Status.RUNNING:
        return job.due_at <= deps.clock.now()
    return job.status is Status.QUEUED and envelope.attempt > job.attempt
