"""A lab for moods, and an embedder that is watched."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shared.domains.moods import services
from support.lab import Lab, close_lab, open_memory_lab
from support.moods import WatchedEmbedder


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    lab = open_memory_lab("moods", tmp_path)
    yield lab
    await close_lab(lab)


@pytest.fixture
def embedder(monkeypatch: pytest.MonkeyPatch) -> WatchedEmbedder:
    watched = WatchedEmbedder()

    def chosen(settings: Any) -> WatchedEmbedder:
        return watched

    monkeypatch.setattr(services, "embedder", chosen)
    return watched
