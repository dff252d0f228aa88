"""Submitting a public kind over HTTP: what is taken, what is refused, and what the ticket leads to."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from support.tickets import Desk


async def test_a_ticket_leads_to_its_job(desk: Desk) -> None:
    answer = await desk.submit("echo", payload={"text": "hello"})
    ticket = answer.json()
    assert (answer.status_code, ticket["status"], ticket["duplicate"]) == (202, "queued", False)
    assert answer.headers["location"] == ticket["status_url"] == f"{desk.app.url}/api/jobs/{ticket['job_id']}"
    assert 1 <= int(answer.headers["retry-after"]) <= 300
    job = await desk.until(ticket["job_id"])
    assert (job["status"], job["results"]) == ("completed", {"said": "hello", "attempt": 1})
    assert job["created_at"] <= job["started_at"] <= job["finished_at"]


@pytest.mark.parametrize("priority", ["high", "normal", "low"])
async def test_each_priority_has_a_queue_that_is_served(desk: Desk, priority: str) -> None:
    function = {"high": "ProcessJobsHigh", "normal": "ProcessJobs", "low": "ProcessJobsLow"}[priority]
    before = desk.app.output().count(f" {function}  ")
    job_id = await desk.ticket("echo", payload={"text": priority}, priority=priority)
    queue = {"high": f"{desk.prefix}-high", "normal": desk.prefix, "low": f"{desk.prefix}-low"}[priority]
    assert (await desk.explain(job_id))["queue"]["name"] == queue
    job = await desk.until(job_id)
    assert (job["status"], job["priority"]) == ("completed", priority)
    await asyncio.sleep(0.5)  # the host prints its line once the message is deleted
    assert desk.app.output().count(f" {function}  ") > before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "payload"),
        ({"payload": "text"}, "payload"),
        ({"payload": {}}, "payload.text"),
        ({"payload": {"text": 7}}, "payload.text"),
        ({"payload": {"text": "x", "more": 1}}, "payload.more"),
        ({"payload": {"text": "x"}, "more": 1}, "more"),
        ({"payload": {"text": "x"}, "priority": "urgent"}, "priority"),
        ({"payload": {"text": "x"}, "not_before": "tomorrow"}, "not_before"),
        ({"payload": {"text": "x"}, "dedupe_key": ""}, "dedupe_key"),
        ({"payload": {"text": "x"}, "callback_url": "ftp://example.org/"}, "callback_url"),
        ({"payload": {"text": "x"}, "callback_url": "http://10.0.0.1/"}, "callback_url"),
        ({"payload": {"text": "x"}, "callback_url": "http://localhost/"}, "callback_url"),
        ({"payload": {"text": "x"}, "callback_url": "http://2130706434/"}, "callback_url"),
        ({"payload": {"text": "x"}, "callback_url": "http://169.254.169.254/"}, "callback_url"),
    ],
)
async def test_what_does_not_fit_is_named(desk: Desk, body: dict[str, Any], field: str) -> None:
    answer = await desk.http.post("/api/jobs/echo", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert field in [each["field"] for each in answer.json()["errors"]]


@pytest.mark.parametrize(
    ("kind", "option"),
    [
        ("apart", {"priority": "high"}),
        ("apart", {"dedupe_key": "k"}),
        ("fails", {"dedupe_key": "k"}),
        ("steps", {"not_before": "2030-01-01T00:00:00Z"}),
    ],
)
async def test_an_option_that_a_kind_does_not_take_is_refused(desk: Desk, kind: str, option: dict[str, Any]) -> None:
    payload = {"steps": 1} if kind == "steps" else {} if kind == "fails" else {"text": "x"}
    answer = await desk.submit(kind, payload=payload, **option)
    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == list(option)


@pytest.mark.parametrize("kind", ["unheard-of", "inner", "webhook", "taste-prior"])
async def test_what_is_not_public_is_not_there(desk: Desk, kind: str) -> None:
    answer = await desk.submit(kind, payload={"text": "x"})
    assert (answer.status_code, answer.json()["title"]) == (404, "Not found")


async def test_bodies_that_are_no_json(desk: Desk) -> None:
    for content, status in ((b"", 400), (b"{", 400), (b"[]", 400), (b"\xff", 400), (b" " * (1024 * 1024 + 1), 413)):
        answer = await desk.http.post("/api/jobs/echo", content=content)
        assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


async def test_half_a_surrogate_pair_is_refused(desk: Desk) -> None:
    answer = await desk.http.post("/api/jobs/echo", content=b'{"payload": {"text": "\\ud800"}}')
    assert answer.status_code == 422, answer.text


async def test_a_start_in_the_future_is_kept(desk: Desk) -> None:
    start = datetime.now(UTC) + timedelta(seconds=2)
    job_id = await desk.ticket("echo", payload={"text": "later"}, not_before=start.isoformat())
    (reason,) = (await desk.explain(job_id))["reasons"]
    assert reason["code"] == "not_before"
    assert datetime.fromisoformat(reason["until"]) == start
    job = await desk.until(job_id)
    assert datetime.fromisoformat(job["started_at"]) >= start - timedelta(seconds=2.1)


async def test_a_start_more_than_a_week_ahead_is_refused(desk: Desk) -> None:
    start = datetime.now(UTC) + timedelta(days=7, minutes=1)
    answer = await desk.submit("echo", payload={"text": "x"}, not_before=start.isoformat())
    assert answer.status_code == 422


async def test_one_dedupe_key_gets_one_ticket(desk: Desk) -> None:
    key = uuid.uuid4().hex
    first = await desk.submit("echo", payload={"text": "one"}, dedupe_key=key)
    second = await desk.submit("echo", payload={"text": "two"}, dedupe_key=key)
    assert first.json()["job_id"] == second.json()["job_id"]
    assert (first.json()["duplicate"], second.json()["duplicate"]) == (False, True)
