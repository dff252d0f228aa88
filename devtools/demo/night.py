"""The demo of a night: sources scraped, moods read from what they gave, a digest for everybody, and a site of what was collected."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Mapping
from pathlib import Path

from devtools.demo import real, site
from devtools.demo.client import FINAL, Json
from devtools.demo.stage import Stage
from devtools.demo.terminal import Board, Story, say
from devtools.demo.world import World
from devtools.environment import TroubleError

__all__ = ["World", "folder", "settings", "tell"]

PEOPLE = 200
_PATIENCE = 900.0
"""Seconds for one timer's whole work."""


def folder(data: Path | None) -> Path:
    """The data folder; TroubleError where none was given."""
    if data is None:
        raise TroubleError("a night needs pages and people: give --data DIR")
    return data


def settings(world: World) -> Mapping[str, str]:
    """App settings for a night on this machine: every page is on one host, which need not be spared."""
    return {
        "FETCH_ALLOWED_HOSTS": world.host,
        "FETCH_HOST_INTERVAL_SECONDS": "0",
        "FETCH_HOST_CONCURRENCY": "8",
        "REDDIT_URL": world.url,
        "SCRAPER_MAX_CONCURRENCY": "8",
        "WEEKLY_DIGEST_MAX_CONCURRENCY": "16",
        "JOBS_RETRY_AFTER_SECONDS": "1",
        **site.SETTINGS,
    }


async def tell(stage: Stage, story: Story, world: World) -> list[str]:
    """Play two nights, and publish their items; return where to look at what came of them."""
    people = await _prepare(stage, story, world)
    story.chapter("The night: scraper, moods, digests")
    gathered = await _timer(stage, story, "PluckItScraper")
    moods = await _timer(stage, story, "PluckItMoodProcessor")
    made = await _timer(stage, story, "PluckItWeeklyDigest")
    _judge(story, world, people, gathered, moods, made)
    story.chapter("The same night once more")
    await _again(stage, story)
    published = await site.tell(stage, story, world)
    return [*await _summary(stage, story, people), *published]


async def _prepare(stage: Stage, story: Story, world: World) -> list[str]:
    """Tell the app of the sources and the people, and let it learn what these like."""
    sources, rows = list(world.sources()), _people(world.folder)
    story.chapter(f"{len(sources)} sources, and {len(rows)} people with {sum(map(len, rows.values()))} opinions")
    say("  Their pages are years old: the dates in them are moved to the present.")
    await real.each(sources, lambda body: stage.client.send("POST", "sources", body))
    await real.each(rows, lambda user: stage.client.send("PUT", f"users/{user}", {"name": f"Reader {user}"}))
    opinions = list(itertools.chain.from_iterable(rows.values()))
    answers = await real.each(opinions, stage.client.feedback)
    tickets = {answer["job_id"] for answer in answers if "job_id" in answer}
    left = await real.wait(stage, tickets, time.monotonic() + _PATIENCE)
    story.expect(f"what they like is known: {len(tickets)} taste jobs completed", held=not left)
    return list(rows)


def _people(data: Path) -> dict[str, list[Json]]:
    """The first people of the feedback set, with what they said."""
    people: dict[str, list[Json]] = {}
    for body in real.read(real.find(data)):
        if body["user_id"] not in people and len(people) == PEOPLE:
            break
        people.setdefault(body["user_id"], []).append(body)
    return people


async def _timer(stage: Stage, story: Story, name: str) -> Json:
    """Run a timer by hand and follow its job to the end; return the results."""
    ticket = await stage.client.send("POST", f"timers/{name}/run", {})
    job = await _followed(stage, name, ticket["job_id"])
    story.expect(f"{name} completed", held=job["status"] == "completed")
    return dict(job.get("results") or {})


async def _followed(stage: Stage, name: str, job_id: str) -> Json:
    board, deadline = Board({job_id: name}), time.monotonic() + _PATIENCE
    while True:
        job = await stage.client.job(job_id) or {"job_id": job_id, "status": "unknown"}
        board.show([job])
        if job["status"] in FINAL or time.monotonic() > deadline:
            return job
        await asyncio.sleep(1)


def _judge(story: Story, world: World, people: list[str], gathered: Json, moods: Json, made: Json) -> None:
    tally, digests = gathered.get("tally", {}), made.get("tally", {})
    for title, results in (("scraper", gathered), ("moods", moods), ("digests", made)):
        say(f"  {title:8} {_counts(results)}")
    scraped = gathered.get("completed", 0)
    story.expect(
        f"{scraped} sources scraped, {tally.get('new', 0)} items found", held=scraped >= 30 and tally["new"] > 0
    )
    story.expect(f"the pages were asked for, {world.asked} times", held=world.asked >= scraped)
    story.expect(f"{moods.get('moods', 0)} moods found", held=moods.get("moods", 0) > 0)
    story.expect(f"{digests.get('made', 0)} digests for {len(people)} people", held=digests.get("made") == len(people))


def _counts(results: Json) -> str:
    flat = {name: value for name, value in results.items() if isinstance(value, int)} | results.get("tally", {})
    return ", ".join(f"{name} {value}" for name, value in flat.items() if value)


async def _again(stage: Stage, story: Story) -> None:
    """Scrape every source once more, though none is due, and run the other timers: nothing is new."""
    sources = await _all(stage, "sources")
    tickets = await real.each(sources, lambda each: stage.client.send("POST", f"sources/{each['id']}/run", {}))
    left = await real.wait(stage, {ticket["job_id"] for ticket in tickets}, time.monotonic() + _PATIENCE)
    jobs = await real.each(tickets, lambda ticket: stage.client.get(f"jobs/{ticket['job_id']}"))
    new = sum((job.get("results") or {}).get("new", 0) for job in jobs)
    story.expect(f"{len(jobs)} sources scraped again: {new} new items", held=not left and new == 0)
    moods = await _timer(stage, story, "PluckItMoodProcessor")
    story.expect(f"{moods.get('changed')} moods changed", held=moods.get("changed") == 0)
    made = (await _timer(stage, story, "PluckItWeeklyDigest")).get("tally", {})
    story.expect(f"{made.get('made', 0)} digests made, {made.get('skipped')} skipped", held=not made.get("made"))


async def _summary(stage: Stage, story: Story, people: list[str]) -> list[str]:
    story.chapter("What there is now")
    for mood in (await stage.client.get("moods"))["items"][:6]:
        say(f"  {mood['name']:24} trend {mood['trend_score']:5.2f}   {mood['articles_counted']} articles")
    digest = await stage.client.get(f"digests/{people[0]}/latest")
    for suggestion in digest["suggestions"][:3]:
        say(f"  {suggestion['title'][:60]:60}  {'; '.join(suggestion['reasons'])}")
    return [f"digests/{people[0]}/latest?format=html", "moods", "timers"]


async def _all(stage: Stage, path: str) -> list[Json]:
    """Every page of a list."""
    found: list[Json] = []
    page = await stage.client.get(path, limit="100")
    found += page["items"]
    while page["cursor"]:
        page = await stage.client.get(path, limit="100", cursor=page["cursor"])
        found += page["items"]
    return found
