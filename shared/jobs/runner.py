"""Running: from a delivered message to a written outcome."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from shared.jobs.attempts import Attempts
from shared.jobs.callbacks import Callbacks
from shared.jobs.children import Children
from shared.jobs.dead_letters.recorder import Recorder
from shared.jobs.dead_letters.vault import Reason, Replay, Vault
from shared.jobs.decide import Claim, ClaimReplay, Decision, Drop, GiveUpStalled, PutBack, decide
from shared.jobs.dependencies import Dependencies
from shared.jobs.envelope import Delivery, Envelope, decode, put_back_text
from shared.jobs.errors import (
    InvalidTransitionError,
    JobNotFoundError,
    NewerVersionError,
    StalledError,
    UnknownKindError,
    UnreadableError,
)
from shared.jobs.events import Claimed, Decided, Replayed
from shared.jobs.failures import failure_of
from shared.jobs.kinds import Kind, Policy
from shared.jobs.log import LOG, about
from shared.jobs.machine import apply
from shared.jobs.model import Entry, Job, Status
from shared.jobs.store import ConflictError
from shared.ports import StorageError
from shared.storage import Versioned

_LOOKS, _BETWEEN_LOOKS = 20, 0.1
"""How often a job looks whether it may run beside those that do, and the seconds between."""


class _GoneError(Exception):
    """The record that a message carried has expired meanwhile: the message is all that is left of the job."""


class Runner:
    """Runs the jobs that messages are about. Each method returns a word or two on what became of the message."""

    def __init__(
        self, deps: Dependencies, vault: Vault, recorder: Recorder, callbacks: Callbacks, children: Children
    ) -> None:
        self._deps = deps
        self._vault = vault
        self._recorder = recorder
        self._callbacks = callbacks
        self._children = children
        self._attempts = Attempts(deps, recorder, callbacks, children)

    async def process(self, delivery: Delivery) -> str:
        """Take one delivered message to its end.

        Returns normally whenever the message has done its duty, which includes failed attempts: the retry has a message
        of its own. Raises StorageError where storage fails, so that the host delivers the message again.
        """
        try:
            envelope = decode(delivery.body)
        except UnreadableError as error:
            await self._recorder.keep_message(delivery, error)
            return "unreadable, kept in the vault"
        try:
            kind, policy = self._deps.kinds.resolve(envelope.kind)
            if envelope.payload_version > kind.version:
                raise NewerVersionError
        except (UnknownKindError, NewerVersionError) as error:
            return await self._not_for_this_code(envelope, delivery, error)
        return await self._for_job(kind, policy, envelope, delivery)

    async def process_or_put_back(self, delivery: Delivery) -> str:
        """Process; where storage fails, send the message anew."""
        try:
            return await self.process(delivery)
        except StorageError as error:
            text = put_back_text(delivery.body, self._deps.clock.now())
            return await self._deps.put_back(delivery, text, "put_back", error)

    async def _for_job(self, kind: Kind[Any], policy: Policy, envelope: Envelope, delivery: Delivery) -> str:
        """Judge the message by the record that it carries; if that is not how things stand, by the blob."""
        current = self._carried(envelope)
        while True:
            current = current or await self._deps.status.read(envelope.job_id) or await self._adopt(envelope)
            if current.value.kind != envelope.kind:
                error = UnreadableError(f"the job is of kind {current.value.kind}")
                await self._recorder.keep_envelope(envelope, delivery, Reason.UNKNOWN, error, current.value.status)
                return "of another kind than its job, kept in the vault"
            decision = self._decide(current, policy, envelope, delivery)
            try:
                return await self._follow(decision, current, kind, envelope, delivery)
            except ConflictError as conflict:
                current = conflict.current
            except _GoneError:
                current = None

    def _carried(self, envelope: Envelope) -> Versioned[Job] | None:
        job = envelope.snapshot
        return Versioned(job, envelope.etag) if job and envelope.etag else None

    def _decide(self, current: Versioned[Job], policy: Policy, envelope: Envelope, delivery: Delivery) -> Decision:
        return decide(
            current.value,
            delivery,
            dead_letter=envelope.dead_letter,
            sent_at=envelope.sent_at,
            written_at=current.written_at,
            max_stalls=policy.max_stalls,
            now=self._deps.clock.now(),
        )

    async def _follow(
        self, decision: Decision, current: Versioned[Job], kind: Kind[Any], envelope: Envelope, delivery: Delivery
    ) -> str:
        if isinstance(decision, Claim | ClaimReplay) and await self._paused(current.value):
            return await self._wait_for_resume(decision, current, envelope)
        if isinstance(decision, Claim | GiveUpStalled):
            decision = await self._beside_others(decision, current.value)
        match decision:
            case Claim():
                return await self._attempts.run(kind, await self._claim(current, delivery))
            case ClaimReplay():
                current = await self._put_back_to_life(current, envelope, self._claimed(delivery))
                return await self._attempts.run(kind, current)
            case GiveUpStalled():
                return await self._give_up_stalled(kind, await self._fresh(current), delivery)
            case PutBack(until):
                await self._fresh(current)
                wait = max(until - self._deps.clock.now(), timedelta(seconds=1))
                await self._put_back(delivery, wait)
                return "put back"
            case Drop(reason):
                LOG.info("message dropped: %s cause=%s", about(current.value), reason)
                return "dropped"

    async def _beside_others(self, decision: Claim | GiveUpStalled, job: Job) -> Decision:
        """The same, unless the job is to wait for those that run in this process; only where a worker vanished can that be.

        A moment it waits here, so that short jobs follow each other at once; then its message is put back.
        """
        neighbours = self._attempts.neighbours
        if not (job.status is Status.RUNNING or job.stalls or job.shared_stalls or neighbours.suspects):
            return decision
        given_up, looks = isinstance(decision, GiveUpStalled), 0
        while until := neighbours.wait(job, given_up=given_up):
            looks += 1
            if looks > _LOOKS or neighbours.runs(job):
                return PutBack(until)
            await self._deps.clock.sleep(_BETWEEN_LOOKS)
        return decision

    async def _paused(self, job: Job) -> bool:
        return not job.cancel_requested and (await self._deps.pauses.of(job.kind)).paused

    async def _wait_for_resume(self, decision: Claim | ClaimReplay, current: Versioned[Job], envelope: Envelope) -> str:
        """Let the message go: the record says that the job waits. What only the message says, that it replays, is written."""
        if isinstance(decision, ClaimReplay):
            current = await self._put_back_to_life(current, envelope)
            await self._deps.project(current.value)
        else:
            current = await self._fresh(current)
        LOG.info("message let go, the kind is paused: %s", about(current.value))
        return "waits, its kind is paused"

    async def _give_up_stalled(self, kind: Kind[Any], current: Versioned[Job], delivery: Delivery) -> str:
        now = self._deps.clock.now()
        error = failure_of(StalledError(), current.value.attempt, now)
        if kind.on_abort and not current.value.decided:  # else a worker has vanished over that, too
            claimed = apply(current.value, self._claimed(delivery))
            decided = apply(claimed, Decided(now, claimed.attempt, error, Reason.STALLED.value))
            return await self._attempts.run(kind, await self._deps.status.write(current, decided))
        try:
            await self._recorder.give_up(current, Reason.STALLED, error, current.value.attempt)
        except InvalidTransitionError:
            return "superseded"  # another worker gave it up, or took it, at the same moment
        return "gave up, workers vanished"

    async def _fresh(self, current: Versioned[Job]) -> Versioned[Job]:
        """Make sure that a decision other than a claim rests on the blob, not on what a message carried."""
        if current.written_at is not None:
            return current
        read = await self._deps.status.read(current.value.job_id)
        if read is None:
            return current
        if read.etag != current.etag:
            raise ConflictError(read)
        return read

    async def _claim(self, current: Versioned[Job], delivery: Delivery) -> Versioned[Job]:
        try:
            with self._attempts.neighbours.claiming(current.value) as beside:
                claimed = apply(current.value, self._claimed(delivery, beside))
                return await self._deps.status.write(current, claimed)
        except JobNotFoundError:
            raise _GoneError from None

    def _claimed(self, delivery: Delivery, beside: int = 0) -> Claimed:
        now = self._deps.clock.now()
        return Claimed(now, delivery.message_id, now + self._deps.timing.lease, beside)

    async def _put_back_to_life(
        self, current: Versioned[Job], envelope: Envelope, then: Claimed | None = None
    ) -> Versioned[Job]:
        """Replay a failed job as the message says, and claim it in the same write where it can run."""
        current = await self._callbacks.call(current)
        now, letter = self._deps.clock.now(), current.value.dead_letter_id
        edited = None if envelope.payload in (None, current.value.payload) else envelope.payload
        if edited and current.value.fan_out:
            await self._children.cancel(current.value)
        replayed = Replayed(now, "queue", edited, envelope.payload_version if edited else None)
        job = await self._deps.apart(apply(current.value, replayed))
        current = await self._deps.status.write(current, apply(job, then) if then else job)
        if letter:
            await self._note_replay(letter, Replay(at=now, by="queue", job_id=job.job_id, edited=bool(edited)))
        await self._callbacks.put_back(current.value)
        return current

    async def _note_replay(self, letter: str, replay: Replay) -> None:
        try:
            await self._vault.note_replay(letter, replay)
        except Exception as error:  # noqa: BLE001 - the job's history has it; the vault's note is a convenience
            LOG.warning("replay not noted in the vault: dead_letter=%s cause=%s", letter, type(error).__name__)

    async def _adopt(self, envelope: Envelope) -> Versioned[Job]:
        """Make a job of an envelope that has no record: it expired, or another producer wrote the message."""
        now = self._deps.clock.now()
        job = Job(
            job_id=envelope.job_id, kind=envelope.kind, status=Status.QUEUED, version=1, created_at=now, updated_at=now,
            payload_version=envelope.payload_version, payload=envelope.payload, payload_blob=envelope.payload_blob,
            due_at=now, watch_at=now, history=(Entry(at=now, event="adopted from a message", attempt=0),),
            workflow=True if self._deps.kinds[envelope.kind].parent else None,
        )  # fmt: skip
        current, created = await self._deps.status.create(await self._deps.apart(job))
        if created and envelope.dead_letter:
            await self._note_replay(envelope.dead_letter, Replay(at=now, by="queue", job_id=job.job_id))
        return current

    async def _not_for_this_code(self, envelope: Envelope, delivery: Delivery, error: Exception) -> str:
        """Wait for newer code where a job waits for it; keep in the vault what no job stands behind."""
        current = await self._deps.status.read(envelope.job_id)
        if current is None or current.value.status.final:
            status = current.value.status if current else None
            await self._recorder.keep_envelope(envelope, delivery, Reason.UNKNOWN, error, status)
            return "not known to this code, kept in the vault"
        LOG.warning("message put back, newer code is needed: %s", about(current.value))
        await self._put_back(delivery, self._deps.timing.put_back)
        return "put back for newer code"

    async def _put_back(self, delivery: Delivery, wait: timedelta) -> None:
        text = put_back_text(delivery.body, self._deps.clock.now())
        await self._deps.queues.send(delivery.queue, text, wait)
