"""Polling: cheap for who holds the answer, held for who wants to wait, and never an error for many at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from shared.api.jobs import get_job
from shared.jobs.testing import Faults
from support.azurite import AzuriteProcess
from support.calls import call
from support.lab import Lab, close_lab, open_lab
from support.tickets import Desk

CLIENTS = 200
JOBS = 50


@pytest.fixture
async def lab(azurite: AzuriteProcess, unique: str, tmp_path: Path) -> AsyncIterator[Lab]:
    opened = await open_lab(azurite.connection_string, unique, tmp_path)
    yield opened
    await close_lab(opened)


async def test_polling_a_finished_job_costs_one_storage_call(lab: Lab) -> None:
    job = await lab.run(n=1)
    etag = (await lab.engine.get(job.job_id)).etag
    for headers, status in (({"if-none-match": etag}, 304), ({}, 200), ({"prefer": "wait=9"}, 200)):
        faults = Faults()
        answer = await get_job(lab.start(faults), call(job_id=job.job_id, headers=headers))
        assert (answer.status, faults.calls) == (status, ["blobs.read"])


async def test_polling_an_unfinished_job_looks_besides_it_once_in_a_while(lab: Lab) -> None:
    ticket = await lab.submit()
    faults = Faults()
    app = lab.start(faults)
    for _ in range(20):
        answer = await get_job(app, call(job_id=ticket.job.job_id))
        assert int(answer.headers["Retry-After"]) >= 1
    assert len(faults.calls) == 20 + 3, faults.calls  # its kind's usual duration, its queue's age, whether it is paused


async def test_the_answer_says_whether_it_has_changed(desk: Desk) -> None:
    job_id = await desk.ticket("echo", payload={"text": "x"})
    await desk.until(job_id)
    first = await desk.http.get(f"/api/jobs/{job_id}")
    assert "retry-after" not in first.headers
    second = await desk.http.get(f"/api/jobs/{job_id}", headers={"If-None-Match": first.headers["etag"]})
    assert (second.status_code, second.content, second.headers["etag"]) == (304, b"", first.headers["etag"])


async def test_waiting_for_a_result_while_submitting(desk: Desk) -> None:
    answer = await desk.submit("echo", {"Prefer": "respond-async, wait=20"}, payload={"text": "now"})
    assert (answer.status_code, answer.headers["preference-applied"]) == (200, "wait=20")
    assert answer.json()["results"]["said"] == "now"
    assert answer.headers["location"].endswith(answer.json()["job_id"])


async def test_waiting_has_an_end(desk: Desk) -> None:
    started = time.monotonic()
    answer = await desk.submit("steps", {"Prefer": "wait=1"}, payload={"steps": 1000, "seconds": 1})
    assert (answer.status_code, answer.headers["preference-applied"]) == (202, "wait=1")
    assert 0.9 < time.monotonic() - started < 60  # the job takes a quarter of an hour
    job_id = answer.json()["job_id"]
    answer = await desk.http.get(f"/api/jobs/{job_id}", headers={"Prefer": "wait=1"})
    assert (answer.status_code, answer.json()["status"]) == (200, "running")
    assert 1 <= int(answer.headers["retry-after"]) <= 300
    await desk.http.post(f"/api/jobs/{job_id}/cancel")


async def test_waiting_ends_with_the_job(desk: Desk) -> None:
    job_id = await desk.ticket("steps", payload={"steps": 10, "seconds": 0.1})
    started = time.monotonic()
    answer = await desk.http.get(f"/api/jobs/{job_id}", headers={"Prefer": "wait=60"})
    assert (answer.json()["status"], answer.json()["results"]) == ("completed", 10)
    assert time.monotonic() - started < 50


async def test_what_no_job_is_called(desk: Desk) -> None:
    for job_id, status in (("01a20000-0000-7000-8000-000000000000", 404), ("seven", 400)):
        for suffix in ("", "/history", "/explain"):
            answer = await desk.http.get(f"/api/jobs/{job_id}{suffix}")
            assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
        for suffix in ("/cancel", "/retry"):
            answer = await desk.http.post(f"/api/jobs/{job_id}{suffix}")
            assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


async def test_two_hundred_clients_poll_fifty_jobs(desk: Desk) -> None:
    tickets = [await desk.ticket("steps", payload={"steps": 3, "seconds": 0.8}) for _ in range(JOBS)]
    statuses: list[int] = []

    async def client(http: aiohttp.ClientSession, job_id: str) -> str:
        headers: dict[str, str] = {}
        while True:
            async with http.get(f"{desk.app.url}/api/jobs/{job_id}", headers=headers) as answer:
                statuses.append(answer.status)
                if answer.status == 200:
                    headers = {"If-None-Match": answer.headers["ETag"]}
                    if (await answer.json())["status"] == "completed":
                        return job_id
            await asyncio.sleep(0.2)

    # Not httpx, which takes longer to find a connection among hundreds than the app to answer.
    connections = aiohttp.TCPConnector(limit=CLIENTS)
    async with asyncio.timeout(120), aiohttp.ClientSession(connector=connections) as http:
        seen = await asyncio.gather(*(client(http, tickets[n % JOBS]) for n in range(CLIENTS)))
    assert len(seen) == CLIENTS
    assert set(statuses) <= {200, 304}
    assert statuses.count(304) > 0


async def test_a_failure_says_where_it_was_raised_and_shows_no_value(desk: Desk) -> None:
    job = await desk.until(await desk.ticket("fails", payload={"until_replays": 987654321}), "failed")
    (frame,) = [each for each in job["error"]["frames"] if each["own"]]
    assert (frame["file"], frame["function"]) == ("tests/support/ticket_app.py", "fails")
    assert frame["line"] > 1
    assert "987654321" not in str(job["error"])
    listed = (await desk.http.get("/api/jobs", params={"ids": job["job_id"]})).json()["items"]
    assert listed[0]["error"] == {"type": "FinalError", "message": "on purpose", "attempt": 1}
