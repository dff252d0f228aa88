"""Evidence, profiles and the prior in a document store."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.adapters.sqlite import SqliteDocuments
from shared.domains.taste.containers import TASTE
from shared.domains.taste.evidence import Evidence, ImageNote
from shared.domains.taste.feedback import TasteJob
from shared.domains.taste.prior import default_prior
from shared.domains.taste.profile import MAX_EVIDENCE, fold
from shared.domains.taste.store import MAX_FOLDS, PRIOR_CACHE, TOMBSTONE_SECONDS, PriorStore, TasteStore
from shared.domains.taste.words import analyse_words
from shared.jobs.testing import FakeClock
from shared.ports import Document, PreconditionError, Query, StorageError, Where

START = datetime(2026, 1, 1, tzinfo=UTC)


class Watched:
    """A document store that counts calls, and runs what a test wants between two of them."""

    def __init__(self, inner: SqliteDocuments) -> None:
        self.inner = inner
        self.calls: list[str] = []
        self.before: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        async def call(*args: Any, **kwargs: Any) -> Any:
            self.calls.append(name)
            if name in self.before:
                await self.before.pop(name)()
            return await getattr(self.inner, name)(*args, **kwargs)

        return call

    def counts(self) -> dict[str, int]:
        counts = {name: self.calls.count(name) for name in dict.fromkeys(self.calls)}
        self.calls.clear()
        return counts


@pytest.fixture
async def documents(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Watched]:
    inner = SqliteDocuments(tmp_path / "taste.db", clock)
    yield Watched(inner)
    await inner.close()


@pytest.fixture
def store(documents: Watched, clock: FakeClock) -> TasteStore:
    clock.time = START + timedelta(days=1)
    return TasteStore(documents, clock)


def evidence(
    item: int, signal: str = "up", user: str = "u", second: int | None = None, colour: str = "red"
) -> Evidence:
    job = TasteJob.model_validate(
        {
            "user_id": user,
            "item_id": f"i{item}",
            "signal": signal,
            "item": {"colours": [colour], "size": "m", "title": "Anna's own words"},
            "occurred_at": START + timedelta(seconds=item if second is None else second),
        }
    )
    return Evidence.of(job, analyse_words(job.item), ImageNote("none"))


async def everything(documents: Watched) -> list[Document]:
    return (await documents.inner.query(TASTE, Query(order_by="sort", limit=1000))).items


async def test_a_signal_recorded_and_folded_makes_a_profile(store: TasteStore) -> None:
    assert await store.record(evidence(1))
    profile = await store.fold("u")
    assert (profile.ups, profile.facets["colour"]["red"].n_up) == (1, 1)
    assert await store.read("u") == profile == fold([evidence(1)])


async def test_doing_it_twice_changes_nothing_and_writes_nothing(store: TasteStore, documents: Watched) -> None:
    await store.record(evidence(1))
    first = await store.fold("u")
    before = await everything(documents)
    documents.counts()
    assert not await store.record(evidence(1))
    assert await store.fold("u") == first
    assert documents.counts() == {"put_newer": 1, "read": 1, "query": 1}
    assert await everything(documents) == before


async def test_the_last_word_on_an_item_stands_in_whatever_order_it_arrives(store: TasteStore) -> None:
    up, down = evidence(1, "up", second=1), evidence(1, "down", second=2)
    for order in ((up, down), (down, up)):
        for one in order:
            await store.record(one)
        profile = await store.fold("u")
        assert (profile.ups, profile.downs) == (0, 1)


async def test_users_do_not_meet(store: TasteStore) -> None:
    await store.record(evidence(1, user="u"))
    await store.record(evidence(1, user="v", colour="blue"))
    assert set((await store.fold("u")).facets["colour"]) == {"red"}
    assert set((await store.fold("v")).facets["colour"]) == {"blue"}


async def test_a_fold_that_is_overtaken_folds_again_with_all_the_evidence(
    store: TasteStore, documents: Watched, clock: FakeClock
) -> None:
    await store.record(evidence(1))
    await store.fold("u")
    await store.record(evidence(2))

    async def overtake() -> None:
        other = TasteStore(documents.inner, clock)
        await other.record(evidence(3))
        await other.fold("u")

    documents.before["replace"] = overtake
    assert (await store.fold("u")).ups == 3
    assert (await store.read("u")).ups == 3
    assert len(clock.slept) == 1


async def test_two_first_folds_at_once_lose_nothing(store: TasteStore, documents: Watched, clock: FakeClock) -> None:
    await store.record(evidence(1))

    async def overtake() -> None:
        other = TasteStore(documents.inner, clock)
        await other.record(evidence(2))
        await other.fold("u")

    documents.before["create"] = overtake
    assert (await store.fold("u")).ups == 2


async def test_many_folds_at_once_end_in_the_same_profile(documents: Watched) -> None:
    from shared.adapters.clock import SystemClock

    store = TasteStore(documents, SystemClock())
    signals = [evidence(number, "down" if number % 3 else "up") for number in range(24)]

    async def work(one: Evidence) -> None:
        await store.record(one)
        await store.fold("u")

    await asyncio.gather(*(work(one) for one in signals))
    assert await store.read("u") == fold(signals)


async def test_a_fold_that_never_gets_through_says_so(store: TasteStore, documents: Watched) -> None:
    await store.record(evidence(1))

    class Busy:
        def __getattr__(self, name: str) -> Any:
            if name == "create":
                return self._refuse
            return getattr(documents.inner, name)

        async def _refuse(self, *_: Any) -> str:
            raise PreconditionError

    clock = FakeClock()
    with pytest.raises(PreconditionError):
        await TasteStore(Busy(), clock).fold("u")
    assert len(clock.slept) == MAX_FOLDS


async def test_storage_that_fails_is_not_retried_here(store: TasteStore, documents: Watched) -> None:
    async def fail() -> None:
        raise StorageError

    await store.record(evidence(1))
    documents.before["query"] = fail
    with pytest.raises(StorageError):
        await store.fold("u")


async def test_a_profile_is_made_of_the_newest_evidence(store: TasteStore, documents: Watched) -> None:
    for number in range(MAX_EVIDENCE + 5):
        await documents.inner.create(TASTE, evidence(number).to_document())
    profile = await store.fold("u")
    assert profile.ups == MAX_EVIDENCE
    assert profile.oldest == evidence(5).occurred_at.isoformat()


async def test_nothing_of_the_item_s_text_is_kept(store: TasteStore, documents: Watched) -> None:
    await store.record(evidence(1))
    await store.fold("u")
    assert "Anna" not in json.dumps(await everything(documents))


# --- erasing -----------------------------------------------------------------------------------------------------


async def test_an_erased_user_is_gone(store: TasteStore, documents: Watched) -> None:
    for number in range(150):
        await documents.inner.create(TASTE, evidence(number).to_document())
    await store.record(evidence(1, user="v"))
    await store.fold("u")
    await store.erase("u")
    left = await everything(documents)
    assert [(one["pk"], one["kind"]) for one in left if one["pk"] == "u"] == [("u", "profile")]
    tombstone = next(one for one in left if one["pk"] == "u")
    assert (tombstone["facets"], tombstone["ups"], tombstone["ttl"]) == ({}, 0, TOMBSTONE_SECONDS)
    assert (await store.read("u")).ups == 0
    assert (await store.fold("v")).ups == 1


async def test_erasing_twice_or_somebody_unknown_is_fine(store: TasteStore) -> None:
    await store.erase("nobody")
    await store.erase("nobody")
    assert (await store.read("nobody")).ups == 0


async def test_a_job_from_before_the_erasure_stores_nothing(store: TasteStore, documents: Watched) -> None:
    await store.erase("u")
    await store.record(evidence(1))
    assert (await store.fold("u")).ups == 0
    assert [one["kind"] for one in await everything(documents)] == ["profile"]


async def test_signals_from_after_the_erasure_count(store: TasteStore, documents: Watched, clock: FakeClock) -> None:
    await store.record(evidence(1))
    await store.erase("u")
    later = replace(evidence(2), occurred_at=clock.now() + timedelta(seconds=1))
    await store.record(later)
    await store.record(evidence(3))
    assert (await store.fold("u")).ups == 1
    stored = await everything(documents)
    assert {one["id"] for one in stored} == {later.id, "profile"}
    profile = next(one for one in stored if one["id"] == "profile")
    assert "ttl" not in profile
    assert profile["erased_at"]


async def test_an_erasure_in_the_middle_of_a_fold_wins(store: TasteStore, documents: Watched, clock: FakeClock) -> None:
    """The fold has read the evidence; then everything is erased; then the fold wants to write what it made of it."""
    await store.record(evidence(1))
    documents.before["create"] = lambda: TasteStore(documents.inner, clock).erase("u")
    assert (await store.fold("u")).ups == 0
    await store.erase("u")
    await store.record(evidence(2))
    assert [one["kind"] for one in await everything(documents) if one["id"] == "profile"] == ["profile"]
    assert (await store.read("u")).ups == 0


async def test_a_fold_in_the_middle_of_an_erasure_loses(
    store: TasteStore, documents: Watched, clock: FakeClock
) -> None:
    await store.record(evidence(1))

    async def fold_first() -> None:
        await TasteStore(documents.inner, clock).fold("u")

    documents.before["create"] = fold_first
    await store.erase("u")
    assert (await store.read("u")).ups == 0
    assert len(await everything(documents)) == 1


async def test_an_erasure_that_broke_off_is_finished_by_the_next_fold(store: TasteStore, documents: Watched) -> None:
    await store.record(evidence(1))
    await store.fold("u")

    async def fail() -> None:
        raise StorageError

    documents.before["query"] = fail
    with pytest.raises(StorageError):
        await store.erase("u")
    assert (await store.read("u")).ups == 0
    await store.fold("u")
    assert len(await everything(documents)) == 1


# --- the prior ---------------------------------------------------------------------------------------------------


async def _crowd(store: TasteStore, users: int) -> None:
    for number in range(users):
        await store.record(evidence(1, user=f"user{number}", colour="teal"))
        await store.fold(f"user{number}")


async def test_the_prior_is_made_of_profiles(store: TasteStore, documents: Watched, clock: FakeClock) -> None:
    await _crowd(store, 8)
    await store.erase("user0")
    priors = PriorStore(documents, clock)
    assert await priors.read() == default_prior()
    made = await priors.refresh()
    assert made.users == 7
    assert made.shares["colour"] == {"teal": 1.0}
    assert made.shares["size"] == {"m": 1.0}
    clock.advance(PRIOR_CACHE.total_seconds())
    assert await priors.read() == made
    stored = (await documents.inner.query(TASTE, Query(where=(Where("kind", "=", "prior"),), order_by="sort"))).items
    assert "user1" not in json.dumps(stored)


async def test_the_prior_is_remembered_for_some_minutes(documents: Watched, clock: FakeClock) -> None:
    priors = PriorStore(documents, clock)
    for _ in range(3):
        await priors.read()
    assert documents.counts() == {"read": 1}
    clock.advance(PRIOR_CACHE.total_seconds())
    await priors.read()
    assert documents.counts() == {"read": 1}


async def test_the_sample_is_bounded_and_always_the_same(
    store: TasteStore, documents: Watched, clock: FakeClock
) -> None:
    await _crowd(store, 130)
    priors = PriorStore(documents, clock)
    one = await priors.refresh(sample=110)
    clock.advance(1)
    assert await priors.refresh(sample=110) == one
    assert one.users == 110


async def test_an_older_refresh_does_not_overwrite_a_newer_one(
    store: TasteStore, documents: Watched, clock: FakeClock
) -> None:
    await _crowd(store, 6)
    priors = PriorStore(documents, clock)
    newer = clock.now() + timedelta(hours=1)

    async def overtake() -> None:
        document = default_prior().to_document() | {"version": int(newer.timestamp() * 1000)}
        await documents.inner.put_newer(TASTE, document)

    documents.before["put_newer"] = overtake
    await priors.refresh()
    assert await PriorStore(documents, clock).read() == default_prior()
