"""The app under the development host: the route as clients call it, the timer, and a process that is killed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web

from support.azurite import AzuriteProcess
from support.running import REPOSITORY, RunningApp
from support.sites import Site, listing


@pytest.fixture
async def running(azurite: AzuriteProcess, unique: str, tmp_path: Path, site: Site) -> AsyncIterator[RunningApp]:
    queues = ("JOBS", "JOBS_HIGH", "JOBS_LOW", "TASTE_JOB")
    environ = {
        **{f"{name}_QUEUE_NAME": f"{unique}-{name.replace('_', '-').lower()}" for name in queues},
        "NIGHTSHIFT_STATUS_CONTAINER": unique,
        "FETCH_ALLOWED_HOSTS": site.host,
        "FETCH_HOST_INTERVAL_SECONDS": "0",
        "REDDIT_URL": site.url(""),
        "HOT_TOPICS": "technology,programming",
        "HOT_TOPICS_LOOK_SECONDS": "1.5",
        "SITE_DEBOUNCE_SECONDS": "0",
        "SITE_READ_PAGES": "false",
    }
    app = RunningApp(azurite.connection_string, tmp_path, app=REPOSITORY, **environ)
    yield app
    await app.kill()


async def post(app: RunningApp, body: dict[str, Any]) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.post(f"{app.url}/api/summarywomble", json=body)


async def final(app: RunningApp, job_id: str) -> dict[str, Any]:
    async with asyncio.timeout(180):
        while True:
            answer = await post(app, {"action": "status", "job_id": job_id})
            content = dict(answer.json())
            if content["status"] not in ("queued", "running"):
                return content
            await asyncio.sleep(0.2)


async def test_a_ticket_is_followed_by_the_example_that_it_gives(running: RunningApp, site: Site) -> None:
    site.subreddit("technology", 12)
    await running.start()
    answer = await post(running, {"source": "reddit", "topics": ["technology", "nowhere"], "limit": 10})
    assert answer.status_code == 202
    ticket = answer.json()
    done = await final(running, ticket["job_id"])
    example = ticket["status_check_example"]
    async with httpx.AsyncClient() as client:
        again = await client.request(example["method"], example["url"], json=example["body"])
    assert again.json() == done
    assert done["status"] == "completed"
    first, second = done["results"]["results"]
    assert re.fullmatch(r"\d{8}_\d{6}_reddit_technology\.json", first["blob_name"])
    assert (first["topics_count"], second["status"]) == (10, "error")
    missing = await post(running, {"action": "status", "job_id": "6ce324a8-0502-4b0c-b729-12e10f0f22f6"})
    assert (missing.status_code, missing.headers["content-type"]) == (404, "application/problem+json")


async def test_a_process_that_is_killed_leaves_what_it_collected(running: RunningApp, site: Site) -> None:
    """Two topics are there when the third one's server hangs and the process dies; they are not fetched again."""
    hangs, hanging = True, asyncio.Event()
    for name in ("aa", "bb", "dd"):
        site.subreddit(name, 2)

    async def slow(_: web.Request) -> web.Response:
        hanging.set()
        if hangs:
            await asyncio.sleep(3600)
        return web.Response(text=listing("cc", 2), content_type="application/json")

    site.handlers["/r/cc/hot.json"] = slow
    await running.start()
    ticket = (await post(running, {"source": "reddit", "topics": ["aa", "bb", "cc", "dd"]})).json()
    async with asyncio.timeout(180):
        await hanging.wait()
    await running.kill()
    hangs = False
    await running.start()
    done = await final(running, ticket["job_id"])
    assert (done["status"], done["results"]["total_topics"]) == ("completed", 8)
    assert site.hits == [f"/r/{name}/hot.json" for name in ("aa", "bb", "cc", "cc", "dd")]


async def test_the_timer_submits_looks_and_logs_and_what_it_collected_is_published(
    running: RunningApp, site: Site
) -> None:
    for name in ("technology", "programming"):
        site.subreddit(name, 2)
    await running.start()
    async with httpx.AsyncClient() as client:
        started = await client.post(f"{running.url}/admin/functions/GetHotTopics", json={"input": ""})
        assert started.status_code == 202
        await _logged(running, r"hot topics: job=\S+ status=submitted")
        await _logged(running, r"hot topics: job=\S+ status=(running|completed) step=")
        async with asyncio.timeout(180):
            while (front := await client.get(f"{running.url}/api/site/")).status_code != 200:  # noqa: ASYNC110 - it is another process
                await asyncio.sleep(0.2)
    assert front.text.count("<article") == 4


async def _logged(app: RunningApp, pattern: str) -> None:
    async with asyncio.timeout(180):
        while not re.search(pattern, app.output()):  # noqa: ASYNC110 - it is another process that logs
            await asyncio.sleep(0.2)
