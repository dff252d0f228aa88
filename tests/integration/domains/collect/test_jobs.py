"""Collection jobs over Azurite, SQLite and real HTTP."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web

from shared.domains.collect import kinds
from shared.jobs.model import Job, Progress, Status
from shared.jobs.testing import Died, Faults, Mode
from shared.ports import StorageError
from support.lab import Lab
from support.sites import Site, listing

KIND = "collect-content"


async def collect(lab: Lab, *topics: str, source: str = "reddit", **more: Any) -> Job:
    return await lab.run(KIND, source=source, topics=list(topics), **more)


def results(job: Job) -> dict[str, Any]:
    assert isinstance(job.results, dict), job.error
    return dict(job.results)


def topics(job: Job) -> list[dict[str, Any]]:
    return list(results(job)["results"])


async def blob(lab: Lab, name: str) -> dict[str, Any]:
    found = await lab.blobs.read(name)
    assert found, name
    return dict(json.loads(found.data))


async def outputs(lab: Lab) -> list[str]:
    return [info.name async for info in lab.blobs.list("2") if not info.name.startswith("jobs/")]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "_PAUSE", 0.01)


async def test_the_results_and_blobs_of_a_collection(lab: Lab, site: Site) -> None:
    site.subreddit("technology", 12)
    site.subreddit("programming", 7)
    lab.clock.time = datetime(2025, 8, 11, 13, 52, 21, 355702, tzinfo=UTC)
    job = await collect(lab, "technology", "programming", limit=10)
    names = ["20250811_135221_reddit_technology.json", "20250811_135221_reddit_programming.json"]
    assert job.status is Status.COMPLETED
    assert job.results == {
        "total_topics": 17,
        "total_subreddits": 2,
        "results": [
            {"subreddit": "technology", "topics_count": 10, "blob_name": names[0], "status": "success"},
            {"subreddit": "programming", "topics_count": 7, "blob_name": names[1], "status": "success"},
        ],
    }
    assert job.progress == Progress(step="finished", completed=2, total=2)
    assert await outputs(lab) == sorted(names)
    content = await blob(lab, names[0])
    assert (content["job_id"], content["source"], content["topic"], content["found"]) == (
        job.job_id,
        "reddit",
        "technology",
        12,
    )
    assert [item["url"] for item in content["items"]][:2] == [
        "https://site.example/technology/1",
        "https://site.example/technology/2",
    ]
    asked = [str(one.rel_url) for one in site.requests if one.path != "/robots.txt"]
    assert asked == ["/r/technology/hot.json?limit=10&raw_json=1", "/r/programming/hot.json?limit=10&raw_json=1"]


async def test_progress_is_told_topic_by_topic(lab: Lab, site: Site) -> None:
    seen: list[Progress | None] = []
    ticket = await lab.submit(KIND, source="reddit", topics=["technology", "programming"])

    async def look(request: web.Request) -> web.Response:
        seen.append((await lab.job(ticket.job.job_id)).progress)
        return web.Response(text=listing("x", 1), content_type="application/json")

    site.handlers |= {"/r/technology/hot.json": look, "/r/programming/hot.json": look}
    await lab.pump()
    assert seen == [
        Progress(step="processing r/technology", completed=1, total=2),
        Progress(step="processing r/programming", completed=2, total=2),
    ]


async def test_feeds_and_pages(lab: Lab, site: Site) -> None:
    feed = site.feed("/feed.xml", ["One", "Two", "Three"])
    job = await collect(lab, feed, source="rss", limit=2)
    (result,) = topics(job)
    assert (result["subreddit"], result["topics_count"]) == (feed, 2)
    content = await blob(lab, result["blob_name"])
    assert [(one["title"], one["url"]) for one in content["items"]] == [
        ("One", "https://site.example/0"), ("Two", "https://site.example/1")
    ]  # fmt: skip
    page = site.serve(
        "/page", f"<title>T</title><article><p>{'A long sentence about it. ' * 40}</p></article>", kind="text/html"
    )
    assert results(await collect(lab, page, source="web"))["total_topics"] == 1


async def test_a_feed_that_has_not_changed_is_not_sent_again(lab: Lab, site: Site) -> None:
    served: list[int] = []
    body = "<rss version='2.0'><channel><title>t</title><item><title>One</title></item></channel></rss>"

    async def feed(request: web.Request) -> web.Response:
        status = 304 if request.headers.get("If-None-Match") == '"v1"' else 200
        served.append(status)
        return web.Response(status=status, text=body if status == 200 else None, headers={"ETag": '"v1"'})

    site.handlers["/feed.xml"] = feed
    jobs = [await collect(lab, site.url("/feed.xml"), source="rss") for _ in range(2)]
    assert served == [200, 304]
    assert [results(job)["total_topics"] for job in jobs] == [1, 1]


async def test_a_topic_that_fails_does_not_fail_the_others(lab: Lab, site: Site) -> None:
    site.subreddit("technology", 3)
    site.serve("/r/private/hot.json", '{"reason": "private", "error": 403}', status=403, kind="application/json")
    site.serve("/r/broken/hot.json", "<html>", kind="text/html")
    site.serve("/r/garbage/hot.json", "{", kind="application/json")
    site.serve("/r/down/hot.json", "", status=502)
    job = await collect(lab, "private", "broken", "garbage", "down", "technology")
    assert job.status is Status.COMPLETED
    assert [(one["status"], one.get("error", "").partition(":")[0]) for one in topics(job)] == [
        ("error", "not-served"), ("error", "wrong-type"), ("error", "unreadable"), ("error", "unavailable"), ("success", "")
    ]  # fmt: skip
    assert all(one["blob_name"] is None for one in topics(job)[:4])
    assert (results(job)["total_topics"], results(job)["total_subreddits"]) == (3, 5)
    assert site.hits.count("/r/down/hot.json") == 2


async def test_what_was_unavailable_for_a_moment_is_collected_after_all(lab: Lab, site: Site) -> None:
    site.subreddit("technology", 3)
    answers = [503, 200]

    async def flaky(_: web.Request) -> web.Response:
        return web.Response(status=answers.pop(0), text=listing("flaky", 2), content_type="application/json")

    site.handlers["/r/flaky/hot.json"] = flaky
    job = await collect(lab, "flaky", "technology")
    assert results(job)["total_topics"] == 5
    assert job.attempt == 1


async def test_a_job_of_which_nothing_can_ever_be_had_fails_at_once(lab: Lab, site: Site) -> None:
    job = await collect(lab, "nowhere", "neither")
    assert (job.status, job.attempt) == (Status.FAILED, 1)
    assert job.error
    assert job.error.message == (
        "nowhere: not-served: the server answered 404; neither: not-served: the server answered 404"
    )
    await lab.settled(job.job_id, Status.FAILED)


async def test_a_job_of_which_nothing_can_be_had_now_is_tried_again_when_the_server_says(lab: Lab, site: Site) -> None:
    site.serve("/r/technology/hot.json", "", status=429, Retry_After="120")
    job = await collect(lab, "technology", "programming")
    assert (job.status, job.attempt) == (Status.QUEUED, 1)
    assert (job.due_at - lab.clock.now()).total_seconds() >= 119
    assert site.hits == ["/r/technology/hot.json"]


async def test_an_address_that_is_not_public_is_refused_in_the_job(lab: Lab, site: Site) -> None:
    site.feed("/feed.xml", ["One"])
    hostile = ["http://169.254.169.254/latest", "http://localhost/feed", "http://[::1]/feed", "http://2130706433/"]
    job = await collect(lab, *hostile, site.url("/feed.xml"), source="rss")
    assert [one.get("error", "")[:10] for one in topics(job)] == ["not-public"] * 4 + [""]


# --- crashes, repetition, cancelling -----------------------------------------------------------------------------


async def test_another_attempt_goes_on_where_the_last_one_ended(lab: Lab, site: Site) -> None:
    for name in ("aa", "bb", "cc"):
        site.subreddit(name, 2)
    ticket = await lab.submit(KIND, source="reddit", topics=["aa", "bb", "cc"])
    lab.start(Faults(at=7, mode=Mode.DIE_AFTER))
    with pytest.raises((Died, StorageError)):
        await lab.pump()
    lab.start()
    collected = len(await outputs(lab))
    before = list(site.hits)
    assert 0 < collected < 3
    await lab.recover()
    job = await lab.settled(ticket.job.job_id, Status.COMPLETED)
    assert results(job)["total_topics"] == 6
    assert len(await outputs(lab)) == 3
    assert site.hits[len(before) :] == ["/r/aa/hot.json", "/r/bb/hot.json", "/r/cc/hot.json"][collected:]


@pytest.mark.parametrize("mode", [mode for mode in Mode if mode is not Mode.OUTAGE])
async def test_wherever_storage_fails_each_topic_is_written_once_and_nothing_is_lost(
    lab: Lab, site: Site, mode: Mode
) -> None:
    site.subreddit("aa", 2)
    site.subreddit("bb", 3)
    for at in range(1, 12):
        lab.afresh()
        ticket = await lab.submit(KIND, source="reddit", topics=["aa", "bb"])
        faults = Faults(at, mode)
        lab.start(faults)
        with suppress(Died, StorageError):
            await lab.pump()
        lab.start()
        await lab.recover()
        job = await lab.settled(ticket.job.job_id, Status.COMPLETED)
        names = [one["blob_name"] for one in topics(job)]
        assert results(job)["total_topics"] == 5
        for name in names:
            assert (await blob(lab, name))["job_id"] == job.job_id
            await lab.blobs.delete(name)
        assert await outputs(lab) == []


async def test_more_topics_than_an_attempt_has_time_for_are_left_to_the_next(lab: Lab, site: Site) -> None:
    """Each listing takes two minutes: three to an attempt, and a fourth that goes over."""
    names = [f"sub{number}" for number in range(10)]

    async def slow(request: web.Request) -> web.Response:
        lab.clock.advance(120)
        return web.Response(text=listing(request.path, 1), content_type="application/json")

    site.handlers |= {f"/r/{name}/hot.json": slow for name in names}
    ticket = await lab.submit(KIND, source="reddit", topics=names)
    await lab.recover()
    job = await lab.settled(ticket.job.job_id, Status.COMPLETED)
    assert (results(job)["total_topics"], job.attempt) == (10, 3)
    assert site.hits == [f"/r/{name}/hot.json" for name in names]


async def test_topics_that_there_is_no_time_for_are_errors_where_nothing_moves(lab: Lab, site: Site) -> None:
    site.subreddit("last", 1)

    async def slow(_: web.Request) -> web.Response:
        lab.clock.advance(300)
        return web.Response(status=404)

    site.handlers |= {f"/r/{name}/hot.json": slow for name in ("aa", "bb")}
    first = await lab.submit(KIND, source="reddit", topics=["aa", "bb", "last"])
    await lab.pump()
    job = await lab.job(first.job.job_id)
    assert job.error
    assert "last: unavailable: the job ran out of time" in job.error.message


async def test_two_jobs_of_one_second_have_a_blob_each(lab: Lab, site: Site) -> None:
    site.subreddit("aa", 2)
    jobs = [await collect(lab, "aa") for _ in range(2)]
    names = [topics(job)[0]["blob_name"] for job in jobs]
    assert len(set(names)) == 2
    assert [(await blob(lab, name))["job_id"] for name in names] == [job.job_id for job in jobs]


async def test_a_cancelled_job_stops_at_its_next_checkpoint(lab: Lab, site: Site) -> None:
    ticket = await lab.submit(KIND, source="reddit", topics=["aa", "bb", "cc"])

    async def cancelling(_: web.Request) -> web.Response:
        await lab.engine.cancel(ticket.job.job_id)
        lab.clock.advance(2)
        return web.Response(text=listing("aa", 1), content_type="application/json")

    site.handlers["/r/aa/hot.json"] = cancelling
    await lab.pump()
    job = await lab.settled(ticket.job.job_id, Status.CANCELLED)
    assert job.results is None
    assert site.hits == ["/r/aa/hot.json"]
    assert await outputs(lab) == []
