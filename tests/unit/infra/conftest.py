"""The files of infra, read once."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.bicep import Template, read

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def infra() -> Path:
    """The folder of infra."""
    return ROOT / "infra"


@pytest.fixture(scope="session")
def templates(infra: Path) -> dict[str, Template]:
    """Each Bicep file by its path in infra."""
    return read(infra)
