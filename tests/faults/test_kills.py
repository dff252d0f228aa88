"""The app is killed at random moments, its storage restarted once, while jobs flow: every ticket ends completed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from support.azurite import AzuriteProcess
from support.running import LISTENER, RunningApp, insist

pytestmark = pytest.mark.faults

JOBS = 300
USERS = 10
KILLS = 8
PATIENCE = 1500.0 if LISTENER else 420.0
"""Seconds until every job has ended. Microsoft's listener hides for ten minutes what a killed host had in hand."""
SECONDS = 25.0
"""For how long feedback is posted."""


@pytest.fixture
async def app(storage: AzuriteProcess, tmp_path: Path) -> AsyncIterator[RunningApp]:
    running = RunningApp(storage.connection_string, tmp_path)
    await running.start()
    yield running
    await running.kill()


def feedback(n: int) -> dict[str, object]:
    item = {"title": "Red silk dress", "category": "gown", "size": "M", "occasion": "wedding"}
    return {"user_id": f"user-{n % USERS}", "item_id": f"item-{n}", "signal": "up", "item": item}


async def post(client: httpx.AsyncClient, n: int, pause: float) -> str:
    await asyncio.sleep(pause)
    response = await insist(client, "POST", "/api/taste/feedback", json=feedback(n))
    assert response.status_code == 202, response.text
    return str(response.json()["job_id"])


async def outcome(client: httpx.AsyncClient, ticket: str) -> str:
    """The last state of a job, polled to its end."""
    while True:
        response = await insist(client, "GET", f"/api/jobs/{ticket}")
        assert response.status_code == 200, f"the receipt of a ticket is lost: {response.text}"
        status = str(response.json()["status"])
        if status not in ("queued", "running"):
            return status
        await asyncio.sleep(2)


async def wreck(app: RunningApp, storage: AzuriteProcess, dice: random.Random) -> None:
    """Kill the app again and again, and restart its storage in the middle."""
    for kill in range(KILLS):
        await asyncio.sleep(dice.uniform(0.2, 2 * SECONDS / KILLS - 0.2) / 2)
        if kill == KILLS // 2:
            await asyncio.to_thread(storage.stop)
            await asyncio.to_thread(storage.start)
        await app.kill()
        await app.start()


@pytest.mark.parametrize("seed", [20261122])
async def test_every_ticket_ends_completed(app: RunningApp, storage: AzuriteProcess, seed: int) -> None:
    dice = random.Random(seed)
    async with httpx.AsyncClient(base_url=app.url, timeout=60) as client, asyncio.timeout(PATIENCE):
        posts = [post(client, n, dice.uniform(0, SECONDS)) for n in range(JOBS)]
        tickets, _ = await asyncio.gather(asyncio.gather(*posts), wreck(app, storage, dice))
        assert len(set(tickets)) == JOBS
        outcomes = await asyncio.gather(*(outcome(client, ticket) for ticket in tickets))
        assert set(outcomes) == {"completed"}
        for user in range(USERS):
            profile = (await insist(client, "GET", f"/api/taste/user-{user}")).json()
            assert f'"ups":{JOBS // USERS}' in str(profile).replace("'", '"').replace(" ", ""), profile
