"""The kinds of jobs that pipelines are made of. What starts an execution is in `shared.domains.pipelines.executions`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from shared.domains.pipelines.payloads import CRAWL, EXECUTOR, Crawl, ExecutorJob
from shared.domains.pipelines.settings import PipelineSettings
from shared.domains.pipelines.tasks import ContentProcessingTask
from shared.jobs import JobContext, Policy, Priority, job
from shared.settings import Settings


def _policy(settings: Settings) -> Policy:
    own = settings.of(PipelineSettings)
    return Policy(
        max_attempts=own.max_task_retries + 1,
        timeout_seconds=own.task_timeout_seconds,
        base_backoff_seconds=5,
        max_backoff_seconds=300,
    )


@job(EXECUTOR, policy=_policy)
async def run_executor(payload: ExecutorJob, job: JobContext) -> dict[str, Any]:
    """Run one executor over the items of an execution. Safe to run twice, as far as what it writes to is."""
    from shared.domains.pipelines.stepping import run_step

    return await run_step(payload, job)


@job(
    CRAWL, priority=Priority.LOW, max_attempts=4, base_backoff_seconds=10, max_backoff_seconds=120, timeout_seconds=540
)
async def crawl_vault(payload: Crawl, job: JobContext) -> dict[str, Any]:
    """Look for new content of a vault, and have the next look come. Safe to run twice."""
    from shared.domains.pipelines.crawling import crawl

    return await crawl(payload, job)


class WatchVaults(BaseModel):
    """The payload of the look after the crawls."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    scheduled_at: datetime | None = None
    """The occurrence of the timer that it was made for, if any."""


@job("watch-vaults", max_attempts=3)
async def watch_vaults(payload: WatchVaults, job: JobContext) -> dict[str, Any]:  # noqa: ARG001 - it looks at what is there
    """See that every vault is looked at. Safe to run twice."""
    from shared.domains.pipelines.crawling import mend
    from shared.domains.pipelines.vaults import VaultStore

    return await mend(VaultStore(job.documents, job.settings), job)


@job("content-processing", max_attempts=8, public=True)
async def process_content(payload: ContentProcessingTask, job: JobContext) -> dict[str, Any]:
    """Begin the execution that a task asks for: one, however often the task is sent. Safe to run twice."""
    from shared.domains.pipelines.executions import begin_for_task

    return await begin_for_task(payload, job)
