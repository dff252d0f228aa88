"""The app's functions as a worker finds them, whatever else was imported under the name `function_app`."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from azure.functions.decorators.function_app import Function

from shared.ports import StorageError

_FILE = Path(__file__).parents[2] / "function_app.py"


def functions() -> dict[str, Function]:
    """Every function of the app by name. Of an app of its own each time: one can be indexed only once."""
    spec = importlib.util.spec_from_file_location("function_app_under_test", _FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return {str(each.get_function_name()): each for each in module.app.get_functions()}


class Nowhere:
    """An app all of whose parts are out of reach."""

    def __getattr__(self, name: str) -> Any:
        raise StorageError(name)
