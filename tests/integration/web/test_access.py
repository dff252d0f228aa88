"""Access to the running app over real HTTP: operators, sizes, rates, preflights and headers."""

from __future__ import annotations

import asyncio
import json
import uuid
from base64 import b64encode
from collections.abc import AsyncIterator

import httpx
import pytest

from support.azurite import AzuriteProcess
from support.tickets import Desk, open_desk

KEY = "an operator's key of these tests"
OID = "11111111-2222-3333-4444-555555555555"


@pytest.fixture(scope="module")
async def desk(azurite: AzuriteProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """An app as in Azure: with an operator's key, and App Service authentication on."""
    environ = {
        "NIGHTSHIFT_OPERATOR_KEY": KEY, "WEBSITE_INSTANCE_ID": "1", "WEBSITE_AUTH_ENABLED": "true", "RATE_ANONYMOUS": "5",
    }  # fmt: skip
    folder = tmp_path_factory.mktemp("access")
    async with open_desk(azurite.connection_string, f"t{uuid.uuid4().hex}", folder, **environ) as opened:
        yield opened


def signed_in(role: str) -> dict[str, str]:
    claims = [{"typ": "roles", "val": role}, {"typ": "oid", "val": OID}]
    content = {"auth_typ": "aad", "role_typ": "roles", "claims": claims}
    return {"X-MS-CLIENT-PRINCIPAL": b64encode(json.dumps(content).encode()).decode()}


async def test_only_an_operator_pauses_a_kind(desk: Desk) -> None:
    for headers in ({}, {"x-functions-key": "a client's"}, signed_in("Reader")):
        answer = await desk.http.post("/api/kinds/apart/pause", headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
        assert answer.json()["detail"] == "this needs the operator's key or the role Nightshift.Operator"
    for headers in ({"x-functions-key": KEY}, signed_in("Nightshift.Operator")):
        assert (await desk.http.post("/api/kinds/apart/pause", headers=headers)).status_code == 200
        assert (await desk.http.post(f"/api/kinds/apart/resume?code={KEY}")).status_code == 200


async def test_a_client_sees_jobs_but_not_what_somebody_sent(desk: Desk) -> None:
    job_id = await desk.ticket("fails", payload={})
    job = await desk.until(job_id, "failed")
    for path in (f"dead-letters/{job['dead_letter_id']}", f"jobs/{job_id}/payload"):
        assert (await desk.http.get(f"/api/{path}")).status_code == 403
        assert (await desk.http.get(f"/api/{path}", headers={"x-functions-key": KEY})).status_code == 200
    letters = (await desk.http.get("/api/dead-letters")).json()["items"]
    assert letters
    assert not any("payload" in letter for letter in letters)


async def test_who_replayed_a_job_is_in_its_history_and_in_the_vault(desk: Desk) -> None:
    job = await desk.until(await desk.ticket("fails", payload={"until_replays": 1}), "failed")
    letter = f"/api/dead-letters/{job['dead_letter_id']}"
    assert (await desk.http.post(f"{letter}/replay", headers=signed_in("Nightshift.Operator"))).status_code == 202
    await desk.until(job["job_id"], "completed")
    history = (await desk.http.get(f"/api/jobs/{job['job_id']}/history")).json()["items"]
    assert f"principal {OID}" in [entry.get("detail") for entry in history]
    kept = (await desk.http.get(letter, headers={"x-functions-key": KEY})).json()
    assert [replay["by"] for replay in kept["replays"]] == [f"principal {OID}"]
    assert "function=ReplayDeadLetter by=principal" in desk.app.output()
    assert KEY not in desk.app.output()


async def test_who_cancelled_a_job_is_in_its_history(desk: Desk) -> None:
    job_id = await desk.ticket("steps", payload={"steps": 500, "seconds": 0.05})
    answer = await desk.http.post(f"/api/jobs/{job_id}/cancel", headers={"x-functions-key": KEY})
    assert answer.status_code in (200, 202)
    await desk.until(job_id, "cancelled")
    history = (await desk.http.get(f"/api/jobs/{job_id}/history")).json()["items"]
    assert "operator key" in [entry.get("detail") for entry in history]


async def test_a_discarded_dead_letter_is_left_out_and_can_still_be_replayed(desk: Desk) -> None:
    operator = {"x-functions-key": KEY}
    job = await desk.until(await desk.ticket("fails", payload={"until_replays": 1}), "failed")
    path = f"/api/dead-letters/{job['dead_letter_id']}"
    assert (await desk.http.post(f"{path}/discard", json={"reason": " "}, headers=operator)).status_code == 422
    for _ in range(2):
        answer = await desk.http.post(f"{path}/discard", json={"reason": "a test"}, headers=operator)
        assert (answer.status_code, answer.json()["discarded"]["reason"]) == (200, "a test")
    open_ones = (await desk.http.get("/api/dead-letters", params={"discarded": "false"})).json()["items"]
    assert job["dead_letter_id"] not in [letter["id"] for letter in open_ones]
    answer = await desk.http.post("/api/dead-letters/replay", json={"dry_run": True}, headers=operator)
    assert job["dead_letter_id"] not in [result["dead_letter_id"] for result in answer.json()["results"]]
    assert (await desk.http.post(f"{path}/replay", headers=operator)).status_code == 202
    await desk.until(job["job_id"], "completed")
    job = await desk.until(await desk.ticket("fails", payload={"until_replays": 1}), "failed")
    path = f"/api/dead-letters/{job['dead_letter_id']}"
    await desk.http.post(f"{path}/replay", headers=operator)
    assert (await desk.http.post(f"{path}/discard", json={"reason": "late"}, headers=operator)).status_code == 409


async def test_a_large_body_is_refused_before_it_is_read(desk: Desk) -> None:
    answer = await desk.http.put("/api/users/ann", content=b"{" * (64 * 1024 + 1))
    assert (answer.status_code, answer.json()["title"]) == (413, "Content too large")
    assert (await desk.http.put("/api/users/ann", content=b"{" * 64 * 1024)).status_code == 400


async def test_who_asks_too_often_is_told_when_to_come_back(desk: Desk) -> None:
    answers = await asyncio.gather(*(desk.http.get("/api/health") for _ in range(100)))
    assert {answer.status_code for answer in answers} == {200, 429}
    assert {answer.headers["retry-after"] for answer in answers if answer.status_code == 429} == {"1"}
    elsewhere = {"X-Forwarded-For": "1.2.3.4, 203.0.113.7:1234"}
    assert (await desk.http.get("/api/health", headers=elsewhere)).status_code == 200
    assert (await desk.http.get("/api/kinds")).status_code == 200  # another class of routes


@pytest.mark.parametrize("path", ["kinds", "jobs/echo", "dead-letters/replay", "taste/feedback"])
async def test_a_preflight_gets_no_leave(desk: Desk, path: str) -> None:
    asks = {
        "Origin": "https://elsewhere.example", "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-functions-key",
    }  # fmt: skip
    answer = await desk.http.options(f"/api/{path}", headers=asks)
    assert answer.status_code == 404
    assert not allowed(answer)


async def test_answers_are_for_no_other_origin_and_nothing_in_them_runs(desk: Desk) -> None:
    for method, path in (("GET", "kinds"), ("GET", "jobs/x"), ("POST", "kinds/echo/pause"), ("POST", "jobs/echo")):
        answer = await desk.http.request(method, f"/api/{path}", headers={"Origin": "https://elsewhere.example"})
        assert not allowed(answer)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"


def allowed(answer: httpx.Response) -> list[str]:
    return [name for name in answer.headers if name.lower().startswith("access-control-")]
