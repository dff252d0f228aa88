"""An app over Azurite and SQLite that may visit a site on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.azurite import AzuriteProcess
from support.lab import Lab, close_lab, open_lab
from support.sites import Site, open_site


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with open_site() as opened:
        yield opened


@pytest.fixture
async def lab(azurite: AzuriteProcess, unique: str, tmp_path: Path, site: Site) -> AsyncIterator[Lab]:
    opened = await open_lab(
        azurite.connection_string, unique, tmp_path, FETCH_ALLOWED_HOSTS=site.host, FETCH_HOST_INTERVAL_SECONDS="0"
    )
    yield opened
    await close_lab(opened)
