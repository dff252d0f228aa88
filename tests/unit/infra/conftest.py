"""What infra/ comes to, compiled once."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import bicep

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
def compiled() -> bicep.Compiled:
    """What Microsoft's compiler makes of infra/; skipped where there is none."""
    return bicep.compiled()


@pytest.fixture(scope="session")
def smallest(compiled: bicep.Compiled) -> bicep.Deployment:
    """What is made where nothing was asked for."""
    return compiled.smallest


@pytest.fixture(scope="session")
def fullest(compiled: bicep.Compiled) -> bicep.Deployment:
    """What is made where everything was."""
    return compiled.fullest
