"""A site on this machine, and a job's context."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.adapters.sqlite import SqliteDocuments
from shared.declarations import settings_of
from shared.jobs.testing import FakeClock
from support.sites import Site, open_site
from support.taste import Context


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with open_site() as opened:
        yield opened


@pytest.fixture
async def context(tmp_path: Path, clock: FakeClock, site: Site) -> AsyncIterator[Context]:
    documents = SqliteDocuments(tmp_path / "taste.db", clock)
    yield Context(documents, settings_of({"FETCH_ALLOWED_HOSTS": site.host, "FETCH_TIMEOUT_SECONDS": "30"}), clock)
    await documents.close()
