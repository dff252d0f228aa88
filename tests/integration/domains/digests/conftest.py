"""An app with blobs and queues in memory and documents in SQLite."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.lab import Lab, close_lab, open_memory_lab


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    opened = open_memory_lab("digest", tmp_path)
    yield opened
    await close_lab(opened)
