"""The demo over real feedback: rentals of a dress shop, each row a signal."""

from __future__ import annotations

import asyncio
import csv
import gzip
import itertools
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from devtools.demo.client import FINAL, Json, jobs
from devtools.demo.stage import Stage
from devtools.demo.terminal import Story, say, show_profile
from devtools.environment import TroubleError

_AT_ONCE = 16
T = TypeVar("T")
U = TypeVar("U")
_PATIENCE_PER_ROW = 0.5
_LIKED_FROM = 7.0
"""Ratings go to 10; rows rated 6 or lower count as a `down`."""


def find(folder: Path) -> Path:
    """The data file in a folder; TroubleError where there is none."""
    for path in (folder / "feedback/rent_the_runway.csv.gz", folder / "rent_the_runway.csv.gz"):
        if path.exists():
            return path
    raise TroubleError(f"no rent_the_runway.csv.gz in {folder}")


def read(path: Path) -> Iterator[Json]:
    """Yield one feedback for each row."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            yield _feedback(row)


def _feedback(row: dict[str, str]) -> Json:
    facets = {"occasion": row["rented_for"], "category": row["category"], "size": row["size"]}
    return {
        "user_id": row["user_id"],
        "item_id": row["item_id"],
        "signal": "up" if float(row["rating"] or 10) >= _LIKED_FROM else "down",
        "item": {name: value for name, value in facets.items() if value},
    }


async def tell(stage: Stage, story: Story, path: Path, rows: int) -> None:
    """Post the rows, wait for every ticket, print the pace and one profile."""
    bodies = list(itertools.islice(read(path), rows))
    story.chapter(f"{len(bodies)} rows of {path.name}")
    started = time.monotonic()
    answers = await each(bodies, stage.client.feedback)
    tickets = {answer["job_id"] for answer in answers if "job_id" in answer}
    _pace("posted", len(bodies), started)
    left = await wait(stage, tickets, started + 60 + _PATIENCE_PER_ROW * len(bodies))
    _pace("completed", len(tickets), started)
    story.expect(f"every one of {len(tickets)} tickets completed", held=not left)
    user_id = Counter(body["user_id"] for body in bodies).most_common(1)[0][0]
    show_profile(user_id, await stage.client.profile(user_id))


async def wait(stage: Stage, tickets: set[str], deadline: float) -> set[str]:
    """Poll until every ticket is final; return those that are not completed."""
    broken: set[str] = set()
    left = set(tickets)
    while left and time.monotonic() < deadline:
        some = sorted(left)[:_AT_ONCE]
        found = [job for job in await jobs(stage.client, some) if job["status"] in FINAL]
        broken |= {job["job_id"] for job in found if job["status"] != "completed"}
        left -= {job["job_id"] for job in found}
        await asyncio.sleep(0 if found else 0.2)
    return broken | left


async def each(what: Iterable[T], act: Callable[[T], Awaitable[U]]) -> list[U]:
    """Act on each, some at the same time; what came of them, in order."""
    places = asyncio.Semaphore(_AT_ONCE)

    async def _one(one: T) -> U:
        async with places:
            return await act(one)

    return list(await asyncio.gather(*map(_one, what)))


def _pace(what: str, count: int, started: float) -> None:
    seconds = time.monotonic() - started
    say(f"  {what}: {count} in {seconds:.1f} s, {count / seconds:.0f} a second")
