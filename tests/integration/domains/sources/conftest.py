"""A site on this machine, an app over Azurite and SQLite that may scrape it, and its sources."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.azurite import AzuriteProcess
from support.lab import close_lab, open_lab
from support.scraping import Night
from support.sites import Site, open_site


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    async with open_site() as opened:
        yield opened


@pytest.fixture
async def night(azurite: AzuriteProcess, unique: str, tmp_path: Path, site: Site) -> AsyncIterator[Night]:
    lab = await open_lab(
        azurite.connection_string,
        unique,
        tmp_path,
        FETCH_ALLOWED_HOSTS=site.host,
        FETCH_HOST_INTERVAL_SECONDS="0",
        REDDIT_URL=site.url(""),
        SCRAPER_MAX_FAILURES="3",
        SCRAPER_MAX_PAGES="3",
        SCRAPER_MAX_ITEMS="40",
    )
    yield Night(lab, site)
    await close_lab(lab)
