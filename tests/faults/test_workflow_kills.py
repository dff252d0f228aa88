"""The real app, killed again and again (SIGKILL) under runs of workflows: every run ends, and each of its steps has one job."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.azurite import AzuriteProcess
from support.tickets import Desk, open_desk

pytestmark = [pytest.mark.faults, pytest.mark.slow]
RUNS, KILLS = 40, 4


@pytest.fixture
async def desk(azurite: AzuriteProcess, tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(azurite.connection_string, f"t{uuid.uuid4().hex}", tmp_path) as opened:
        yield opened


async def test_every_run_ends(desk: Desk) -> None:
    runs = []
    for number in range(RUNS):
        body = {"payload": {"lines": [f"{number}", "two", "three"]}}
        answer = await desk.http.post("/api/workflows/letter", json=body)
        runs.append(answer.json()["job_id"])
        said = await desk.http.post(f"/api/jobs/{runs[-1]}/events/signature", json={"content": f"ann {number}"})
        assert said.status_code == 202
    for _ in range(KILLS):
        await asyncio.sleep(1)
        await desk.app.kill()
        await desk.app.start()
    for number, run in enumerate(runs):
        ended = await _ended(desk, run)
        assert ended["status"] == "completed", ended
        assert ended["results"]["outcome"] == "completed"
        items = (await desk.http.get("/api/jobs", params={"parent_id": run, "limit": 50})).json()["items"]
        parts = Counter(item["part"] for item in items if not item["part"].startswith(":timer/"))
        assert parts == Counter(["write/0", "write/1", "write/2", "check", "post", ":event/signature"]), (number, parts)


async def _ended(desk: Desk, run: str) -> dict[str, Any]:
    while True:
        try:
            return await desk.until(run, seconds=180)
        except httpx.TransportError:  # it has just been started
            await asyncio.sleep(0.2)
