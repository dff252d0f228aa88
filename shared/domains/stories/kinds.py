"""The jobs of stories: making an entry of an adventure, and its audio where that failed."""

from __future__ import annotations

from typing import Any

from shared.domains.stories.payload import EntryJob
from shared.domains.stories.ports import ServiceError, UntranslatableError
from shared.domains.stories.settings import StorySettings
from shared.jobs import Failure, JobContext, Policy, RetryLater, job
from shared.settings import Settings


def _pipeline(settings: Settings) -> Policy:
    """Three attempts, with waits of 30 s times two each, and up to 30 s on top."""
    return Policy(
        queue=settings.of(StorySettings).adventure_queue,
        max_attempts=3,
        base_backoff_seconds=30,
        min_backoff_seconds=30,
        max_backoff_seconds=3600,
        jitter_seconds=30,
        timeout_seconds=240,
        final=(UntranslatableError,),
    )


def _audio(settings: Settings) -> Policy:
    """Audio is missed less than a text: it is tried for some hours."""
    return Policy(
        queue=settings.of(StorySettings).adventure_queue,
        max_attempts=8,
        base_backoff_seconds=120,
        min_backoff_seconds=60,
        max_backoff_seconds=3600,
        jitter_seconds=60,
        timeout_seconds=120,
    )


async def _gave_up(payload: EntryJob, job: JobContext, failure: Failure) -> None:
    """The last attempt has failed: the reader is told."""
    from shared.domains.stories.pipeline import Pipeline

    await Pipeline(job).give_up(payload, failure)


@job("generate_adventure_entry", policy=_pipeline, on_abort=_gave_up)
async def generate_adventure_entry(payload: EntryJob, job: JobContext) -> dict[str, Any]:
    """Write, translate, speak and analyse an entry. Safe to run twice: what a step has made is kept."""
    from shared.domains.stories.pipeline import Pipeline

    try:
        made = await Pipeline(job).make(payload)
    except ServiceError as error:
        if error.retry_after is None:
            raise
        raise RetryLater(error.retry_after, str(error)) from error
    if made.get("audio") == "unavailable":
        await job.submit(speak_adventure_entry, payload)
    return made


@job("speak_adventure_entry", policy=_audio)
async def speak_adventure_entry(payload: EntryJob, job: JobContext) -> dict[str, Any]:
    """Make the audio of an entry that has none. Safe to run twice."""
    from shared.domains.stories.pipeline import Pipeline

    try:
        return await Pipeline(job).speak(payload)
    except ServiceError as error:
        if error.retry_after is None:
            raise
        raise RetryLater(error.retry_after, str(error)) from error
