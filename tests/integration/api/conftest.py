"""One running app for all tests of tickets: they keep apart by their jobs."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

import pytest

from support.azurite import AzuriteProcess
from support.tickets import Desk, open_desk


@pytest.fixture(scope="session")
async def desk(azurite: AzuriteProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    folder = tmp_path_factory.mktemp("tickets")
    async with open_desk(azurite.connection_string, f"t{uuid.uuid4().hex}", folder) as opened:
        yield opened
