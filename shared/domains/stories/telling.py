"""What readers do: begin an adventure, decide, have an entry told anew. Each is one conditional write, and a job.

The adventure names an entry, and the id of its job, before the job is submitted. Where the process dies between the two, the
entry has no job: whoever asks for it next submits it, under that same id. So a decision that is sent twice makes one entry,
and one that was taken down is never lost.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from shared.domains.stories.model import Adventure, Branch, Entry, EntryStatus, Trouble, new_entry
from shared.domains.stories.store import AdventureStore
from shared.jobs import Status
from shared.jobs.errors import JobNotFoundError
from shared.ports import AlreadyExistsError
from shared.web.answers import Problem

if TYPE_CHECKING:
    from shared.domains.stories.payload import EntryJob
    from shared.jobs.engine import Engine

_PATIENCE = timedelta(seconds=20)
"""How long the request that took down an entry may take to submit its job, before somebody else does."""
MOST_BRANCHES = 300
"""Entries of an adventure, on all its branches."""


class Telling:
    """Adventures as their readers change them."""

    def __init__(self, adventures: AdventureStore, engine: Engine, now: Callable[[], datetime]) -> None:
        self._adventures = adventures
        self._engine = engine
        self._now = now

    async def begin(self, adventure: Adventure, trace: str | None = None) -> tuple[Adventure, bool]:
        """Keep an adventure, and have its first entry made; say whether it is new: one of its id may be there already."""
        branch = _branch(adventure, None, None, 1, self._now())
        made = adventure.model_copy(update={"branches": (branch,)})
        try:
            await self._adventures.create(made)
        except AlreadyExistsError:
            known = await self._adventures.read(adventure.user_id, adventure.adventure_id)
            if known is None:
                raise
            await self._start(known.value, known.value.branches[0], trace)
            return known.value, False
        await self._start(made, branch, trace)
        return made, True

    async def decide(
        self, adventure: Adventure, entry_id: str, choice: int, trace: str | None = None
    ) -> tuple[Entry, bool]:
        """Have the entry made that follows on a choice; say whether it is new.

        Raises:
            Problem: 404 where there is no such entry, 409 while it is not complete, 422 where it has no such choice.
        """
        entry = await self._adventures.entry(adventure.user_id, entry_id)
        branch = adventure.branch(entry_id)
        if entry is None or branch is None:
            raise Problem(404, "Not found", "there is no such entry in this adventure")
        if not entry.choices and entry.status is EntryStatus.COMPLETE:
            raise Problem(
                409, "The story has ended", "this entry is the last of its branch: there is nothing to decide"
            )
        if entry.status is not EntryStatus.COMPLETE:
            raise Problem(409, "Not complete", f"the entry is {entry.status}: decide once it is complete")
        if choice >= len(entry.choices):
            from shared.web.requests import unfit

            raise unfit("choice", f"must be a whole number from 0 to {len(entry.choices) - 1}")
        return await self._next(adventure, branch, choice, trace)

    async def retell(self, adventure: Adventure, entry_id: str, trace: str | None = None) -> Entry:
        """Have an entry told anew, beside the one that is there.

        Raises:
            Problem: 404 where there is no such entry, 409 while something is at work on it, or there are too many.
        """
        branch = adventure.branch(entry_id)
        entry = await self._adventures.entry(adventure.user_id, entry_id)
        if branch is None or entry is None:
            raise Problem(404, "Not found", "there is no such entry in this adventure")
        if not entry.status.final:
            raise Problem(409, "Not complete", f"the entry is {entry.status}: it is being told")

        def retold(known: Adventure) -> Adventure:
            latest = known.after(branch.parent_id, branch.choice) or branch
            if latest.take > branch.take:  # told anew by another request
                return known
            _bounded(known)
            now = self._now()
            parent = known.branch(branch.parent_id) if branch.parent_id else None
            return known.with_branch(_branch(known, parent, branch.choice, branch.take + 1, now), now)

        changed = await self._changed(adventure, retold)
        return await self._started(changed, changed.after(branch.parent_id, branch.choice) or branch, trace)

    async def looked_at(self, adventure: Adventure, entry: Entry | None, branch: Branch) -> Entry:
        """An entry as it stands; where what makes it was lost on the way, or given up by hand, that is mended first."""
        entry = entry or new_entry(adventure, branch)
        if entry.status.final or self._now() - branch.at < _PATIENCE:
            return entry
        try:
            job = (await self._engine.get(branch.job_id)).value
        except JobNotFoundError:
            return await self._started(adventure, branch, None)
        if job.status in (Status.CANCELLED, Status.FAILED):
            error = job.error
            trouble = Trouble(
                type=error.type if error else str(job.status), message=error.message[:300] if error else f"its job was {job.status}"
            )  # fmt: skip
            await self._adventures.fail(
                adventure.user_id, adventure.adventure_id, branch.entry_id, trouble, self._now()
            )
            return await self._adventures.entry(adventure.user_id, branch.entry_id) or entry
        return entry

    async def _next(self, adventure: Adventure, branch: Branch, choice: int, trace: str | None) -> tuple[Entry, bool]:
        new = False

        def decided(known: Adventure) -> Adventure:
            nonlocal new
            new = known.after(branch.entry_id, choice) is None
            if not new:
                return known
            _bounded(known)
            now = self._now()
            return known.with_branch(_branch(known, branch, choice, 1, now), now)

        changed = await self._changed(adventure, decided)
        following = changed.after(branch.entry_id, choice)
        if following is None:
            raise Problem(404, "Not found", "there is no such adventure")
        if new:
            return await self._started(changed, following, trace), True
        known = await self._adventures.entry(adventure.user_id, following.entry_id)
        return await self.looked_at(changed, known, following), False

    async def _changed(self, adventure: Adventure, change: Callable[[Adventure], Adventure]) -> Adventure:
        changed = await self._adventures.change(adventure.user_id, adventure.adventure_id, change)
        if changed is None:
            raise Problem(404, "Not found", "there is no such adventure")
        return changed

    async def _started(self, adventure: Adventure, branch: Branch, trace: str | None) -> Entry:
        await self._start(adventure, branch, trace)
        known = await self._adventures.entry(adventure.user_id, branch.entry_id)
        return known or new_entry(adventure, branch)

    async def _start(self, adventure: Adventure, branch: Branch, trace: str | None) -> None:
        """Submit an entry's job; done twice, it is one job."""
        from shared.domains.stories.kinds import generate_adventure_entry

        await self._adventures.ensure_entry(new_entry(adventure, branch))
        payload = _payload(adventure, branch)
        await self._engine.submit(generate_adventure_entry, payload, job_id=branch.job_id, trace=trace)


