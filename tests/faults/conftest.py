"""An app of test kinds over Azurite and SQLite."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from support.azurite import AzuriteProcess
from support.lab import Lab, close_lab, open_lab


@pytest.fixture
async def lab(azurite: AzuriteProcess, unique: str, tmp_path: Path) -> AsyncIterator[Lab]:
    opened = await open_lab(azurite.connection_string, unique, tmp_path)
    yield opened
    await close_lab(opened)


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[AzuriteProcess]:
    """Azurite on disk, so that it can be restarted."""
    process = AzuriteProcess(tmp_path / "azurite")
    process.start()
    yield process
    process.stop()
