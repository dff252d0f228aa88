"""The hand-over folder beside the repository, which holds recorded data and tools that some tests compare with."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_BESIDE = Path(__file__).parents[3] / "shared"


def data(name: str) -> Path:
    """A folder of recorded data (`NIGHTSHIFT_DATA`, else `../shared/data`); the module that asks is skipped without it."""
    return _found(Path(os.environ.get("NIGHTSHIFT_DATA", _BESIDE / "data")) / name)


def tool(name: str) -> Path:
    """A program to compare with (`NIGHTSHIFT_TOOLS`, else `../shared/tools`); who asks is skipped without it."""
    return _found(Path(os.environ.get("NIGHTSHIFT_TOOLS", _BESIDE / "tools")) / name)


def _found(path: Path) -> Path:
    if not path.exists():
        pytest.skip(f"{path} is not here", allow_module_level=True)
    return path
