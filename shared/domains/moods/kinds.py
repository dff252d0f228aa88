"""The job that brings moods up to date."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from shared.jobs import JobContext, Policy, job

_POLICY = Policy(max_attempts=4, base_backoff_seconds=30, max_backoff_seconds=900, timeout_seconds=540)


class MoodsJob(BaseModel):
    """The payload of a run."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    scheduled_at: datetime | None = None
    """The occurrence of the timer that it was made for, if any."""


@job("process-moods", policy=_POLICY)
async def process_moods(payload: MoodsJob, job: JobContext) -> dict[str, Any]:  # noqa: ARG001 - a run reads what is new
    """Find the moods of what was published lately. Safe to run twice."""
    from shared.domains.moods.processor import process
    from shared.domains.moods.services import embedder, extractor

    return await process(job, extractor(job.settings), embedder(job.settings))
