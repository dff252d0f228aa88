"""Evidence, profiles and the prior, in the document store.

One document per user, the profile, settles every race. It is written under its ETag, read *before* the evidence that
is folded into it: a fold that another one overtook fails its condition and folds again, with all the evidence. An
erasure is a write of the same document, which leaves nothing in it but the moment: evidence of before that moment no
longer counts, and is removed by whichever fold or erasure sees it, also where a job wrote it afterwards.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from datetime import timedelta

from shared.domains.taste.containers import TASTE
from shared.domains.taste.evidence import EVIDENCE, Evidence
from shared.domains.taste.prior import PRIOR_ID, PRIOR_PK, Prior, PriorBuilder, default_prior
from shared.domains.taste.profile import MAX_EVIDENCE, PROFILE, PROFILE_ID, Profile, fold
from shared.ports import Clock, Document, DocumentStore, Query, Where
from shared.storage import Cached, Versioned, compare_and_swap, every, iso, write

MAX_FOLDS = 10
"""How often a fold that others overtake is tried before the job is left to the engine's retry."""
TOMBSTONE_SECONDS = 30 * 24 * 3600
"""How long an erased user's tombstone is kept: longer than any job is in flight or replayed."""
PRIOR_SAMPLE = 2000
"""Profiles that a prior is made of."""
PRIOR_CACHE = timedelta(minutes=5)
_PAGE = 100


async def _pause(store: TasteStore, tries: int) -> None:
    """Those who overtake each other come back at different times."""
    await store.clock.sleep(random.uniform(0.01, 0.05 * 2 ** min(tries, 5)))  # noqa: S311


class TasteStore:
    """One user's evidence and profile at a time."""

    def __init__(self, documents: DocumentStore, clock: Clock) -> None:
        self._documents = documents
        self.clock = clock

    async def record(self, evidence: Evidence) -> bool:
        """Store a signal, unless the same or a later one on the same image is there already; say if it was stored."""
        return await self._documents.put_newer(TASTE, evidence.to_document())

    @compare_and_swap("the profile", MAX_FOLDS, _pause)
    async def fold(self, user_id: str) -> Profile:
        """Bring a user's profile up to date with the evidence and return it. Writes nothing where nothing changed.

        Raises:
            PreconditionError: others kept overtaking this fold.
        """
        found = await self._read(user_id)
        erased_at = _erased_at(found)
        evidence = [one async for one in self._evidence(user_id)]
        if erased_at and any(iso(one.occurred_at) <= erased_at for one in evidence):
            evidence = [one for one in evidence if iso(one.occurred_at) > erased_at]
            await self._delete_before(user_id, erased_at)
        profile = fold(evidence)
        if profile != _profile(found):
            await write(self._documents, TASTE, _with_erasure(profile.to_document(user_id), erased_at), found)
        return profile

    async def read(self, user_id: str) -> Profile:
        """Return a user's profile; the empty one of somebody without evidence."""
        return _profile(await self._read(user_id))

    async def erase(self, user_id: str) -> None:
        """Delete a user's evidence and profile. Jobs still in flight, with signals from before, store nothing more.

        Safe to repeat; if it fails on the way, repeat it, or the next fold finishes it.
        """
        erased_at = iso(self.clock.now())
        await self._leave_tombstone(user_id, erased_at)
        await self._delete_before(user_id, erased_at)

    async def _evidence(self, user_id: str) -> AsyncIterator[Evidence]:
        """The newest evidence of a user, as much as a profile is made of."""
        where = (Where("kind", "=", EVIDENCE),)
        query = Query(where, order_by="sort", descending=True, limit=MAX_EVIDENCE, partition=user_id)
        async for document in every(self._documents, TASTE, query, MAX_EVIDENCE):
            yield Evidence.from_document(document)

    async def _read(self, user_id: str) -> Versioned[Document] | None:
        return await self._documents.read(TASTE, user_id, PROFILE_ID)

    @compare_and_swap("the profile", MAX_FOLDS, _pause)
    async def _leave_tombstone(self, user_id: str, erased_at: str) -> None:
        tombstone = _with_erasure(Profile().to_document(user_id), erased_at)
        await write(self._documents, TASTE, tombstone, await self._read(user_id))

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
        self._prior: Cached[str, Prior] = Cached(clock, PRIOR_CACHE, self._read)

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
        return await self._prior.get(PRIOR_ID)

    async def _read(self, id: str) -> Prior:
        found = await self._documents.read(TASTE, PRIOR_PK, id)
        return Prior.from_document(found.value) if found else default_prior()

    async def _profiles(self, sample: int) -> AsyncIterator[Profile]:
        """Profiles in the order of a hash of their users: the same fair sample each time."""
        query = Query((Where("kind", "=", PROFILE),), order_by="sort", limit=_PAGE)
        async for document in every(self._documents, TASTE, query, sample):
            yield Profile.from_document(document)


def _profile(found: Versioned[Document] | None) -> Profile:
    return Profile.from_document(found.value) if found else Profile()


def _erased_at(found: Versioned[Document] | None) -> str | None:
    """When the user's data was erased, if it was."""
    return found.value.get("erased_at") if found else None


def _with_erasure(document: Document, erased_at: str | None) -> Document:
    """Keep the moment of an erasure. A document that holds nothing else expires."""
    if erased_at is None:
        return document
    alone = {} if document["fingerprint"] else {"ttl": TOMBSTONE_SECONDS}
    return document | {"erased_at": erased_at} | alone
