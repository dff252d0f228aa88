"""Apps to watch: over blobs and queues in memory where what counts are turns of the clock, over Azurite elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.adapters.sqlite import SqliteDocuments
from shared.declarations import settings_of
from shared.domains.webhooks.message import WebhookJob
from shared.jobs import JobContext, job
from shared.jobs.testing import FakeClock, MemoryBlobs, MemoryQueues
from support.azurite import AzuriteProcess
from support.lab import Lab, close_lab, open_lab
from support.watched import HOOK, Watched

SUNDAY = datetime(2026, 11, 22, 12, tzinfo=UTC)
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    """An app on a Sunday at noon, of which the ledger has known for a while."""
    told: list[tuple[str, WebhookJob]] = []

    @job("webhook", max_attempts=3)
    async def tell(payload: WebhookJob, job: JobContext) -> None:
        told.append((job.job_id, payload))

    clock = FakeClock(SUNDAY)
    settings = settings_of(
        {"ALARM_WEBHOOK_URL": HOOK, "WEBHOOK_SECRET": SECRET, "NIGHTSHIFT_STATUS_CONTAINER": "watched"}
    )
    documents = SqliteDocuments(tmp_path / "watched.db", clock)
    more: tuple[Any, ...] = (tell,)
    lab = Lab(MemoryBlobs(clock), MemoryQueues(clock), documents, settings, clock, more_kinds=more)
    await lab.app.ledger.account()
    yield Watched(lab, told)
    await close_lab(lab)


@pytest.fixture
async def lab(azurite: AzuriteProcess, unique: str, tmp_path: Path) -> AsyncIterator[Lab]:
    opened = await open_lab(azurite.connection_string, unique, tmp_path)
    yield opened
    await close_lab(opened)
