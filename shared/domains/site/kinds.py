"""The jobs of the site: enriching one item, publishing an edition, and copying it to a static website."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from shared.domains.site.copying import copy
from shared.domains.site.enriching import collected, made
from shared.domains.site.extractive import ExtractiveEnricher
from shared.domains.site.model import article_id_of, fingerprint_of
from shared.domains.site.ports import EnricherUnavailableError
from shared.domains.site.publishing import Published, Publisher, Withheld
from shared.domains.site.services import enricher
from shared.domains.site.settings import SiteSettings
from shared.domains.site.store import ArticleStore
from shared.jobs import JobContext, Priority, RetryLater, Snooze, job


class EnrichItem(BaseModel):
    """The payload of one enrichment: which item of what a collection wrote."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    blob_name: str = Field(pattern=r"^20\d{6}_\d{6}_[\w.-]+\.json$", max_length=300)
    number: int = Field(ge=0, lt=1000)


@job("enrich-item", priority=Priority.LOW, max_attempts=4, base_backoff_seconds=10, timeout_seconds=180)
async def enrich_item(payload: EnrichItem, job: JobContext) -> dict[str, Any]:
    """Make an article of an item. Safe to run twice; one that is known and has not changed costs no model's answer."""
    store = ArticleStore(job.documents, job.clock, timedelta(days=job.settings.of(SiteSettings).keep_days))
    it = await collected(job.blobs, payload.blob_name, payload.number)
    chosen = enricher(job.settings)
    article_id = article_id_of(it.item)
    known = await store.get(article_id)
    if known and known.covers(it.source, fingerprint_of(it.item, chosen.name), len(it.item.text)):
        await store.found_in(article_id, it.source)
        return {"article_id": article_id, "known": 1}
    try:
        article = await made(job, chosen, it)
    except EnricherUnavailableError as error:
        if not job.last_attempt:
            raise RetryLater(error.retry_after or 0, str(error)) if error.retry_after else error from None
        job.log.warning("an extract is shown, since %s:", error)
        article = await made(job, ExtractiveEnricher(), it)
    await store.put(article)
    return {"article_id": article_id, "enriched": 1}


class PublishSite(BaseModel):
    """The payload of a publication."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    succeeded: int | None = Field(
        None, ge=0, description="How many items of a collection were enriched; none: by hand."
    )
    release: bool = Field(False, description="Publish although somebody went back to an edition that is to stay.")


@job("publish-site", max_attempts=5, base_backoff_seconds=10, timeout_seconds=480)
async def publish_site(payload: PublishSite, job: JobContext) -> dict[str, Any]:
    """Publish what was enriched, or say why not. Safe to run twice: where nothing changed, there is no new edition."""
    settings = job.settings.of(SiteSettings)
    if payload.succeeded is not None:
        if payload.succeeded < settings.min_items:
            why = f"{payload.succeeded} items were enriched; at least {settings.min_items} are wanted"
            return _told(Withheld("few_items", why))
        ripe_at = job.job.created_at + timedelta(seconds=settings.debounce_seconds)
        if (wait := (ripe_at - job.clock.now()).total_seconds()) > 0:
            raise Snooze(wait, "other collections may end meanwhile")
    outcome = await Publisher(job).publish(release=payload.release)
    if isinstance(outcome, Published) and settings.web_container:
        await job.submit(copy_site, CopySite())
    return _told(outcome)


class CopySite(BaseModel):
    """The payload of a copy of the shown edition."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


@job("copy-site", priority=Priority.LOW, max_attempts=6, base_backoff_seconds=10, timeout_seconds=480)
async def copy_site(payload: CopySite, job: JobContext) -> dict[str, Any]:  # noqa: ARG001 - what is shown decides
    """Copy the shown edition to where Azure Storage serves it as a static website. Safe to run twice, and at once."""
    name = job.settings.of(SiteSettings).web_container
    return dict(await copy(job, job.containers(name))) if name else {"skipped": 1}


def _told(outcome: Published | Withheld) -> dict[str, Any]:
    if isinstance(outcome, Withheld):
        return {"withheld": 1, "reason": outcome.reason, "detail": outcome.detail}
    return {
        "edition_id": outcome.edition_id, "items": outcome.items, "pages": outcome.pages,
        "written": outcome.written, "removed": outcome.removed,
    }  # fmt: skip
