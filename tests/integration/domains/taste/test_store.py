"""Taste over the real engine, and over the Cosmos DB SDK on the wire."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.adapters import opening
from shared.adapters.clock import SystemClock
from shared.adapters.sqlite import SqliteDocuments
from shared.declarations import settings_of
from shared.domains.taste.api import delete_taste, get_taste_profile, post_taste_feedback
from shared.domains.taste.evidence import Evidence, ImageNote
from shared.domains.taste.feedback import TasteJob
from shared.domains.taste.profile import fold
from shared.domains.taste.store import PriorStore, TasteStore
from shared.domains.taste.words import analyse_words
from shared.jobs.model import Status
from shared.jobs.testing import FakeClock, MemoryBlobs, MemoryQueues
from shared.ports import DocumentStore
from support.calls import call
from support.cosmos import KEY, CosmosProcess
from support.lab import Lab

START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def cosmos_documents(cosmos: CosmosProcess) -> AsyncIterator[DocumentStore]:
    opened = opening.open_documents(settings_of({"COSMOS_ENDPOINT": cosmos.endpoint, "COSMOS_KEY": KEY}))
    yield opened
    await opened.close()


def evidence(user: str, item: int) -> Evidence:
    job = TasteJob.model_validate(
        {
            "user_id": user,
            "item_id": f"i{item}",
            "signal": "down" if item % 4 == 0 else "up",
            "item": {"colours": ["teal", "red"][: 1 + item % 2], "size": "m"},
            "occurred_at": START + timedelta(seconds=item),
        }
    )
    return Evidence.of(job, analyse_words(job.item), ImageNote("none"))


async def test_folds_at_once_on_cosmos_end_in_the_same_profile(cosmos_documents: DocumentStore, unique: str) -> None:
    store = TasteStore(cosmos_documents, SystemClock())
    signals = [evidence(unique, number) for number in range(8)]

    async def work(one: Evidence) -> None:
        await store.record(one)
        await store.fold(unique)

    await asyncio.gather(*(work(one) for one in signals))
    assert await store.read(unique) == fold(signals)
    assert not await store.record(signals[0])


async def test_erasing_on_cosmos_leaves_nothing_and_lets_nothing_back(
    cosmos_documents: DocumentStore, unique: str
) -> None:
    store = TasteStore(cosmos_documents, SystemClock())
    for number in range(5):
        await store.record(evidence(unique, number))
    await store.fold(unique)
    await store.erase(unique)
    assert (await store.read(unique)).ups == 0
    await store.record(evidence(unique, 9))
    assert (await store.fold(unique)).ups == 0
    assert await cosmos_documents.read("taste", unique, evidence(unique, 9).id) is None


async def test_the_prior_on_cosmos_is_made_across_partitions(cosmos_documents: DocumentStore, unique: str) -> None:
    store = TasteStore(cosmos_documents, SystemClock())
    for number in range(6):
        await store.record(evidence(f"{unique}-{number}", 1))
        await store.fold(f"{unique}-{number}")
    prior = await PriorStore(cosmos_documents, SystemClock()).refresh()
    assert prior.users >= 6
    assert {"teal", "red"} <= prior.shares["colour"].keys()
    assert await PriorStore(cosmos_documents, SystemClock()).read() == prior


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    clock = FakeClock(datetime.now(UTC))
    documents = SqliteDocuments(tmp_path / "lab.db", clock)
    yield Lab(MemoryBlobs(clock), MemoryQueues(clock), documents, settings_of({}), clock)
    await documents.close()


async def test_feedback_goes_all_the_way(lab: Lab) -> None:
    """Taken over HTTP, run by the engine, shown as a profile; the same again is a duplicate; then all is forgotten."""
    body = {"user_id": "u", "item_id": "i", "signal": "up", "item": {"title": "Teal silk gown", "size": "8"}}

    async def say(signal: str) -> dict[str, str]:
        answer = await post_taste_feedback(lab.app, call(json.dumps(body | {"signal": signal}).encode()))
        assert answer.status == 202
        lab.clock.advance(1)
        ticket: dict[str, str] = json.loads(answer.body)
        return ticket

    first, again, changed, back = [await say(signal) for signal in ("up", "up", "down", "up")]
    assert again["job_id"] == first["job_id"]
    assert len({first["job_id"], changed["job_id"], back["job_id"]}) == 3
    await lab.pump()
    for ticket in (first, changed, back):
        job = await lab.job(ticket["job_id"])
        assert job.status is Status.COMPLETED
        assert isinstance(job.results, dict)
        assert job.results["image"] == {"status": "none"}
    profile = json.loads((await get_taste_profile(lab.app, call(user_id="u"))).body)
    assert (profile["evidence"]["ups"], profile["evidence"]["downs"]) == (1, 0)
    assert profile["facets"]["colour"][0]["value"] == "teal"
    await delete_taste(lab.app, call(user_id="u"))
    assert json.loads((await get_taste_profile(lab.app, call(user_id="u"))).body)["evidence"]["ups"] == 0


async def test_the_prior_is_refreshed_by_the_engine(lab: Lab) -> None:
    job = await lab.run("taste-prior")
    assert job.status is Status.COMPLETED
