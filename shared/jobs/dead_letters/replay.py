"""What operators do with dead letters: replay them (validated first, recorded always, never twice by accident), or discard them."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shared.jobs.callbacks import Callbacks
from shared.jobs.concurrently import run_all
from shared.jobs.dead_letters.vault import DeadLetter, Discard, Filter, Replay, Vault
from shared.jobs.dependencies import Dependencies
from shared.jobs.effects import Answer, Answers
from shared.jobs.envelope import fits
from shared.jobs.errors import (
    InFlightError,
    InvalidPayloadError,
    InvalidTransitionError,
    JobsError,
    KeyReusedError,
    UnreadableError,
)
from shared.jobs.events import Discarded, Replayed
from shared.jobs.kept import KeptStore
from shared.jobs.kinds import stored
from shared.jobs.log import LOG
from shared.jobs.machine import apply
from shared.jobs.model import Job, Status
from shared.jobs.store import compact
from shared.jobs.submit import Submitter
from shared.jobs.ticket import IdempotencyKey
from shared.storage import Versioned

_DAY = 24 * 3600


class ReplayOutcome(StrEnum):
    """What became, or with a dry run would become, of a replay."""

    REPLAYED = "replayed"
    WOULD_REPLAY = "would_replay"
    INVALID = "invalid"
    """The payload does not fit, or cannot be read: `problems` says where."""
    NOT_FAILED = "not_failed"
    """The job is not failed (any more): there is nothing to put back."""


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """The outcome of one replay. `problems`: (field, what was expected)."""

    dead_letter_id: str
    outcome: ReplayOutcome
    job_id: str | None = None
    detail: str | None = None
    problems: tuple[tuple[str, str], ...] = ()


class Replayer:
    """Puts dead letters back."""

    def __init__(self, deps: Dependencies, vault: Vault, submitter: Submitter, callbacks: Callbacks) -> None:
        self._deps = deps
        self._vault = vault
        self._submitter = submitter
        self._callbacks = callbacks
        self.stop: Callable[[Job], Awaitable[None]] = callbacks.tell_parent
        """Stops the children of a job that gets another payload, and so another plan."""
        self._answers = Answers(KeptStore(deps.blobs, deps.clock), deps.clock)

    async def one(
        self,
        letter_id: str,
        *,
        by: str = "api",
        payload: Mapping[str, Any] | None = None,
        effects: Mapping[str, Answer] | None = None,
        dry_run: bool = False,
    ) -> ReplayResult:
        """Replay one dead letter.

        Args:
            letter_id: which one.
            by: who wants it.
            payload: another payload, of the kind's current version.
            effects: how effects ended of which that was not known, by their names.
            dry_run: only say what would become of it.

        Raises:
            DeadLetterNotFoundError: there is no such dead letter.
        """
        letter = await self._vault.get(letter_id)
        unasked = await self._answers.unasked(letter.job_id or "", effects or ())
        if unasked:
            problems = tuple((f"effects.{name}", "nothing asks whether this was done") for name in unasked)
            return ReplayResult(
                letter.id, ReplayOutcome.INVALID, letter.job_id, "these answers fit no question", problems
            )
        return await self._replay(letter, by, payload, effects or {}, dry_run=dry_run)

    async def some(
        self, wanted: Filter, *, by: str = "api", limit: int = 100, dry_run: bool = False, cursor: str | None = None
    ) -> tuple[list[ReplayResult], str | None]:
        """Replay up to `limit` dead letters that were never replayed or discarded, newest first.

        Whoever goes on from the cursor meets each dead letter once, and no job twice: what fails again comes back as a newer
        dead letter, which is before the cursor. Whoever begins anew replays it again, and again, as long as it fails.

        Returns:
            What became of each; and the cursor of those that are older, None where there are none.
        """
        defaults = {name: False for name in ("replayed", "discarded") if getattr(wanted, name) is None}
        letters, cursor = await self._vault.find(wanted.model_copy(update=defaults), limit, cursor)
        return [await self._replay(letter, by, None, {}, dry_run=dry_run) for letter in letters], cursor

    async def _replay(
        self,
        letter: DeadLetter,
        by: str,
        payload: Mapping[str, Any] | None,
        effects: Mapping[str, Answer],
        *,
        dry_run: bool,
    ) -> ReplayResult:
        try:
            edited = await self._validated(letter, payload)
        except InvalidPayloadError as error:
            problems = tuple((problem.field, problem.message) for problem in error.problems)
            return ReplayResult(
                letter.id, ReplayOutcome.INVALID, letter.job_id, "the payload does not fit its kind", problems
            )
        except JobsError as error:
            return ReplayResult(letter.id, ReplayOutcome.INVALID, letter.job_id, str(error))
        current = await self._deps.status.read(letter.job_id) if letter.job_id else None
        if current is None:
            return await self._anew(letter, edited, by, dry_run=dry_run)
        if not dry_run and _is_of(letter, current.value):
            await self._answers.give(current.value, effects, by)
        return await self._put_back(letter, current, edited if payload is not None else None, by, dry_run=dry_run)

    async def _validated(self, letter: DeadLetter, payload: Mapping[str, Any] | None) -> dict[str, Any]:
        """The payload to run with, after checking it against the model of its kind."""
        kind = letter.kind or self._kind_of_queue(letter.queue)
        if kind is None:
            raise UnreadableError("the message names no kind, and its queue serves several: nothing can read it")
        known = self._deps.kinds[kind]
        if payload is not None:
            return stored(known.parse(payload, known.version))
        if letter.payload is None and letter.payload_blob is None:
            raise UnreadableError("the message has no readable payload: replay it with an edited one")
        kept = await self._deps.payload(letter)
        known.parse(kept, letter.payload_version or known.version)
        return kept

    def _kind_of_queue(self, queue: str) -> str | None:
        kinds = [one.name for one in self._deps.kinds if self._deps.kinds.policy(one.name).queue == queue]
        return kinds[0] if len(kinds) == 1 else None

    async def _put_back(
        self, letter: DeadLetter, current: Versioned[Job], edited: dict[str, Any] | None, by: str, *, dry_run: bool
    ) -> ReplayResult:
        if not _is_of(letter, current.value):
            detail = f"job {current.value.job_id} is {current.value.status}, and this dead letter is not the reason"
            return ReplayResult(letter.id, ReplayOutcome.NOT_FAILED, current.value.job_id, detail)
        if dry_run:
            return ReplayResult(letter.id, ReplayOutcome.WOULD_REPLAY, current.value.job_id)
        try:
            current = await self._requeue(current, edited, by)
        except InvalidTransitionError as error:
            return ReplayResult(letter.id, ReplayOutcome.NOT_FAILED, current.value.job_id, str(error))
        return await self._recorded(letter, current.value.job_id, by, edited=edited is not None)

    async def _requeue(self, current: Versioned[Job], edited: dict[str, Any] | None, by: str) -> Versioned[Job]:
        current = await self._callbacks.call(current)
        if edited is not None and current.value.fan_out:
            await self.stop(current.value)
        version = self._deps.kinds[current.value.kind].version if edited is not None else None
        event = Replayed(self._deps.clock.now(), by, edited, version)
        job = apply(current.value, event)
        if edited is not None and not fits(job, event.at):
            name = await self._deps.status.put_payload(job.job_id, edited)
            event = Replayed(event.at, by, None, version, payload_blob=name)
        current = await self._deps.status.change(current, event)
        await run_all((self._deps.send_or_leave(current), self._deps.project(current.value)))
        await self._callbacks.put_back(current.value)
        return current

    async def _anew(self, letter: DeadLetter, payload: dict[str, Any], by: str, *, dry_run: bool) -> ReplayResult:
        """Make a new job of a dead letter whose own job does not exist (any more, or never did)."""
        kind = letter.kind or self._kind_of_queue(letter.queue) or ""
        if dry_run:
            return ReplayResult(letter.id, ReplayOutcome.WOULD_REPLAY, None, "as a new job")
        model = self._deps.kinds[kind].parse(payload, letter.payload_version or self._deps.kinds[kind].version)
        try:
            ticket = await self._submitter.submit(kind, model, idempotency=_once(letter, payload))
        except (InFlightError, KeyReusedError):
            return ReplayResult(letter.id, ReplayOutcome.NOT_FAILED, None, "it is being replayed by somebody else")
        return await self._recorded(letter, ticket.job.job_id, by, edited=False)

    async def _recorded(self, letter: DeadLetter, job_id: str, by: str, *, edited: bool) -> ReplayResult:
        replay = Replay(at=self._deps.clock.now(), by=by, job_id=job_id, edited=edited)
        try:
            await self._vault.note_replay(letter.id, replay)
        except Exception as error:  # noqa: BLE001 - the job is on its way, and its history has the replay
            LOG.warning("replay not noted in the vault: dead_letter=%s cause=%s", letter.id, type(error).__name__)
        LOG.info("dead letter replayed: id=%s job=%s by=%s", letter.id, job_id, by)
        return ReplayResult(letter.id, ReplayOutcome.REPLAYED, job_id)


class Discarder:
    """Sets dead letters aside."""

    def __init__(self, deps: Dependencies, vault: Vault) -> None:
        self._deps = deps
        self._vault = vault

    async def one(self, letter_id: str, *, by: str, reason: str) -> DeadLetter:
        """Discard a dead letter; doing so again changes nothing.

        The job comes first: who dies between the two leaves a dead letter that is open, and that keeps the job.

        Raises:
            DeadLetterNotFoundError: there is no such dead letter.
            InvalidTransitionError: it was replayed, which settles it too.
        """
        letter = await self._vault.get(letter_id)
        if letter.replays and not letter.discarded:
            raise InvalidTransitionError("it was replayed: there is nothing to discard")
        await self._mark_job(letter, by)
        discard = Discard(at=self._deps.clock.now(), by=by, reason=reason)
        letter = await self._vault.discard(letter.id, discard)
        LOG.warning("dead letter discarded: id=%s job=%s by=%s", letter.id, letter.job_id, by)
        return letter

    async def _mark_job(self, letter: DeadLetter, by: str) -> None:
        current = await self._deps.status.read(letter.job_id) if letter.job_id else None
        if current is None or current.value.status is not Status.FAILED or current.value.dead_letter_id != letter.id:
            return
        if current.value.discarded_at is None:
            event = Discarded(self._deps.clock.now(), by)
            current = await self._deps.status.change(current, event)
        await self._deps.project(current.value)


def _is_of(letter: DeadLetter, job: Job) -> bool:
    """Whether a job is failed, and this dead letter is the reason."""
    return job.status is Status.FAILED and job.dead_letter_id == letter.id


def _once(letter: DeadLetter, payload: Mapping[str, Any]) -> IdempotencyKey:
    """Makes one job of replays that do not know of each other: two at once, or one after another that died."""
    return IdempotencyKey(f"{letter.id} {len(letter.replays)}", hashlib.sha256(compact(payload)).hexdigest(), _DAY)
