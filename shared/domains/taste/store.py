"""Evidence, profiles and the prior, in the document store.

One document per user, the profile, settles every race. It is written under its ETag, read *before* the evidence that
is folded into it: a fold that another one overtook fails its condition and folds again, with all the evidence. An
erasure is a write of the same document, which leaves nothing in it but the moment: evidence of before that moment no
longer counts, and is removed by whichever fold or erasure sees it, also where a job wrote it afterwards.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domains.taste.containers import TASTE
from shared.domains.taste.evidence import EVIDENCE, Evidence, iso
from shared.domains.taste.prior import PRIOR_ID, PRIOR_PK, Prior, PriorBuilder, default_prior
from shared.domains.taste.profile import MAX_EVIDENCE, PROFILE, PROFILE_ID, Profile, fold
from shared.ports import Clock, Document, DocumentStore, PreconditionError, Query, Where

MAX_FOLDS = 10
"""How often a fold that others overtake is tried before the job is left to the engine's retry."""
TOMBSTONE_SECONDS = 30 * 24 * 3600
"""How long an erased user's tombstone is kept: longer than any job is in flight or replayed."""
PRIOR_SAMPLE = 2000
"""Profiles that a prior is made of."""
PRIOR_CACHE = timedelta(minutes=5)
_PAGE = 100


@dataclass(frozen=True, slots=True)
class _Stored:
    """The profile document as it was read."""

    document: Document | None
    etag: str | None

    @property
    def erased_at(self) -> str | None:
        """When the user's data was erased, if it was."""
        return (self.document or {}).get("erased_at")


class TasteStore:
    """One user's evidence and profile at a time."""

    def __init__(self, documents: DocumentStore, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock

    async def record(self, evidence: Evidence) -> bool:
        """Store a signal, unless the same or a later one on the same image is there already; say if it was stored."""
        return await self._documents.put_newer(TASTE, evidence.to_document())

    async def fold(self, user_id: str) -> Profile:
        """Bring a user's profile up to date with the evidence and return it. Writes nothing where nothing changed.

        Raises:
            PreconditionError: others kept overtaking this fold.
        """
        for attempt in range(MAX_FOLDS):
            try:
                return await self._fold_once(user_id)
            except PreconditionError:
                await self._clock.sleep(random.uniform(0.01, 0.05 * 2 ** min(attempt, 5)))  # noqa: S311
        return await self._fold_once(user_id)

    async def read(self, user_id: str) -> Profile:
        """Return a user's profile; the empty one of somebody without evidence."""
        stored = await self._read(user_id)
        return _profile(stored)

    async def erase(self, user_id: str) -> None:
        """Delete a user's evidence and profile. Jobs still in flight, with signals from before, store nothing more.

        Safe to repeat; if it fails on the way, repeat it, or the next fold finishes it.
        """
        erased_at = iso(self._clock.now())
        await self._leave_tombstone(user_id, erased_at)
        await self._delete_before(user_id, erased_at)

    async def _fold_once(self, user_id: str) -> Profile:
        stored = await self._read(user_id)
        evidence = [one async for one in self._evidence(user_id)]
        if stored.erased_at and any(iso(one.occurred_at) <= stored.erased_at for one in evidence):
            evidence = [one for one in evidence if iso(one.occurred_at) > (stored.erased_at or "")]
            await self._delete_before(user_id, stored.erased_at)
        profile = fold(evidence)
        if profile != _profile(stored):
            await self._write(_with_erasure(profile.to_document(user_id), stored.erased_at), stored.etag)
        return profile

    async def _evidence(self, user_id: str) -> AsyncIterator[Evidence]:
        """The newest evidence of a user, as much as a profile is made of."""
        left, cursor = MAX_EVIDENCE, None
        while left > 0:
            page = await self._documents.query(
                TASTE,
                Query(
                    where=(Where("kind", "=", EVIDENCE),),
                    order_by="sort",
                    descending=True,
                    limit=left,
                    partition=user_id,
                    after=cursor,
                ),
            )
            for document in page.items:
                yield Evidence.from_document(document)
            left -= len(page.items)
            cursor = page.cursor
            if cursor is None:
                return

    async def _read(self, user_id: str) -> _Stored:
        found = await self._documents.read(TASTE, user_id, PROFILE_ID)
        return _Stored(*found) if found else _Stored(None, None)

    async def _write(self, document: Document, etag: str | None) -> None:
        if etag is None:
            await self._documents.create(TASTE, document)
        else:
            await self._documents.replace(TASTE, document, etag)

    async def _leave_tombstone(self, user_id: str, erased_at: str) -> None:
        tombstone = _with_erasure(Profile().to_document(user_id), erased_at)
        for _ in range(MAX_FOLDS):
            stored = await self._read(user_id)
            try:
                await self._write(tombstone, stored.etag)
            except PreconditionError:
                await self._clock.sleep(random.uniform(0.01, 0.1))  # noqa: S311
            else:
                return
        raise PreconditionError("the profile is being written too often to be erased")

    async def _delete_before(self, user_id: str, erased_at: str) -> None:
        while True:
            page = await self._documents.query(
                TASTE,
                Query(
                    # "~" sorts after "|": every signal of that very moment is included.
                    where=(Where("kind", "=", EVIDENCE), Where("sort", "<=", f"{erased_at}~")),
                    order_by="sort",
                    limit=_PAGE,
                    partition=user_id,
                ),
            )
            gone = [await self._documents.delete(TASTE, user_id, document["id"]) for document in page.items]
            if not any(gone):
                return


class PriorStore:
    """The prior: made of a sample of profiles, kept as one document, remembered for some minutes by each process."""

    def __init__(self, documents: DocumentStore, clock: Clock) -> None:
        self._documents = documents
        self._clock = clock
        self._known: tuple[datetime, Prior] | None = None

    async def refresh(self, sample: int = PRIOR_SAMPLE) -> Prior:
        """Make the prior anew and store it, unless a later refresh did."""
        began = self._clock.now()
        builder = PriorBuilder()
        async for profile in self._profiles(sample):
            builder.add(profile)
        prior = builder.build()
        await self._documents.put_newer(
            TASTE, prior.to_document() | {"version": int(began.timestamp() * 1000), "refreshed_at": iso(began)}
        )
        return prior

    async def read(self) -> Prior:
        """Return the prior, at most some minutes old; the default one where there is none yet."""
        now = self._clock.now()
        if self._known is None or now - self._known[0] >= PRIOR_CACHE:
            found = await self._documents.read(TASTE, PRIOR_PK, PRIOR_ID)
            self._known = now, Prior.from_document(found[0]) if found else default_prior()
        return self._known[1]

    async def _profiles(self, sample: int) -> AsyncIterator[Profile]:
        """Profiles in the order of a hash of their users: the same fair sample each time."""
        left, cursor = sample, None
        while left > 0:
            query = Query(
                where=(Where("kind", "=", PROFILE),),
                order_by="sort",
                limit=min(left, _PAGE),
                after=cursor,
            )
            page = await self._documents.query(TASTE, query)
            for document in page.items:
                yield Profile.from_document(document)
            left -= len(page.items)
            cursor = page.cursor
            if cursor is None:
                return


def _profile(stored: _Stored) -> Profile:
    return Profile.from_document(stored.document) if stored.document else Profile()


def _with_erasure(document: Document, erased_at: str | None) -> Document:
    """Keep the moment of an erasure. A document that holds nothing else expires."""
    if erased_at is None:
        return document
    alone = {} if document["fingerprint"] else {"ttl": TOMBSTONE_SECONDS}
    return document | {"erased_at": erased_at} | alone
