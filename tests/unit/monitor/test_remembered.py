"""Answers that are made once for all who ask."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from shared.jobs.testing import FakeClock
from shared.monitor import remembered
from shared.monitor.remembered import Remembered
from shared.ports import StorageError


async def test_who_asks_meanwhile_gets_the_same_answer_or_failure_and_the_next_one_a_new_try() -> None:
    made: list[int] = []
    kept: Remembered[int] = Remembered(FakeClock(), timedelta(seconds=5))

    async def make() -> int:
        made.append(1)
        await asyncio.sleep(0)
        if len(made) == 1:
            raise StorageError("down")
        return len(made)

    outcomes = await asyncio.gather(*(kept.of(make) for _ in range(5)), return_exceptions=True)
    assert [str(each) for each in outcomes] == ["down"] * 5
    assert await asyncio.gather(*(kept.of(make) for _ in range(5))) == [2] * 5


async def test_one_who_goes_away_takes_the_answer_from_nobody() -> None:
    let_go = asyncio.Event()
    kept: Remembered[str] = Remembered(FakeClock(), timedelta(seconds=5))

    async def make() -> str:
        await let_go.wait()
        return "made"

    first, second = (asyncio.ensure_future(kept.of(make)) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    let_go.set()
    assert await second == "made"


async def test_storage_that_never_answers_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "PATIENCE", 0.01)
    kept: Remembered[None] = Remembered(FakeClock(), timedelta(seconds=5))
    with pytest.raises(StorageError):
        await kept.of(asyncio.Event().wait)  # type: ignore[arg-type]
