"""Whether lists and charts of the dashboard stay quick: each question asked of 1,000 jobs and of 100,000, in turn.

    python -m bench dashboard [--json FILE] [--quick]

The index is the embedded one (SQLite), filled with summaries as the engine writes them: a month of jobs of a few kinds, one
in a hundred failed, a family of children, and dead letters, more than one answer looks at. What is measured is the answer as the
blueprints get it: query, views, JSON.
"""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from shared.api.dead_letters import list_dead_letter_groups
from shared.api.jobs import list_jobs
from shared.api.monitor import get_stats
from shared.app import App
from shared.bootstrap import build
from shared.containers import DEAD_LETTERS, JOBS
from shared.declarations import settings_of
from shared.jobs.dead_letters.vault import DeadLetter, Reason, fingerprint
from shared.jobs.model import Failure, Job, Status, summary
from shared.storage import iso
from shared.web.answers import Answer
from shared.web.routes import Call

FEW, MANY = 1_000, 100_000
_MONTH = timedelta(days=30)
_KINDS = ("collect-content",) * 60 + ("taste-analysis",) * 35 + ("weekly-digest",) * 5
_RARE = "taste-prior"
"""A kind of ten jobs, the oldest of all."""
Question = Callable[[App], Awaitable[Answer]]


def measure(*, quick: bool) -> dict[str, float]:
    """The slowest ratio of 100,000 jobs to 1,000 over all questions, and each question's own."""
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(Path(folder), 60 if quick else 300))


async def _measure(folder: Path, rounds: int) -> dict[str, float]:
    newest = datetime.now(UTC)
    few, many = [await _filled(folder / f"{count}.db", count, newest) for count in (FEW, MANY)]
    figures: dict[str, float] = {}
    for name, question in _questions(newest).items():
        if name == _ALL_DISCARDED:
            for app in (few, many):
                _discard_all(Path(app.settings.sqlite_path))
        spans: tuple[list[float], list[float]] = ([], [])
        for _ in range(rounds):
            for app, found in zip((few, many), spans, strict=True):
                found.append(await _seconds(app, question))
        fast, slow = (min(found) for found in spans)  # what else the machine does only adds to it
        print(f"  {name:28} {fast * 1000:7.2f} ms of {FEW:,} jobs {slow * 1000:7.2f} ms of {MANY:,}")
        figures[f"dashboard_{name}_growth"] = round(slow / fast, 2)
    for app in (few, many):
        await app.close()
    return {"dashboard_growth_hundredfold": max(figures.values()), **figures}


async def _seconds(app: App, question: Question) -> float:
    started = time.perf_counter()
    answer = await question(app)
    spent = time.perf_counter() - started
    assert answer.status == 200  # noqa: S101 - a benchmark of errors would be a quick one
    return spent


def _questions(newest: datetime) -> dict[str, Question]:
    """What the dashboard asks. Each matches a full page in both stores, but for those that are rare in both."""

    def jobs(**params: str) -> Question:
        return lambda app: list_jobs(app, Call(query=params))

    middle = newest - _MONTH / 2
    return {
        "newest": jobs(),
        "of_a_kind": jobs(kind="taste-analysis", limit="20"),
        "of_a_rare_kind": jobs(kind=_RARE),
        "failed": jobs(status="failed", limit="10"),
        "of_a_kind_failed": jobs(kind="collect-content", status="failed", limit="5"),
        "running": jobs(status="running"),
        "children": jobs(parent_id=_PARENT),
        "until_a_moment": jobs(until=iso(middle)),
        "since_a_moment": jobs(since=iso(middle)),
        "of_a_day": jobs(since=iso(middle), until=iso(middle + timedelta(days=1)), limit="20"),
        "from_an_old_page_on": jobs(cursor=_id(middle)),
        "by_start_of_id": jobs(id=_PARENT[:18]),
        "charts": lambda app: get_stats(app, Call()),
        "dead_letters": lambda app: list_dead_letter_groups(app, Call()),
        _ALL_DISCARDED: lambda app: list_dead_letter_groups(app, Call()),
    }


_ALL_DISCARDED = "no_dead_letter_open"
"""Asked last, when every letter has been set aside: the answer is empty, and nothing may have to be searched for it."""
_PARENT = "0198f3a0-0000-7000-8000-000000000001"


async def _filled(path: Path, count: int, newest: datetime) -> App:
    """An app whose index holds so many jobs."""
    app = build(settings_of({"AzureWebJobsStorage": "UseDevelopmentStorage=true", "NIGHTSHIFT_SQLITE_PATH": str(path)}))
    await app.documents.read(JOBS, "none", "none")  # makes the tables
    rows = (
        (container, body["id"], body["id"], "0", 1, None, json.dumps(body))
        for container, body in _documents(count, newest)
    )
    with sqlite3.connect(path) as database:
        database.executemany(
            "INSERT INTO documents (container, pk, id, etag, version, expires_at, body) VALUES (?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
    database.close()
    return app


def _documents(count: int, newest: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    for n in range(count):
        made = newest - _MONTH * ((n + 1) / count)
        job = _job(n, made, _RARE if n >= count - 10 else _KINDS[n % 100])
        yield JOBS, summary(job)
        if n % 10 < 6:
            yield DEAD_LETTERS, _letter(job)


def _job(n: int, made: datetime, kind: str) -> Job:
    status = Status.FAILED if n % 100 == 7 else Status.RUNNING if n < 3 else Status.COMPLETED
    moments = {"created_at": made, "updated_at": made, "due_at": made, "started_at": made}
    error = Failure(type="TimeoutError", message=f"no answer after {n} s", attempt=1, at=made)
    parent = {"parent_id": _PARENT} if 100 <= n < 150 else {}
    failed = {"error": error} if status is Status.FAILED else {}
    return Job(job_id=_id(made), kind=kind, status=status, version=3, attempt=1, **moments, **parent, **failed)  # type: ignore[arg-type]


def _id(moment: datetime) -> str:
    """A UUIDv7 of a moment."""
    digits = f"{int(moment.timestamp() * 1000):012x}7{random.getrandbits(12):03x}8{random.getrandbits(60):015x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _letter(job: Job) -> dict[str, Any]:
    error = Failure(type="TimeoutError", message=f"no answer after {job.attempt} s", attempt=1, at=job.created_at)
    letter = DeadLetter(
        id=job.job_id, reason=Reason.EXHAUSTED, recorded_at=job.created_at, queue="jobs", message_text="", kind=job.kind,
        fingerprint=fingerprint(job.kind, error.type, error.message), job_id=job.job_id, payload={}, error=error,
    )  # fmt: skip
    keys = {"pk": letter.id, "recorded_at": iso(letter.recorded_at), "sort": f"{iso(letter.recorded_at)}~{letter.id}"}
    marks = {"replayed": 0, "set_aside": 0, "open": 1}
    return {**letter.model_dump(mode="json", exclude_none=True), **keys, **marks}


def _discard_all(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute(
            "UPDATE documents SET body = json_set(body, '$.set_aside', 1, '$.open', 0) WHERE container = ?",
            (str(DEAD_LETTERS),),
        )
    database.close()
