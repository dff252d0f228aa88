"""Discarding: an operator sets a dead letter aside on purpose, and from then on it may expire, with its job."""

from __future__ import annotations

from shared.jobs.dead_letters.vault import DeadLetter, Discard, Vault
from shared.jobs.dependencies import Dependencies
from shared.jobs.errors import InvalidTransitionError
from shared.jobs.log import LOG
from shared.jobs.machine import Discarded
from shared.jobs.model import Status


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
