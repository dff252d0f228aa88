"""The jobs of the scraper: all sources that are due, and one source."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.domains.sources.model import Source
from shared.domains.sources.reading import retry_after
from shared.domains.sources.run import SourceRun, results_of
from shared.domains.sources.settings import ScraperSettings
from shared.domains.sources.store import SourceStore
from shared.fetch import FetchError
from shared.fetch.errors import ContentRefusedError
from shared.jobs import Child, JobContext, LockedError, Locks, Policy, RetryLater, Snooze, fan_out, job

if TYPE_CHECKING:
    from shared.settings import Settings

_LISTED = 100
"""Troubled sources that the results of a night name."""
_LONGEST_WAIT = 900.0
"""Seconds for which a job waits for a host; for longer, the source does."""
_MARGIN_SECONDS = 150.0
"""What a run may need beside its pages: reading the source, and writing."""


class ScrapeSources(BaseModel):
    """The payload of a night."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    scheduled_at: AwareDatetime | None = None


class ScrapeSource(BaseModel):
    """The payload of one source."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    source_id: str
    force: bool = False
    """Whether it is scraped although it is not due, rests, or is switched off."""


@job("scrape-sources", max_attempts=4, timeout_seconds=540)
async def scrape_sources(payload: ScrapeSources, job: JobContext) -> dict[str, Any]:  # noqa: ARG001 - what is due now, is
    """Scrape every active source that is due, each in a job of its own. Safe to run twice."""
    sources = SourceStore(job.documents)

    async def plan() -> AsyncIterator[Child]:
        async for source in sources.due(job.clock.now()):
            yield Child(source.id, "scrape-source", {"source_id": source.id})

    results = await fan_out(job, plan, width=job.settings.of(ScraperSettings).max_concurrency)
    return {**results, "troubled": [_trouble(source) for source in await sources.troubled(_LISTED)]}


def _policy(settings: Settings) -> Policy:
    timeout = settings.of(ScraperSettings).run_seconds + _MARGIN_SECONDS
    return Policy(max_attempts=2, base_backoff_seconds=60, max_backoff_seconds=600, timeout_seconds=timeout)


@job("scrape-source", policy=_policy)
async def scrape_source(payload: ScrapeSource, job: JobContext) -> dict[str, Any]:
    """Scrape one source, unless it need not be. Safe to run twice.

    A source that cannot be had is no failed job: it is written down with the source, which rests for a while.
    """
    lease = job.settings.of(ScraperSettings).lock_seconds
    lock = Locks(job.documents, job.clock).hold(f"source:{payload.source_id}", lease, owner=job.job_id)
    try:
        async with lock as held_lock:
            current = await SourceStore(job.documents).get(payload.source_id)
            if current is None:
                return _skipped("the source is gone")
            if current.value.last_run and current.value.last_run.job_id == job.job_id:
                return results_of(current.value.last_run)  # an earlier attempt came as far as that
            if not payload.force and (why := _why_not(current.value, job)):
                return _skipped(why)
            return await _scraped(SourceRun(job, held_lock, current), job)
    except LockedError as error:
        raise Snooze(error.seconds + 1, "another job scrapes this source") from None


async def _scraped(run: SourceRun, job: JobContext) -> dict[str, Any]:
    """What may be had a little later is tried once more first."""
    try:
        return results_of(await run.scrape())
    except (FetchError, ContentRefusedError) as error:
        seconds = retry_after(error)
        if seconds is not None and seconds <= _LONGEST_WAIT and not job.last_attempt:
            raise RetryLater(seconds, str(error)) from None
        return results_of(await run.fail(error))


def _why_not(source: Source, job: JobContext) -> str | None:
    if not source.active:
        return "the source is switched off"
    return "the source is not due" if source.due_at > job.clock.now() else None


def _skipped(reason: str) -> dict[str, Any]:
    return {"outcome": "skipped", "found": 0, "new": 0, "changed": 0, "unchanged": 0, "skipped": 1, "reason": reason}


def _trouble(source: Source) -> dict[str, Any]:
    run = source.last_run
    return {
        "source_id": source.id,
        "label": source.label,
        "health": source.health.value,
        "failures": source.failures,
        "reason": source.switched_off_reason or (run.error if run else None),
    }
