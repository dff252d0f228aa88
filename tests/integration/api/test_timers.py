"""Timers over HTTP, in the running app."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.jobs.timers.schedule import Schedule
from support.azurite import AzuriteProcess
from support.tickets import Desk, open_desk

NAME = "RefreshTastePrior"


@pytest.fixture(scope="module")
async def desk(azurite: AzuriteProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    folder = tmp_path_factory.mktemp("timers")
    async with open_desk(azurite.connection_string, f"t{uuid.uuid4().hex}", folder) as opened:
        yield opened


async def run(desk: Desk, name: str = NAME, **body: Any) -> Any:
    return await desk.http.post(f"/api/timers/{name}/run", json=body)


async def occurrences(desk: Desk, **params: Any) -> dict[str, Any]:
    answer = await desk.http.get(f"/api/timers/{NAME}/occurrences", params=params)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def settled(desk: Desk, job_id: str) -> None:
    """Wait for the accounting, which follows the sweep."""
    async with asyncio.timeout(120):
        while job_id not in [each.get("job_id") for each in (await occurrences(desk, state="completed"))["items"]]:  # noqa: ASYNC110
            await asyncio.sleep(0.2)


async def schedule(desk: Desk) -> Schedule:
    timers = (await desk.http.get("/api/timers")).json()["items"]
    return Schedule(next(each["schedule"] for each in timers if each["name"] == NAME))


async def test_every_timer_is_told(desk: Desk) -> None:
    answer = await desk.http.get("/api/timers")
    timers = {each["name"]: each for each in answer.json()["items"]}
    assert {"PluckItScraper", "PluckItMoodProcessor", "PluckItWeeklyDigest", "GetHotTopics", NAME} <= set(timers)
    monday = timers["PluckItWeeklyDigest"]
    assert (monday["schedule"], monday["words"], monday["policy"]) == ("0 0 9 * * 1", "At 09:00 on Monday", "skip")
    assert timers["PluckItScraper"]["policy"] == "once"
    assert all(each["healthy"] for each in timers.values())


async def test_a_run_by_hand_is_a_job_and_an_occurrence(desk: Desk) -> None:
    answer = await run(desk)
    assert answer.status_code == 202, answer.text
    ticket = answer.json()
    assert answer.headers["Location"].endswith(f"/api/jobs/{ticket['job_id']}")
    assert (await desk.until(ticket["job_id"]))["status"] == "completed"
    await settled(desk, ticket["job_id"])
    first = (await occurrences(desk, limit=1))["items"][0]
    assert first["trigger"] == "manual"
    assert "schedule" not in first


async def test_a_missed_occurrence_is_made_up_once(desk: Desk) -> None:
    await run(desk)
    moment = (await schedule(desk)).before(datetime.now(UTC) - timedelta(days=3))
    assert moment is not None
    first, second = await run(desk, scheduled_for=moment.isoformat()), await run(desk, scheduled_for=moment.isoformat())
    assert (first.status_code, second.status_code) == (202, 202), first.text
    assert (first.json()["job_id"], first.json()["duplicate"]) == (second.json()["job_id"], False)
    assert second.json()["duplicate"]


async def test_occurrences_come_in_pages(desk: Desk) -> None:
    jobs = [(await run(desk)).json()["job_id"]]
    while len(set(jobs)) < 2:  # runs by hand within one second are one
        jobs.append((await run(desk)).json()["job_id"])
    for job_id in set(jobs):
        await settled(desk, job_id)
    page = await occurrences(desk, limit=1)
    assert page["cursor"]
    rest = await occurrences(desk, cursor=page["cursor"])
    assert page["items"] + rest["items"] == (await occurrences(desk))["items"]


async def test_what_is_no_occurrence_is_refused_by_its_field(desk: Desk) -> None:
    for moment in (
        "2026-01-01T00:00:30Z",
        "2999-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
        "0001-01-01T00:00:00Z",
    ):
        answer = await run(desk, scheduled_for=moment)
        assert answer.status_code == 422, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        (error,) = answer.json()["errors"]
        assert error["field"] == "scheduled_for"
        assert "near it" in error["message"]


@pytest.mark.parametrize("body", [{"scheduled_for": "soon"}, {"scheduled_for": 7}, {"when": "now"}])
async def test_a_body_that_does_not_fit(desk: Desk, body: dict[str, Any]) -> None:
    assert (await run(desk, **body)).status_code == 422


async def test_what_there_is_not(desk: Desk) -> None:
    assert (await run(desk, "Nobody")).status_code == 404
    assert (await desk.http.get("/api/timers/Nobody/occurrences")).status_code == 404
    assert (await desk.http.get(f"/api/timers/{NAME}/occurrences?state=odd")).status_code == 422


async def test_the_list_is_cached_by_its_content(desk: Desk) -> None:
    answer = await desk.http.get("/api/timers")
    again = await desk.http.get("/api/timers", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code in (200, 304)
    if again.status_code == 200:  # something was settled in between
        assert again.headers["ETag"] != answer.headers["ETag"]
