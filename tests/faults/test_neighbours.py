"""Patient jobs beside those that block the process, end it, or eat memory: each ends as its own policy says."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.azurite import AzuriteProcess
from support.neighbours_app import DIARY
from support.running import RunningApp, ask, insist
from support.tickets import FINAL, app_folder

pytestmark = pytest.mark.faults

PATIENT = 20
PATIENCE = 1500.0
"""Seconds until every job has ended: the blocking one alone takes twice ninety, and those whose process died come back
one after the other, each for its twenty seconds."""


@pytest.fixture
async def app(azurite: AzuriteProcess, unique: str, tmp_path: Path) -> AsyncIterator[RunningApp]:
    running = RunningApp(
        azurite.connection_string,
        tmp_path,
        app=app_folder(tmp_path / "app", "neighbours_app"),
        NIGHTSHIFT_STATUS_CONTAINER=unique,
        JOBS_QUEUE_NAME=unique,
        # As many at once as there are jobs: a host that has more than 8 in hand would fetch no others
        AzureFunctionsJobHost__extensions__queues__newBatchThreshold="32",
        **{DIARY: str(tmp_path / "diary")},
    )
    await running.start()
    keeping = asyncio.create_task(running.keep())
    yield running
    keeping.cancel()
    await running.kill()


@dataclass(frozen=True)
class Line:
    """What a handler wrote in the diary."""

    word: str
    attempt: int
    process: int


def diary(folder: Path) -> dict[str, list[Line]]:
    """The lines by job, in their order."""
    lines: dict[str, list[Line]] = defaultdict(list)
    for text in (folder / "diary").read_text().splitlines() if (folder / "diary").exists() else ():
        word, name, attempt, process, _ = text.split()
        lines[name].append(Line(word, int(attempt), int(process)))
    return lines


async def end(client: httpx.AsyncClient, ticket: str) -> dict[str, Any]:
    """The job, once it has ended."""
    while True:
        answer = await insist(client, "GET", f"/api/jobs/{ticket}")
        assert answer.status_code == 200, answer.text
        if (job := answer.json())["status"] in FINAL:
            return dict(job)
        await asyncio.sleep(1)


async def letters(client: httpx.AsyncClient) -> dict[str, str]:
    """The reasons of the dead letters, by job."""
    listed = (await insist(client, "GET", "/api/dead-letters?limit=200")).json()["items"]
    return {item["job_id"]: item["reason"] for item in listed}


async def test_the_patient_complete_beside_the_guilty(app: RunningApp, tmp_path: Path) -> None:
    guilty = ("exits", "blocks", "eats")
    names = [f"patient-{n}" for n in range(PATIENT)]
    async with httpx.AsyncClient(base_url=app.url, timeout=150) as client, asyncio.timeout(PATIENCE):
        tickets = {name: await ask(client, "patient", {"name": name}, name) for name in names}
        while len(diary(tmp_path)) < PATIENT:  # noqa: ASYNC110 (by another process)
            await asyncio.sleep(0.1)
        asked = await asyncio.gather(*(ask(client, each, {"name": each}, each) for each in guilty))
        tickets |= dict(zip(guilty, asked, strict=True))
        ended = await asyncio.gather(*(end(client, ticket) for ticket in tickets.values()))
        jobs = dict(zip(tickets, ended, strict=True))
        vault = await letters(client)
    lines = diary(tmp_path)
    # Four workers vanished over it alone, and one or two with others.
    assert 5 <= len(lines["exits"]) <= 6, lines["exits"]
    for name in names:
        assert_at_peace(jobs[name], lines[name])
    assert vault == {tickets["exits"]: "lapsed", tickets["blocks"]: "final", tickets["eats"]: "final"}
    assert "the sandbox says: memory" in str(jobs["eats"]["error"]), jobs["eats"]
    assert [line.word for line in lines["blocks"]].count("ends") == 2, lines["blocks"]


def assert_at_peace(job: dict[str, Any], lines: list[Line]) -> None:
    """It ended once, and began again only where its process was gone: no two attempts in one process."""
    assert job["status"] == "completed", (job, lines)
    assert [line.word for line in lines].count("ends") == 1, lines
    begun = [line.process for line in lines if line.word == "begins"]
    assert len(begun) == len(set(begun)), lines
    assert len(begun) <= 2, lines
