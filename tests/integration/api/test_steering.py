"""Cancelling, retrying, pausing; lists, histories and explanations."""

from __future__ import annotations

import asyncio
import time
import uuid
from datetime import UTC, datetime

import httpx

from shared.adapters.opening import open_queues
from shared.declarations import settings_of
from support.azurite import AzuriteProcess
from support.tickets import Desk


async def codes(desk: Desk, job_id: str) -> list[str]:
    return [reason["code"] for reason in (await desk.explain(job_id))["reasons"]]


async def events(desk: Desk, job_id: str) -> list[str]:
    answer = await desk.http.get(f"/api/jobs/{job_id}/history")
    assert answer.status_code == 200
    return [entry["event"] for entry in answer.json()["items"]]


async def test_a_queued_job_is_cancelled_before_it_runs(desk: Desk) -> None:
    waiting = await desk.ticket("echo", payload={"text": "x"}, not_before=_soon(5))
    answer = await desk.http.post(f"/api/jobs/{waiting}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    await asyncio.sleep(7)
    assert await events(desk, waiting) == ["submitted", "cancelled"]
    assert await codes(desk, waiting) == ["cancelled"]


async def test_a_running_job_stops_at_its_next_checkpoint(desk: Desk) -> None:
    job_id = await desk.ticket("steps", payload={"steps": 1000, "seconds": 0.3})
    await desk.until(job_id, "running")
    answer = await desk.http.post(f"/api/jobs/{job_id}/cancel")
    assert (answer.status_code, answer.json()["cancel_requested"]) == (202, True)
    assert int(answer.headers["retry-after"]) >= 1
    job = await desk.until(job_id)  # whose steps would take five minutes
    assert job["status"] == "cancelled"
    assert (await events(desk, job_id))[-2:] == ["cancel requested", "cancelled"]
    assert (await desk.http.post(f"/api/jobs/{job_id}/cancel")).status_code == 409


async def test_a_failed_job_is_tried_again(desk: Desk) -> None:
    job_id = await desk.ticket("fails", payload={"until_replays": 2})
    job = await desk.until(job_id)
    assert (job["status"], job["error"]["type"]) == ("failed", "FinalError")
    assert await codes(desk, job_id) == ["failed"]
    for _ in range(2):
        answer = await desk.http.post(f"/api/jobs/{job_id}/retry")
        assert (answer.status_code, answer.json()["job_id"]) == (202, job_id)
        assert answer.headers["location"] == f"{desk.app.url}/api/jobs/{job_id}"
        job = await desk.until(job_id)
    assert (job["status"], job["results"], job["replays"]) == ("completed", "mended", 2)
    letters = (await desk.http.get("/api/dead-letters", params={"job_id": job_id})).json()["items"]
    assert [letter["replays"][0]["by"] for letter in letters] == ["retry", "retry"]
    assert (await events(desk, job_id)).count("replayed") == 2


async def test_only_what_failed_is_tried_again(desk: Desk) -> None:
    completed = await desk.ticket("echo", payload={"text": "x"})
    cancelled = await desk.ticket("echo", payload={"text": "x"}, not_before=_soon(60))
    queued = await desk.ticket("echo", payload={"text": "x"}, not_before=_soon(60))
    await desk.until(completed)
    await desk.http.post(f"/api/jobs/{cancelled}/cancel")
    for job_id, says in ((completed, "completed"), (cancelled, "anew"), (queued, "queued")):
        answer = await desk.http.post(f"/api/jobs/{job_id}/retry")
        assert (answer.status_code, says in answer.json()["detail"]) == (409, True)
    await desk.http.post(f"/api/jobs/{queued}/cancel")


async def test_a_list_is_paged_and_filtered(desk: Desk) -> None:
    since = datetime.now(UTC).isoformat()
    tickets = [await desk.ticket("echo", payload={"text": f"{n}"}) for n in range(7)]
    for job_id in tickets:
        await desk.until(job_id)
    failed = await desk.ticket("fails", payload={})
    await desk.until(failed)

    async def page(**params: str | int) -> httpx.Response:
        answer = await desk.http.get("/api/jobs", params={"since": since, **params})
        assert answer.status_code == 200, answer.text
        return answer

    await _until_indexed(desk, failed)
    found: list[str] = []
    cursor: str | None = None
    pages = 0
    while pages == 0 or cursor:
        content = (await page(kind="echo", limit=3, **({"cursor": cursor} if cursor else {}))).json()
        found += [item["job_id"] for item in content["items"]]
        cursor, pages = content["cursor"], pages + 1
    assert (found, pages) == (tickets[::-1], 3)
    (item,) = (await page(status="failed")).json()["items"]
    assert (item["job_id"], item["error"]["type"]) == (failed, "FinalError")
    assert (await page(kind="fails", status="completed")).json() == {"items": [], "cursor": None}
    assert (await page(until=since)).json()["items"] == []
    for params in ({"status": "lost"}, {"limit": 0}, {"since": "yesterday"}):
        assert (await desk.http.get("/api/jobs", params=params)).status_code == 422


async def test_a_paused_kind_waits_and_spends_no_attempt(desk: Desk) -> None:
    answer = await desk.http.post("/api/kinds/apart/pause", json={"reason": "the shop moves"})
    assert (answer.status_code, answer.json()["paused"], answer.json()["reason"]) == (200, True, "the shop moves")
    kinds = (await desk.http.get("/api/kinds")).json()["items"]
    assert [kind["kind"] for kind in kinds if kind["paused"]] == ["apart"]
    job_id = await desk.ticket("apart", payload={"text": "x"})
    explanation = await desk.explain(job_id)
    assert explanation["reasons"][0]["code"] == "paused"
    assert "the shop moves" in explanation["summary"]
    assert explanation["estimated_seconds"] >= 30
    answer = await desk.http.post("/api/kinds/apart/resume")
    assert (answer.json()["paused"], "reason" in answer.json()) == (False, False)
    assert "paused" not in await codes(desk, job_id)


async def test_pausing_what_is_not_there(desk: Desk) -> None:
    for verb in ("pause", "resume"):
        assert (await desk.http.post(f"/api/kinds/unheard-of/{verb}")).status_code == 404
    assert (await desk.http.post("/api/kinds/echo/pause", json={"why": "x"})).status_code == 422


async def test_a_lost_message_is_named_and_sent_again(desk: Desk, azurite: AzuriteProcess) -> None:
    """A job on a queue that nothing serves, whose message is taken away."""
    key = uuid.uuid4().hex
    job_id = await desk.ticket("apart", payload={"text": key})
    queues = open_queues(settings_of({"AzureWebJobsStorage": azurite.connection_string}))
    for message in await queues.receive("apart-queue"):
        await queues.delete("apart-queue", message)
    await queues.close()
    deadline = time.monotonic() + 120
    seen: set[str] = set()
    while "resent" not in await events(desk, job_id):
        seen.update(await codes(desk, job_id))
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
    assert seen & {"backlog", "starting", "message_lost"}
    await desk.http.post(f"/api/jobs/{job_id}/cancel")


async def _until_indexed(desk: Desk, job_id: str) -> None:
    deadline = time.monotonic() + 120
    while True:
        items = (await desk.http.get("/api/jobs", params={"kind": "fails"})).json()["items"]
        if any(item["job_id"] == job_id and item["status"] == "failed" for item in items):
            return
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


def _soon(seconds: float) -> str:
    return datetime.fromtimestamp(time.time() + seconds, UTC).isoformat()
