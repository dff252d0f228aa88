"""A crawl of ten thousand blobs, by two crawlers, while processes are killed: each blob is executed once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path

import pytest

from support.azurite import AzuriteProcess
from support.crawls import Workers, until

pytestmark = [pytest.mark.faults, pytest.mark.slow]

BLOBS = 10_000
PATIENCE = 3600.0


async def test_ten_thousand_blobs_are_executed_once_each(azurite: AzuriteProcess, unique: str, tmp_path: Path) -> None:
    workers = Workers(
        azurite.connection_string,
        unique,
        tmp_path,
        NUM_PROCESSING_WORKERS="2",
        NUM_SOURCE_WORKERS="2",
        QUEUE_MAX_MESSAGES="16",
    )
    names = [f"{number:05}.txt" for number in range(BLOBS)]
    early, late = names[: BLOBS * 9 // 10], names[BLOBS * 9 // 10 :]
    try:
        await workers.put(early)
        await workers.begin()
        workers.start()

        async def disturb() -> None:
            for start in range(0, len(late), 100):
                await workers.put(late[start : start + 100])
                await workers.crawl_again()
                await workers.kill_one()
                await asyncio.sleep(random.uniform(1, 8))

        async def done() -> bool:
            return len(await workers.executed()) == BLOBS

        await disturb()
        await until(done, PATIENCE)
        assert await workers.executed() == Counter(names)
        assert workers.stop() == 0
    finally:
        await workers.close()
