"""Garbage on the queues of the running app: the worker's own decoding is part of what must not break."""

from __future__ import annotations

import asyncio
import base64
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from shared.adapters.opening import open_queues
from shared.adapters.queues import AzureQueues
from shared.settings import load
from support.azurite import AzuriteProcess
from support.garbage import BODIES, RAW
from support.running import RunningApp, insist

pytestmark = pytest.mark.faults

TEXTS = [*(base64.b64encode(body).decode() for body in BODIES.values()), *RAW]


@pytest.fixture
async def queues(azurite: AzuriteProcess) -> AsyncIterator[AzureQueues]:
    opened = open_queues(load({"AzureWebJobsStorage": azurite.connection_string}))
    yield opened
    await opened.close()


@pytest.fixture
async def app(azurite: AzuriteProcess, unique: str, tmp_path: Path) -> AsyncIterator[RunningApp]:
    running = RunningApp(
        azurite.connection_string,
        tmp_path,
        NIGHTSHIFT_STATUS_CONTAINER=unique,
        TASTE_JOB_QUEUE_NAME=unique,
        AzureFunctionsJobHost__extensions__queues__visibilityTimeout="00:00:00",
    )
    await running.start()
    yield running
    await running.kill()


async def bodies(client: httpx.AsyncClient) -> list[bytes]:
    """The bodies of every dead letter, as the vault has them."""
    listed = await insist(client, "GET", "/api/dead-letters?limit=200")
    found = []
    for item in listed.json()["items"]:
        letter = (await insist(client, "GET", f"/api/dead-letters/{item['id']}")).json()
        found.append(base64.b64decode(letter["body_base64"]))
    return found


@pytest.mark.parametrize("suffix", ["", "-poison"])
async def test_every_message_ends_in_the_vault(app: RunningApp, queues: AzureQueues, unique: str, suffix: str) -> None:
    for text in TEXTS:
        await queues.send(unique + suffix, text)
    async with httpx.AsyncClient(base_url=app.url, timeout=60) as client, asyncio.timeout(240):
        while await queues.depth(unique) + await queues.depth(f"{unique}-poison"):  # noqa: ASYNC110 (by another process)
            await asyncio.sleep(0.5)
        assert Counter(await bodies(client)) == Counter(text.encode() for text in TEXTS)
        health = await insist(client, "GET", "/api/health")
    assert health.status_code == 200
