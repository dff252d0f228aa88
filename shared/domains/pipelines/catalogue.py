"""The executors that there are, by name: found in `executors/*.py`, nothing lists them."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from shared.domains.pipelines.executing import Executor


class TwoExecutorsError(ValueError):
    """Two executors have one name."""


@cache
def executors() -> Mapping[str, Executor[Any]]:
    """Every executor under its name and its aliases.

    Raises:
        TwoExecutorsError: two have one name.
    """
    found: dict[str, Executor[Any]] = {}
    for path in sorted((Path(__file__).parent / "executors").glob("*.py")):
        module = importlib.import_module(f"shared.domains.pipelines.executors.{path.stem}")
        for value in vars(module).values():
            if isinstance(value, Executor):
                for name in (value.name, *value.aliases):
                    if found.setdefault(name, value) is not value:
                        raise TwoExecutorsError(f"two executors are called {name!r}")
    return found
