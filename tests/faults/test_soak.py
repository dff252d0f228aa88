"""A soak: thousands of jobs while two hosts are killed and stopped at random, and their storage restarted twice.

`python dev.py test --soak` runs it, with `NIGHTSHIFT_SOAK_JOBS` jobs (10,000) and `NIGHTSHIFT_SOAK_SEED`.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.storage.queue.aio import QueueServiceClient

from support.azurite import AzuriteProcess
from support.running import LISTENER, RunningApp, ask, insist
from support.tickets import FINAL, app_folder

pytestmark = pytest.mark.soak

JOBS = int(os.environ.get("NIGHTSHIFT_SOAK_JOBS", "10000"))
SEED = int(os.environ.get("NIGHTSHIFT_SOAK_SEED", "20261128"))
ROUND = 50
"""Jobs that are posted while one thing goes wrong."""
PATIENCE = 300 + JOBS / 10 + (1500 if LISTENER else 0)
"""Seconds, after the last disturbance, until all is quiet. Microsoft's listener hides for ten minutes what a killed host
had in hand."""
ASKERS = 16
"""Clients that ask at the same time."""
ENDINGS = {"completed", "failed", "cancelled"}


@dataclass(frozen=True)
class Scene:
    """Two hosts of one app, and what they store."""

    storage: AzuriteProcess
    hosts: tuple[RunningApp, RunningApp]
    clients: tuple[httpx.AsyncClient, httpx.AsyncClient]


@pytest.fixture
async def scene(storage: AzuriteProcess, tmp_path: Path) -> AsyncIterator[Scene]:
    app, data = app_folder(tmp_path / "app"), str(tmp_path / "nightshift.db")
    hosts = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        host = RunningApp(storage.connection_string, tmp_path / name, app=app, NIGHTSHIFT_SQLITE_PATH=data)
        hosts.append(host)
        await host.start()
    one, two = hosts
    async with (
        httpx.AsyncClient(base_url=one.url, timeout=60) as first,
        httpx.AsyncClient(base_url=two.url, timeout=60) as second,
    ):
        yield Scene(storage, (one, two), (first, second))
    for host in hosts:
        await host.kill()


def kind_of(n: int) -> tuple[str, dict[str, Any]]:
    """Most jobs are short, some take their time, and some give up."""
    if n % 20 == 0:
        return "fails", {}
    if n % 5 == 0:
        return "steps", {"steps": 4, "seconds": 0.5}
    return "echo", {"text": f"job {n}"}


async def post(client: httpx.AsyncClient, n: int) -> str:
    kind, payload = kind_of(n)
    return await ask(client, kind, payload, f"soak-{n}")


async def disturb(scene: Scene, number: int, rounds: int, dice: random.Random) -> str:
    """Let one thing go wrong, at some moment of a round; what it was."""
    await asyncio.sleep(dice.uniform(0, 2))
    if number in (rounds // 3, 2 * rounds // 3):
        await asyncio.to_thread(scene.storage.stop)
        await asyncio.to_thread(scene.storage.start)
        return "storage restarted"
    host = dice.choice(scene.hosts)
    if dice.random() < 0.5:
        await host.stand_still(dice.uniform(1, 10))
        return "stopped"
    await host.kill()
    await host.start()
    return "killed"


async def seen_to_its_end(client: httpx.AsyncClient, ticket: str, askers: asyncio.Semaphore) -> str:
    """The state in which a job has ended."""
    while True:
        async with askers:
            answer = await insist(client, "GET", f"/api/jobs/{ticket}")
        assert answer.status_code == 200, f"the receipt of a ticket is lost: {answer.text}"
        if (status := str(answer.json()["status"])) in FINAL:
            return status
        await asyncio.sleep(1)


async def endings(client: httpx.AsyncClient, ticket: str, askers: asyncio.Semaphore) -> list[str]:
    """How a job has ended, each time that it did."""
    async with askers:
        entries = (await insist(client, "GET", f"/api/jobs/{ticket}/history")).json()["items"]
    return [str(entry["event"]) for entry in entries if entry["event"] in ENDINGS]


async def open_letters(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    found, query = [], {"replayed": "false", "discarded": "false", "limit": "200"}
    while True:
        page = (await insist(client, "GET", "/api/dead-letters", params=query)).json()
        found += page["items"]
        if not page.get("cursor"):
            return found
        query["cursor"] = page["cursor"]


async def messages(connection: str) -> dict[str, int]:
    """How many messages each queue of the account holds, also those that are hidden; empty queues left out."""
    async with QueueServiceClient.from_connection_string(connection) as service:
        depths = {}
        async for queue in service.list_queues():
            found = await service.get_queue_client(queue.name).get_queue_properties()
            depths[queue.name] = found.approximate_message_count
    return {name: depth for name, depth in depths.items() if depth}


async def quiet(scene: Scene) -> None:
    """Wait until no queue holds a message: twice in a row, for one in hand may be put back."""
    calm = 0
    while calm < 2:
        calm = 0 if await messages(scene.storage.connection_string) else calm + 1
        await asyncio.sleep(1)


async def test_every_ticket_has_one_outcome_and_nothing_is_left(scene: Scene) -> None:
    dice, askers, began = random.Random(SEED), asyncio.Semaphore(ASKERS), time.monotonic()
    tickets: list[str] = []
    wrongs: Counter[str] = Counter()
    rounds = max(3, JOBS // ROUND)
    for number in range(rounds):
        chosen = range(number * JOBS // rounds, (number + 1) * JOBS // rounds)
        posts = [post(dice.choice(scene.clients), n) for n in chosen]
        wrong, *more = await asyncio.gather(disturb(scene, number, rounds, dice), *posts)
        wrongs[wrong] += 1
        tickets += more
    assert len(set(tickets)) == JOBS
    disturbed = time.monotonic() - began
    print(f"\nsoak: {JOBS} jobs posted, seed {SEED}, in {disturbed:.0f} s: {dict(wrongs)}", flush=True)
    async with asyncio.timeout(PATIENCE):
        client = scene.clients[0]
        ended = await asyncio.gather(*(seen_to_its_end(client, ticket, askers) for ticket in tickets))
        print(f"soak: {dict(Counter(ended))} after {time.monotonic() - began - disturbed:.0f} s more", flush=True)
        await quiet(scene)
        outcomes = await asyncio.gather(*(endings(client, ticket, askers) for ticket in tickets))
        letters = await open_letters(client)
    print(f"soak: quiet after {time.monotonic() - began - disturbed:.0f} s, {len(letters)} open letters", flush=True)
    expected = ["failed" if kind_of(n)[0] == "fails" else "completed" for n in range(JOBS)]
    assert ended == expected, letters
    assert outcomes == [[end] for end in expected]
    guilty = sorted(ticket for ticket, end in zip(tickets, expected, strict=True) if end == "failed")
    assert sorted(str(letter["job_id"]) for letter in letters) == guilty, letters
    assert {letter["reason"] for letter in letters} == {"final"}
