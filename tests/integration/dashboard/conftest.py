"""One running app for all tests of the dashboard, and pages that show it."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from support.azurite import AzuriteProcess
from support.browser import Opener, opened
from support.tickets import Desk, open_desk


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dashboard")


@pytest.fixture(scope="session")
async def desk(azurite: AzuriteProcess, folder: Path) -> AsyncIterator[Desk]:
    async with open_desk(azurite.connection_string, f"t{uuid.uuid4().hex}", folder) as opened:
        yield opened


@pytest.fixture
def shown(desk: Desk, browser: Browser) -> Opener:
    """Opens the dashboard at a view, such as `#/jobs`."""

    def at(view: str = "", **options: Any) -> AbstractAsyncContextManager[Page]:
        return opened(browser, f"{desk.app.url}/api/dashboard{view}", **options)

    return at
