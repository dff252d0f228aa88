"""The app as its users meet it: over HTTP, under the host that `dev.py start` uses, with storage behind it."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from azure.core.exceptions import ResourceExistsError
from azure.storage.queue.aio import QueueServiceClient

from devtools.services import Service, app, free_ports
from support.azurite import AzuriteProcess

REPOSITORY = Path(__file__).parents[4]
PERSON = "person-whom-no-log-names"
SHIRT = {
    "title": "Minimalist black linen shirt",
    "brand": "COS",
    "category": "shirt",
    "colours": ["black"],
    "occasion": "work",
    "size": "M",
}
NAME = f"t{uuid.uuid4().hex}"
QUEUE = f"{NAME}-taste"
"""Of this app alone: other tests share the storage account."""


@dataclass
class Running:
    """The running app, seen from outside."""

    service: Service
    http: httpx.AsyncClient
    queues: QueueServiceClient
    log: Path

    async def feedback(self, **changes: Any) -> httpx.Response:
        body = {"user_id": PERSON, "item_id": "shirt-1", "signal": "up", "item": SHIRT, **changes}
        return await self.http.post("/api/taste/feedback", json=body)

    async def ended(self, job_id: str) -> dict[str, Any]:
        deadline = time.monotonic() + 120
        while True:
            job: dict[str, Any] = (await self.http.get(f"/api/jobs/{job_id}")).json()
            if job["status"] in ("completed", "failed", "cancelled"):
                return job
            assert time.monotonic() < deadline, job
            await asyncio.sleep(0.05)

    async def put(self, text: str, queue: str = QUEUE) -> None:
        """Put a message on a queue, which the app makes only when it first sends something."""
        client = self.queues.get_queue_client(queue)
        with suppress(ResourceExistsError):
            await client.create_queue()
        await client.send_message(text, time_to_live=-1)

    async def letters(self, count: int, **wanted: str) -> list[dict[str, Any]]:
        """The dead letters that fit, once there are so many."""
        deadline = time.monotonic() + 120
        while True:
            items: list[dict[str, Any]] = (await self.http.get("/api/dead-letters", params=wanted)).json()["items"]
            if len(items) >= count:
                return items
            assert time.monotonic() < deadline, items
            await asyncio.sleep(0.1)


@pytest.fixture(scope="module")
def service(azurite: AzuriteProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, Path]]:
    folder = tmp_path_factory.mktemp("app")
    settings = {
        "AzureWebJobsStorage": azurite.connection_string,
        "NIGHTSHIFT_SQLITE_PATH": str(folder / "documents.db"),
        "NIGHTSHIFT_STATUS_CONTAINER": NAME,
        "JOBS_HIGH_QUEUE_NAME": f"{NAME}-high",
        "JOBS_QUEUE_NAME": NAME,
        "JOBS_LOW_QUEUE_NAME": f"{NAME}-low",
        "TASTE_JOB_QUEUE_NAME": QUEUE,
        "TASTE_JOB_MAX_RETRIES": "1",
        "TASTE_JOB_BASE_BACKOFF_SECONDS": "0",
        "TASTE_JOB_JITTER_SECONDS": "0",
        "JOBS_SWEEP_SCHEDULE": "*/2 * * * * *",
        "JOBS_SWEEP_GRACE_SECONDS": "2",
    }
    with app(settings, free_ports(1)[0], folder / "host.log") as running:
        yield running, folder / "host.log"


@pytest.fixture
async def running(service: tuple[Service, Path], azurite: AzuriteProcess) -> AsyncIterator[Running]:
    queues = QueueServiceClient.from_connection_string(azurite.connection_string)
    async with httpx.AsyncClient(base_url=service[0].address, timeout=60) as http, queues:
        yield Running(service[0], http, queues, service[1])


async def test_feedback_becomes_a_ticket_and_the_ticket_a_profile(running: Running) -> None:
    user = "first-person"
    answer = await running.feedback(user_id=user)
    ticket = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == ticket["status_url"] == f"{running.http.base_url}/api/jobs/{ticket['job_id']}"
    assert int(answer.headers["retry-after"]) >= 1
    assert ticket["status"] == "queued"

    job = await running.ended(ticket["job_id"])
    assert job["status"] == "completed"
    assert job["results"]["facets"]["colour"] == ["black"]

    again = await running.feedback(user_id=user)
    assert (again.status_code, again.json()["job_id"], again.json()["duplicate"]) == (202, ticket["job_id"], True)

    profile = await running.http.get(f"/api/taste/{user}")
    facets = profile.json()["facets"]
    assert [facets[name][0]["value"] for name in ("colour", "brand", "occasion", "size")] == [
        "black",
        "cos",
        "work",
        "m",
    ]
    assert profile.json()["evidence"] | {"oldest": None, "newest": None} == {
        "ups": 1, "downs": 0, "items": 1, "oldest": None, "newest": None,
    }  # fmt: skip
    same = await running.http.get(f"/api/taste/{user}", headers={"If-None-Match": profile.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")


async def test_a_poll_that_holds_the_latest_answer_gets_304(running: Running) -> None:
    ticket = (await running.feedback(item_id="polled")).json()
    await running.ended(ticket["job_id"])
    first = await running.http.get(f"/api/jobs/{ticket['job_id']}")
    second = await running.http.get(f"/api/jobs/{ticket['job_id']}", headers={"If-None-Match": first.headers["etag"]})
    assert (first.status_code, second.status_code, second.content) == (200, 304, b"")


async def test_a_changed_mind_is_news_and_the_last_word_counts(running: Running) -> None:
    user = "changing-person"
    tickets = []
    for signal in ("up", "down", "up", "down"):
        ticket = (await running.feedback(user_id=user, signal=signal)).json()
        await running.ended(ticket["job_id"])
        tickets.append(ticket["job_id"])
    assert len(set(tickets)) == 4
    evidence = (await running.http.get(f"/api/taste/{user}")).json()["evidence"]
    assert (evidence["ups"], evidence["downs"], evidence["items"]) == (0, 1, 1)


async def test_a_user_can_be_forgotten(running: Running) -> None:
    user = "forgotten-person"
    await running.ended((await running.feedback(user_id=user)).json()["job_id"])
    assert (await running.http.delete(f"/api/taste/{user}")).status_code == 204
    assert (await running.http.get(f"/api/taste/{user}")).json()["evidence"]["items"] == 0


BAD: list[tuple[Any, int, list[str]]] = [
    (b"{", 400, []),
    (b"\xff\xfe", 400, []),
    (b"", 400, []),
    (b"[]", 400, []),
    (b'{"user_id": NaN}', 400, []),
    (b'"' + b"x" * (1024 * 1024) + b'"', 413, []),
    (b"[" * 100_000, 400, []),
    ({}, 422, ["user_id", "item_id", "signal"]),
    ({"user_id": ""}, 422, ["user_id"]),
    ({"user_id": 7}, 422, ["user_id"]),
    ({"user_id": "x" * 129}, 422, ["user_id"]),
    ({"user_id": "a/b"}, 422, ["user_id"]),
    ({"item_id": None}, 422, ["item_id"]),
    ({"signal": "sideways"}, 422, ["signal"]),
    ({"surprise": 1}, 422, ["surprise"]),
    ({"gallery_image_index": -1}, 422, ["gallery_image_index"]),
    ({"gallery_image_index": "2"}, 422, ["gallery_image_index"]),
    ({"item": {"title": "x" * 301}}, 422, ["item.title"]),
    ({"item": {"colours": "black"}}, 422, ["item.colours"]),
    ({"item": {"price": 3}}, 422, ["item.price"]),
    ({"image_url": "ftp://example.com/a.png"}, 422, ["image_url"]),
    ({"image_url": "file:///etc/passwd"}, 422, ["image_url"]),
    ({"image_url": "http://127.0.0.1/a.png"}, 422, ["image_url"]),
    ({"image_url": "http://2130706433/a.png"}, 422, ["image_url"]),
    ({"image_url": "http://[::ffff:10.0.0.1]/a.png"}, 422, ["image_url"]),
    ({"image_url": "http://169.254.169.254/metadata"}, 422, ["image_url"]),
    ({"image_url": "http://localhost:10000/a.png"}, 422, ["image_url"]),
]


@pytest.mark.parametrize(("body", "status", "fields"), BAD, ids=lambda value: str(value)[:40])
async def test_bad_feedback_is_a_problem_that_names_the_field(
    running: Running, body: Any, status: int, fields: list[str]
) -> None:
    if isinstance(body, dict):
        whole = {"user_id": "bad-person", "item_id": "i", "signal": "up"} | body if body else {}
        body = json.dumps(whole).encode()
    answer = await running.http.post("/api/taste/feedback", content=body)
    problem = answer.json()
    assert answer.status_code == problem["status"] == status
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert sorted(each["field"] for each in problem.get("errors", [])) == sorted(fields)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/jobs/not-a-uuid", 400),
        ("/api/jobs/01a2025f-a1e4-75c7-8939-9f40c7cac7d5", 404),
        ("/api/dead-letters/not-a-uuid", 400),
        ("/api/dead-letters/01a2025f-a1e4-75c7-8939-9f40c7cac7d5", 404),
        ("/api/dead-letters?limit=0", 422),
        ("/api/dead-letters?since=yesterday", 422),
        ("/api/dead-letters?reason=boredom", 422),
        ("/api/dead-letters?replayed=perhaps", 422),
        ("/api/taste/%20", 422),
    ],
)
async def test_bad_questions_are_problems(running: Running, path: str, status: int) -> None:
    answer = await running.http.get(path)
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("application/problem+json")


def envelope(payload: dict[str, Any], job_id: str) -> str:
    """A message as another producer would write it."""
    content = {
        "nightshift": 1, "kind": "taste-analysis", "job_id": job_id, "payload_version": 1, "payload": payload,
        "sent_at": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    return base64.b64encode(json.dumps(content).encode()).decode()


GOOD = {
    "user_id": "mended-person",
    "item_id": "i",
    "signal": "up",
    "occurred_at": "2026-01-01T00:00:00Z",
    "item": SHIRT,
}


async def test_a_broken_payload_ends_in_the_vault_and_runs_once_it_is_mended(running: Running) -> None:
    job_id = "01a2025f-0000-7000-8000-000000000001"
    broken = {name: value for name, value in GOOD.items() if name != "item_id"}
    await running.put(envelope(broken, job_id))
    (letter,) = await running.letters(1, job_id=job_id)
    assert (letter["reason"], letter["error"]["type"]) == ("final", "InvalidPayloadError")
    assert (await running.ended(job_id))["status"] == "failed"

    replay = f"/api/dead-letters/{letter['id']}/replay"
    unfit = await running.http.post(replay)
    assert (unfit.status_code, unfit.json()["errors"][0]["field"]) == (422, "payload.item_id")
    trial = await running.http.post(replay, json={"payload": GOOD, "dry_run": True})
    assert (trial.status_code, trial.json()["outcome"]) == (200, "would_replay")
    assert (await running.ended(job_id))["status"] == "failed"

    done = await running.http.post(replay, json={"payload": GOOD})
    assert done.status_code == 202
    assert (await running.ended(job_id))["status"] == "completed"
    kept = (await running.http.get(f"/api/dead-letters/{letter['id']}")).json()
    assert [(each["by"], each["edited"]) for each in kept["replays"]] == [("api", True)]
    assert (await running.http.post(replay, json={"payload": GOOD})).status_code == 409


async def test_the_text_in_the_vault_runs_the_job_when_it_is_pasted_on_the_queue(running: Running) -> None:
    job_id = "01a2025f-0000-7000-8000-000000000002"
    await running.put(envelope({**GOOD, "signal": "sideways"}, job_id))
    (letter,) = await running.letters(1, job_id=job_id)
    whole = (await running.http.get(f"/api/dead-letters/{letter['id']}")).json()
    content = json.loads(base64.b64decode(whole["message_text"]))
    content["payload"]["signal"] = "up"
    await running.put(base64.b64encode(json.dumps(content).encode()).decode(), whole["queue"])
    deadline = time.monotonic() + 120
    while (job := (await running.http.get(f"/api/jobs/{job_id}")).json())["status"] != "completed":
        assert time.monotonic() < deadline, job
        await asyncio.sleep(0.1)
    assert job["replays"] == 1
    kept = (await running.http.get(f"/api/dead-letters/{letter['id']}")).json()
    assert [each["by"] for each in kept["replays"]] == ["queue"]


@pytest.mark.parametrize("text", [base64.b64encode(b"\xff\x00 not an envelope").decode(), "plain <text> & no Base64!"])
async def test_garbage_is_kept_as_it_came(running: Running, text: str) -> None:
    await running.put(text)
    deadline = time.monotonic() + 120
    while True:
        items = (await running.http.get("/api/dead-letters", params={"reason": "unreadable"})).json()["items"]
        whole = [(await running.http.get(f"/api/dead-letters/{item['id']}")).json() for item in items]
        if text.encode() in [base64.b64decode(letter["body_base64"]) for letter in whole]:
            return
        assert time.monotonic() < deadline, whole
        await asyncio.sleep(0.2)


async def test_the_shell_replays_too(running: Running) -> None:
    job_id = "01a2025f-0000-7000-8000-000000000003"
    await running.put(envelope({**GOOD, "item_id": 7}, job_id))
    (letter,) = await running.letters(1, job_id=job_id)
    mended = running.log.with_name("mended.json")
    mended.write_text(json.dumps({**GOOD, "item_id": "seven"}), encoding="utf-8")
    command = [
        sys.executable,
        "dev.py",
        "replay",
        letter["id"],
        "--payload",
        str(mended),
        "--url",
        running.service.address,
    ]
    done = await asyncio.to_thread(subprocess.run, command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (await running.ended(job_id))["status"] == "completed"


async def test_dead_letters_come_in_pages(running: Running) -> None:
    for number in range(5):
        await running.put(envelope({"user_id": number}, f"01a2025f-0000-7000-8000-00000000010{number}"))
    await running.letters(5, kind="taste-analysis")
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = (
            await running.http.get("/api/dead-letters", params={"limit": 2} | ({"cursor": cursor} if cursor else {}))
        ).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) >= 5


async def test_no_log_line_names_a_person(running: Running) -> None:
    await running.ended((await running.feedback(item_id="another")).json()["job_id"])
    log = running.log.read_text(encoding="utf-8")
    assert "ProcessTasteAnalysisJob" in log
    assert PERSON not in log
    assert "mended-person" not in log
    assert "linen" not in log
