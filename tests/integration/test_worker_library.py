"""The app as Microsoft's own worker library indexes and runs it, where that library can be had (Python 3.13 and later)."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(sys.version_info < (3, 13), reason="azure-functions-runtime needs Python 3.13 or later")


class BindingInfo:
    """Stands for the message class that the host's protocol would bring."""

    undefined, string, binary, stream = range(4)
    out, inout = 1, 2

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setenv("AzureWebJobsStorage", "UseDevelopmentStorage=true")
    bindings, registries, loader = (
        importlib.import_module(f"azure_functions_runtime.{name}") for name in ("bindings.meta", "functions", "loader")
    )
    bindings.load_binding_registry()
    monkeypatch.syspath_prepend(ROOT)  # before folders of other apps, which tests may have left there
    monkeypatch.delitem(sys.modules, "function_app", raising=False)  # an app can be read once
    registry, protos = registries.Registry(), SimpleNamespace(BindingInfo=BindingInfo)
    indexed = loader.index_function_app(str(ROOT / "function_app.py"))
    return {each.get_function_name(): registry.add_indexed_function(each, protos) for each in indexed}


def test_every_function_is_indexed(functions: dict[str, Any]) -> None:
    assert {"PostTasteFeedback", "ProcessTasteAnalysisJob", "ProcessTasteAnalysisJobDlq", "SweepRecentJobs"} <= set(
        functions
    )
    assert all(function.is_async for function in functions.values())


def test_poison_triggers_read_no_metadata(functions: dict[str, Any]) -> None:
    """Their parameter is of the generic kind, so that a body which overwrites the metadata cannot make the worker fail."""
    poison = [function for name, function in functions.items() if name.endswith("Dlq")]
    assert len(poison) >= 4
    for function in poison:
        assert [each.binding_name for each in function.input_types.values()] == ["generic"]


async def test_a_request_is_answered(functions: dict[str, Any]) -> None:
    import azure.functions as func

    request = func.HttpRequest(method="GET", url="http://localhost:7071/api/health", body=b"")
    answer = await functions["Health"].func(req=request)
    told = json.loads(answer.get_body())
    assert (answer.status_code, told["status"], told["worker_name"]) == (200, "alive", "contentflow-worker")
