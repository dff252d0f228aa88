"""Completion callbacks over real HTTP: signed, retried, final where the receiver says so, replayable."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from support.azurite import AzuriteProcess
from support.tickets import SECRET, Desk, open_desk

Answer = Callable[[int], web.Response]


@dataclass
class Receiver:
    """A server of somebody who wants to know."""

    port: int = 0
    got: dict[str, list[tuple[dict[str, str], bytes]]] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)

    def url(self, path: str, answer: Answer | None = None) -> str:
        if answer:
            self.answers[path] = answer
        return f"http://127.0.0.1:{self.port}{path}"

    async def answer(self, request: web.Request) -> web.Response:
        calls = self.got.setdefault(request.path, [])
        calls.append(({name.lower(): value for name, value in request.headers.items()}, await request.read()))
        answer = self.answers.get(request.path)
        return answer(len(calls)) if answer else web.Response(status=204)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.port = runner.addresses[0][1]
    yield receiver
    await runner.cleanup()


async def told(desk: Desk, job_id: str) -> dict[str, Any]:
    """The callback's job of a job, once both have ended."""
    await desk.until(job_id)
    deadline = time.monotonic() + 120
    while "callback_job_id" not in (job := await desk.job(job_id)):
        assert time.monotonic() < deadline, job
        await asyncio.sleep(0.05)
    return await desk.until(job["callback_job_id"])


def verify(headers: dict[str, str], body: bytes) -> None:
    """As a receiver does, by the words of the specification."""
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 60


async def test_an_outcome_is_told_once_and_signed(desk: Desk, receiver: Receiver) -> None:
    url = receiver.url("/done")
    job_id = await desk.ticket("echo", payload={"text": "caf\xe9"}, callback_url=url)
    callback = await told(desk, job_id)
    assert (callback["status"], callback["results"]) == ("completed", {"status": 204})
    ((headers, body),) = receiver.got["/done"]
    verify(headers, body)
    assert headers["webhook-id"] == callback["job_id"]
    assert headers["content-type"] == "application/json"
    content = json.loads(body)
    job = await desk.job(job_id)
    assert (content["type"], content["timestamp"]) == ("job.completed", job["finished_at"])
    assert content["data"]["job_id"] == job_id
    assert content["data"]["results"] == {"said": "caf\xe9", "attempt": 1}
    assert set(content) == {"type", "timestamp", "data"}


async def test_failures_and_cancellations_are_told_too(desk: Desk, receiver: Receiver) -> None:
    failed = await desk.ticket("fails", payload={"until_replays": 1}, callback_url=receiver.url("/failed"))
    await told(desk, failed)
    first = json.loads(receiver.got["/failed"][0][1])
    assert (first["type"], first["data"]["error"]["type"]) == ("job.failed", "FinalError")
    await desk.http.post(f"/api/jobs/{failed}/retry")
    await told(desk, failed)
    assert [json.loads(body)["type"] for _, body in receiver.got["/failed"]] == ["job.failed", "job.completed"]
    assert len({headers["webhook-id"] for headers, _ in receiver.got["/failed"]}) == 2

    start = "2099-01-01T00:00:00Z"
    assert (await desk.submit("echo", payload={"text": "x"}, not_before=start)).status_code == 422
    running = await desk.ticket("steps", payload={"steps": 100}, callback_url=receiver.url("/cancelled"))
    await desk.until(running, "running")
    await desk.http.post(f"/api/jobs/{running}/cancel")
    await told(desk, running)
    ((_, body),) = receiver.got["/cancelled"]
    assert json.loads(body)["type"] == "job.cancelled"


async def test_what_is_not_accepted_is_tried_again(desk: Desk, receiver: Receiver) -> None:
    url = receiver.url("/flaky", lambda times: web.Response(status=500 if times < 3 else 200))
    callback = await told(desk, await desk.ticket("echo", payload={"text": "x"}, callback_url=url))
    assert (callback["status"], callback["attempt"]) == ("completed", 3)
    calls = receiver.got["/flaky"]
    assert len({headers["webhook-id"] for headers, _ in calls}) == 1
    assert len({body for _, body in calls}) == 1
    for headers, body in calls:
        verify(headers, body)


async def test_a_redirect_is_not_followed(desk: Desk, receiver: Receiver) -> None:
    url = receiver.url("/moved", lambda _: web.Response(status=302, headers={"Location": "/elsewhere"}))
    callback = await told(desk, await desk.ticket("echo", payload={"text": "x"}, callback_url=url))
    assert callback["status"] == "failed"
    assert "302" in callback["error"]["message"]
    assert "/elsewhere" not in receiver.got


async def test_gone_is_final_and_can_be_replayed(desk: Desk, receiver: Receiver) -> None:
    url = receiver.url("/gone", lambda times: web.Response(status=410 if times < 2 else 200))
    callback = await told(desk, await desk.ticket("echo", payload={"text": "x"}, callback_url=url))
    assert (callback["status"], callback["attempt"], callback["error"]["type"]) == ("failed", 1, "FinalError")
    answer = await desk.http.post(f"/api/dead-letters/{callback['dead_letter_id']}/replay")
    assert answer.status_code == 202
    callback = await desk.until(callback["job_id"], "completed")
    (first, body), (second, again) = receiver.got["/gone"]
    assert (first["webhook-id"], body) == (second["webhook-id"], again)


async def test_a_redirected_or_resolved_private_address_is_refused_when_it_connects(
    azurite: AzuriteProcess, unique: str, tmp_path: Any, receiver: Receiver
) -> None:
    """What was on the list when it was submitted, and is not any more when it is told."""
    async with open_desk(azurite.connection_string, unique, tmp_path) as desk:
        job_id = await desk.ticket("steps", payload={"steps": 5, "seconds": 1}, callback_url=receiver.url("/x"))
        await desk.until(job_id, "running")
        await desk.app.kill()
        desk.app._environ["FETCH_ALLOWED_HOSTS"] = ""
        desk.app._environ["DEVHOST_MESSAGE_LEASE_SECONDS"] = "3"
        await desk.app.start()
        callback = await told(desk, job_id)
    assert (callback["status"], callback["attempt"]) == ("failed", 1)
    assert callback["error"]["type"] == "AddressRefusedError"
    assert receiver.got == {}


async def test_without_a_secret_no_callback_is_taken(azurite: AzuriteProcess, unique: str, tmp_path: Any) -> None:
    async with open_desk(azurite.connection_string, unique, tmp_path, WEBHOOK_SECRET="") as desk:
        answer = await desk.submit("echo", payload={"text": "x"}, callback_url="https://example.org/")
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert (error["field"], "WEBHOOK_SECRET" in error["message"]) == ("callback_url", True)
