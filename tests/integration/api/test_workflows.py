"""Workflows over HTTP, in the real app: started, drawn, explained, mended, told of events, cancelled."""

from __future__ import annotations

import asyncio
import sys
import time
from asyncio.subprocess import PIPE, STDOUT
from typing import Any

from support.running import REPOSITORY
from support.tickets import Desk


async def start(desk: Desk, **payload: Any) -> str:
    answer = await desk.http.post("/api/workflows/letter", json={"payload": payload})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["job_id"])


async def graph(desk: Desk, job_id: str) -> dict[str, Any]:
    answer = await desk.http.get(f"/api/jobs/{job_id}/graph")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def until(desk: Desk, job_id: str, **states: str) -> dict[str, Any]:
    """The run's steps by name, once these are in these states."""
    deadline = time.monotonic() + 90
    while True:
        steps = {step["name"]: step for step in (await graph(desk, job_id))["steps"]}
        if all(steps[name]["state"] == state for name, state in states.items()):
            return steps
        assert time.monotonic() < deadline, steps
        await asyncio.sleep(0.05)


async def test_what_there_is(desk: Desk) -> None:
    items = (await desk.http.get("/api/workflows")).json()["items"]
    (letter,) = [item for item in items if item["workflow"] == "letter"]
    assert [(step["name"], step["sort"], step["after"]) for step in letter["steps"]] == [
        ("write", "each", []), ("check", "job", ["write"]), ("signature", "wait", ["check"]),
        ("post", "job", ["signature"]), ("regret", "job", ["check"]),
    ]  # fmt: skip
    refused = await desk.http.post("/api/workflows/echo", json={"payload": {"text": "no"}})
    assert refused.status_code == 404
    refused = await desk.http.post("/api/workflows/letter", json={"payload": {}})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == "payload.lines"


async def test_a_run_waits_for_its_event_and_goes_on(desk: Desk) -> None:
    job_id = await start(desk, lines=["one", "two", "three"])
    steps = await until(desk, job_id, signature="running")
    assert steps["write"]["items"] == {"total": 3, "completed": 3, "failed": 0, "under_way": 0, "errors": []}
    assert steps["check"]["job_id"]
    assert steps["regret"]["state"] == "skipped"
    assert steps["signature"]["waits_for"] == "waits for the event 'signature'"
    waiting = await desk.job(job_id)
    assert waiting["progress"] == {"step": "signature", "completed": 3, "total": 5}
    assert waiting["suspended_at"]
    reasons = (await desk.explain(job_id))["reasons"]
    assert [reason["code"] for reason in reasons] == ["children", "workflow_step", "workflow_step"]
    assert reasons[1]["text"] == "Step signature waits for the event 'signature'."
    assert reasons[2]["text"] == "Step post waits for signature."
    drawn = await desk.http.get(f"/api/jobs/{job_id}/graph", headers={"Accept": "text/vnd.mermaid"})
    assert drawn.headers["content-type"].startswith("text/vnd.mermaid")
    assert drawn.text.startswith('flowchart TD\n    s0[["write<br/>completed<br/>3 of 3"]]:::completed')
    assert "s1 -.-> s4" in drawn.text
    sent = await desk.http.post(f"/api/jobs/{job_id}/events/signature", json={"content": "ann"})
    assert (sent.status_code, sent.json()["first"]) == (202, True)
    again = await desk.http.post(f"/api/jobs/{job_id}/events/signature", json={"content": "ben"})
    assert (again.json()["first"], again.json()["job_id"]) == (False, sent.json()["job_id"])
    ended = await desk.until(job_id)
    assert ended["results"]["outcome"] == "completed"
    posted = await desk.job((await graph(desk, job_id))["steps"][3]["job_id"])
    assert (posted["results"]["said"], posted["parent_id"], posted["part"]) == ("ann", job_id, "post")
    late = await desk.http.post(f"/api/jobs/{job_id}/events/signature", json={"content": "cora"})
    assert late.status_code == 409


async def test_a_failed_step_is_mended_and_the_run_is_taken_up(desk: Desk) -> None:
    job_id = await start(desk, lines=["one"], until_replays=1)
    await desk.http.post(f"/api/jobs/{job_id}/events/signature", json={"content": "early"})
    failed = await desk.until(job_id)
    assert failed["error"]["message"] == "step check failed: FinalError: on purpose"
    steps = await until(desk, job_id, regret="completed")
    assert steps["post"]["reason"] == "signature was skipped"
    retried = await desk.http.post(f"/api/jobs/{steps['check']['job_id']}/retry")
    assert retried.status_code == 202, retried.text
    ended = await desk.until(job_id, "completed")
    assert ended["results"]["steps"] == {
        "write": "completed", "check": "completed", "signature": "completed", "post": "completed", "regret": "completed",
    }  # fmt: skip
    assert ended["replays"] == 1


async def test_a_run_is_cancelled_while_it_waits(desk: Desk) -> None:
    job_id = await start(desk, lines=["one"])
    await until(desk, job_id, signature="running")
    assert (await desk.http.post(f"/api/jobs/{job_id}/cancel")).status_code in (200, 202)
    assert (await desk.until(job_id))["status"] == "cancelled"
    assert (await graph(desk, job_id))["outcome"] == "cancelled"


async def shell(desk: Desk, *words: str) -> tuple[int, str]:
    """What `dev.py` says, and its exit code."""
    command = (sys.executable, "dev.py", *words, "--url", desk.app.url)
    process = await asyncio.create_subprocess_exec(*command, cwd=REPOSITORY, stdout=PIPE, stderr=STDOUT)
    said, _ = await process.communicate()
    return process.returncode or 0, said.decode()


async def test_from_a_shell(desk: Desk) -> None:
    code, said = await shell(desk, "workflow")
    assert code == 0
    assert "letter" in said
    assert "write, check, signature, post, regret" in said
    run = await start(desk, lines=["one"])
    await until(desk, run, signature="running")
    code, said = await shell(desk, "workflow", run)
    assert (code, "signature  running  waits for the event 'signature'" in said) == (4, True), said
    code, said = await shell(desk, "event", run, "signature", '"ann"')
    assert (code, said.strip()) == (0, "taken in")
    code, said = await shell(desk, "workflow", run, "--watch")
    assert (code, "post: completed" in said) == (0, True), said


async def test_a_job_that_is_no_run_has_no_graph(desk: Desk) -> None:
    job_id = await desk.ticket("echo", payload={"text": "no run"})
    assert (await desk.http.get(f"/api/jobs/{job_id}/graph")).status_code == 404
    assert (await desk.http.post(f"/api/jobs/{job_id}/events/x", json={})).status_code == 404
    assert (await desk.http.post(f"/api/jobs/{job_id}/renew")).status_code == 404
