"""What the index and the engine are asked on behalf of a request about jobs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from shared.containers import JOBS
from shared.jobs.concurrently import run_all
from shared.jobs.explain import Circumstances
from shared.jobs.ids import prefixes
from shared.jobs.model import Status
from shared.ports import Document, Page, Query, Where
from shared.storage import iso
from shared.web.parameters import IDS
from shared.web.requests import read_choice, read_limit, read_moment, unfit

if TYPE_CHECKING:
    from shared.app import App
    from shared.jobs.model import Job

_SLACK = timedelta(days=7)
_ERA = datetime(2000, 1, 1, tzinfo=UTC)


async def circumstances_of(app: App, job: Job) -> Circumstances:
    """What bears on when a job runs."""
    deps = app.engine.deps
    known = job.kind in deps.kinds
    queue = deps.kinds.queue(job.kind, job.priority) if known else ""
    conditions = await app.engine.estimates.conditions(job)
    return Circumstances(
        now=app.clock.now(),
        queue=queue,
        depth=await app.queues.depth(queue) if known else 0,
        queue_age=conditions.queue_age,
        pause=await deps.pauses.of(job.kind),
        known=known,
        grace=deps.timing.grace,
        sweep_schedule=app.settings.sweep_schedule,
        kept=tuple(await app.engine.kept(job)) if job.attempt else (),
    )


async def page_of(app: App, query: Mapping[str, str]) -> Page:
    """The page of the index that the parameters of a query mean; 422 for what does not fit."""
    if ids := query.get("ids"):
        return Page(await _named(app, ids, query))
    limit, after = read_limit(query), query.get("cursor") or None
    return await app.documents.query(JOBS, Query(where(query), descending=True, limit=limit, after=after))


async def _named(app: App, ids: str, query: Mapping[str, str]) -> list[Document]:
    """Jobs by their ids, in that order."""
    if others := sorted({*query} - {"ids", "code"}):
        raise unfit("ids", f"goes with no other parameter, such as {others[0]}")
    if not re.fullmatch(IDS, ids):
        raise unfit("ids", "must be at most 50 UUIDs with commas between")
    found = await run_all(app.documents.read(JOBS, each, each) for each in dict.fromkeys(ids.lower().split(",")))
    return [document.value for document in found if document]


def where(query: Mapping[str, str]) -> tuple[Where, ...]:
    """Which jobs the parameters of a query mean; 422 for what does not fit."""
    wanted = [Where(name, "=", query[name]) for name in ("kind", "parent_id") if query.get(name)]
    if status := read_choice(query, "status", Status):
        wanted.append(Where("status", "=", status))
    if start := query.get("id", "").lower():
        wanted += [Where("id", ">=", _start(start)), Where("id", "<", f"{start}~")]
    return (*wanted, *_period(read_moment(query, "since"), read_moment(query, "until")))


def _period(since: datetime | None, until: datetime | None) -> Iterator[Where]:
    """When a job was created; with bounds of its id, which holds about that time, so that an index leads there.

    A child's id holds the time of its parent, which may have been at work for days.
    """
    if since:
        yield Where("created_at", ">=", iso(since))
        if since > _ERA:
            yield Where("id", ">=", prefixes(since - _SLACK, since - _SLACK)[0])
    if until:
        yield Where("created_at", "<", iso(until))
        if until > _ERA:
            yield Where("id", "<", f"{prefixes(until, until)[0]}~")


def _start(text: str) -> str:
    if not re.fullmatch(r"[0-9a-f-]{1,36}", text):
        raise unfit("id", "must be the start of a UUID")
    return text
