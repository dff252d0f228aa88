"""The jobs of taste: analysing one signal, and refreshing what all users like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from shared.domains.taste.analysis import analyse, analysers
from shared.domains.taste.errors import AnalyserUnavailableError, ImageRefusedError
from shared.domains.taste.evidence import Evidence, ImageNote
from shared.domains.taste.feedback import TasteJob
from shared.domains.taste.findings import Findings
from shared.domains.taste.settings import TasteSettings
from shared.domains.taste.store import PriorStore, TasteStore
from shared.fetch import FetchRefusedError, FetchUnavailableError, fetch_image, parse_allowed
from shared.jobs import Dedupe, JobContext, Policy, Priority, RetryLater, job

if TYPE_CHECKING:
    from shared.settings import Settings

_NO_IMAGE = ImageNote("none")
_READ = ImageNote("read")


def _taste_policy(settings: Settings) -> Policy:
    taste = settings.of(TasteSettings)
    return Policy(
        queue=taste.job_queue,
        poison_queue=taste.poison_queue,
        max_attempts=1 + taste.max_retries,
        base_backoff_seconds=taste.base_backoff_seconds,
        max_backoff_seconds=taste.max_backoff_seconds,
        jitter_seconds=taste.jitter_seconds,
        dedupe_ttl_seconds=taste.dedupe_ttl_seconds,
        timeout_seconds=120,
    )


def _same_signal(job: TasteJob) -> Dedupe:
    """One ticket for a signal that is repeated; a changed mind is news. Ids hold no space, so the key is unambiguous."""
    return Dedupe(key=f"{job.user_id} {job.item_id} {job.gallery_image_index}", fingerprint=job.signal)


@job("taste-analysis", policy=_taste_policy, dedupe=_same_signal)
async def analyse_feedback(payload: TasteJob, job: JobContext) -> dict[str, Any]:
    """Analyse the item, keep the signal as evidence, and bring the user's profile up to date. Safe to run twice."""
    image, note = await _image(payload, job)
    findings, note = await _findings(payload, job, image, note)
    evidence = Evidence.of(payload, findings, note)
    store = TasteStore(job.documents, job.clock)
    await store.record(evidence)
    profile = await store.fold(payload.user_id)
    return {
        "evidence_id": evidence.id,
        "facets": {facet: list(values) for facet, values in findings.facets.items()},
        "image": note.to_json(),
        "profile": profile.fingerprint,
    }


class TastePriorJob(BaseModel):
    """The payload of a refresh of the prior: nothing."""

    model_config = ConfigDict(extra="forbid", defer_build=True)


@job("taste-prior", priority=Priority.LOW, max_attempts=3)
async def refresh_prior(payload: TastePriorJob, job: JobContext) -> dict[str, Any]:  # noqa: ARG001 - it is empty
    """Make the prior anew from a sample of profiles."""
    prior = await PriorStore(job.documents, job.clock).refresh()
    return {"users": prior.users, "facets": {facet: len(values) for facet, values in prior.shares.items()}}


async def _image(payload: TasteJob, job: JobContext) -> tuple[bytes | None, ImageNote]:
    """Fetch the image. One that cannot be had for good is done without, and the evidence says so."""
    if payload.image_url is None:
        return None, _NO_IMAGE
    await job.progress("fetching image", 0, 2)
    settings: Settings = job.settings
    try:
        image = await fetch_image(
            payload.image_url,
            max_bytes=settings.image_max_bytes,
            timeout_seconds=settings.fetch_timeout_seconds,
            allowed=parse_allowed(settings.fetch_allowed_hosts),
            contact=settings.fetch_contact,
        )
    except FetchRefusedError as error:
        return None, ImageNote("refused", error.reason)
    except FetchUnavailableError as error:
        raise _later(error) from None
    await job.checkpoint()
    return image, _READ


async def _findings(
    payload: TasteJob, job: JobContext, image: bytes | None, note: ImageNote
) -> tuple[Findings, ImageNote]:
    chosen = analysers(job.settings)
    try:
        return await analyse(chosen, payload.item, image), note
    except ImageRefusedError as error:
        return await analyse(chosen, payload.item, None), ImageNote("refused", error.reason)
    except AnalyserUnavailableError as error:
        raise _later(error) from None


def _later(error: FetchUnavailableError | AnalyserUnavailableError) -> Exception:
    """A retry after the delay that the server named; where it named none, the policy's backoff."""
    return error if error.retry_after is None else RetryLater(error.retry_after, str(error))