def _payload(adventure: Adventure, branch: Branch) -> EntryJob:
    from shared.domains.stories.payload import EntryJob

    return EntryJob(adventure_id=adventure.adventure_id, entry_id=branch.entry_id, user_id=adventure.user_id)


def _branch(adventure: Adventure, parent: Branch | None, choice: int | None, take: int, now: datetime) -> Branch:
    """A place in the story. Its ids derive from it: the same, whoever takes it down first."""
    place = f"{adventure.adventure_id}/{parent.entry_id if parent else ''}/{choice}/{take}"
    return Branch(
        entry_id=_uuid(f"entry {place}"),
        job_id=_job_id(now, place),
        parent_id=parent.entry_id if parent else None,
        choice=choice,
        number=parent.number + 1 if parent else 1,
        take=take,
        at=now,
    )


def _job_id(now: datetime, place: str) -> str:
    from shared.jobs.ids import derived_id

    return derived_id(now, f"adventure entry {place}")


def _uuid(seed: str) -> str:
    return str(UUID(bytes=hashlib.sha256(seed.encode()).digest()[:16], version=5))


def _bounded(adventure: Adventure) -> None:
    if len(adventure.branches) >= MOST_BRANCHES:
        raise Problem(409, "Too many branches", f"an adventure has at most {MOST_BRANCHES} entries on all its branches")
