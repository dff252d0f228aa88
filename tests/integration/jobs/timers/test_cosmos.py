"""The ledger over the wire of Cosmos DB: instances that race, gaps, pages and the accounting's query."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.adapters import opening
from shared.jobs.timers.ledger import Ledger
from shared.jobs.timers.occurrence import State
from shared.jobs.timers.timer import Missed, Timer
from shared.ports import DocumentStore
from shared.settings import load
from support.cosmos import KEY, CosmosProcess
from support.lab import Lab, close_lab, open_memory_lab

SEVEN = datetime(2026, 3, 2, 7, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
async def documents(cosmos: CosmosProcess) -> AsyncIterator[DocumentStore]:
    opened = opening.open_documents(load({"COSMOS_ENDPOINT": cosmos.endpoint, "COSMOS_KEY": KEY}))
    yield opened
    await opened.close()


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    opened = open_memory_lab("ledger", tmp_path)
    opened.clock.time = SEVEN - timedelta(hours=1)
    yield opened
    await close_lab(opened)


async def test_instances_that_race_over_a_gap(lab: Lab, documents: DocumentStore, unique: str) -> None:
    timer = Timer(
        unique, lambda settings: "0 0 7 * * *", "work", Missed.ONCE, "Works.", payload=lambda at: {"n": at.day}
    )

    def ledger() -> Ledger:
        engine = type(lab.engine)(replace(lab.engine.deps, documents=documents))
        return Ledger(engine, [timer])

    await ledger().account()
    lab.clock.time = SEVEN + 2 * DAY
    ticks = [one.tick(unique) for one in (ledger(), ledger(), ledger())]
    await asyncio.gather(*ticks, ledger().account(), ledger().account())
    await lab.pump()
    await ledger().account()
    one = ledger()
    found, cursor = await one.occurrences.page(unique, 2)
    rest, end = await one.occurrences.page(unique, 2, after=cursor)
    assert [each.state for each in (*found, *rest)] == [State.COMPLETED, State.SKIPPED, State.SKIPPED]
    assert [each.scheduled_at for each in (*found, *rest)] == [SEVEN + n * DAY for n in (2, 1, 0)]
    assert (end, len(lab.runs)) == (None, 1)
    assert [each.state for each in (await one.occurrences.page(unique, 9, state=State.SKIPPED))[0]] == [
        State.SKIPPED
    ] * 2
    report = await one.report(unique)
    assert (report.healthy, report.next_at) == (True, SEVEN + 3 * DAY)
