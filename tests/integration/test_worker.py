"""`dev.py worker`: pipelines and crawls in processes of its own, which may die, and end when they are told to."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.azurite import AzuriteProcess
from support.crawls import Workers, until


@pytest.fixture
async def workers(azurite: AzuriteProcess, unique: str, tmp_path: Path) -> AsyncIterator[Workers]:
    made = Workers(azurite.connection_string, unique, tmp_path)
    yield made
    await made.close()


async def test_a_vault_is_crawled_and_executed_by_processes_one_of_which_is_killed(workers: Workers) -> None:
    first = [f"{number:02}.txt" for number in range(12)]
    await workers.put(first)
    await workers.begin()
    workers.start()

    async def done(names: list[str]) -> bool:
        return await workers.executed() == Counter(names)

    async def whole() -> bool:
        return bool((await workers.ask("/health"))["status"] == "healthy")

    await until(lambda: done(first), 60)
    health = await workers.ask("/health")
    assert (health["status"], health["worker_name"]) == ("healthy", "tests")
    await workers.kill_one()
    await workers.put(["late.txt"])
    await workers.crawl_again()
    await until(lambda: done([*first, "late.txt"]), 90)
    await until(whole, 30)
    status = await workers.ask("/status")
    assert (status["running"], status["processing_workers"]["active"], status["source_workers"]["active"]) == (
        True,
        1,
        1,
    )
    assert (await workers.ask("/metrics"))["restarts"] == 1
    assert workers.stop() == 0
