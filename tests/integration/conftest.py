"""What the integration tests share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from azure.storage.queue.aio import QueueServiceClient

from support.azurite import AzuriteProcess
from support.queue_bench import Bench


@pytest.fixture
async def bench(azurite: AzuriteProcess, unique: str) -> AsyncIterator[Bench]:
    async with QueueServiceClient.from_connection_string(azurite.connection_string) as service:
        bench = Bench(service, azurite.connection_string, unique[:40])
        await bench.queue.create_queue()
        yield bench
