"""What the worker tells the host of the app: names, routes and queues, against the reference, the infrastructure and host.json.

The bindings are the JSON that travels to the host: as the Functions library writes them, and, where Microsoft's worker library can
be had (Python 3.13 and later), as that indexes the app and tells the host.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from devtools import reference
from shared.declarations import settings
from shared.jobs.timers.schedule import Schedule
from support.functions import functions

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Told:
    """One function, as the host hears of it."""

    name: str
    bindings: tuple[dict[str, Any], ...]

    @property
    def trigger(self) -> dict[str, Any]:
        [found] = [each for each in self.bindings if each["type"].endswith("Trigger")]
        return found


class Message:
    """Stands for the message classes that the host's protocol would bring."""

    undefined, string, binary, stream = range(4)
    out, inout = 1, 2

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


def by_the_library() -> list[Told]:
    return [Told(name, _read(each.get_raw_bindings())) for name, each in functions().items()]


def by_the_worker(path: Path) -> list[Told]:
    """As azure_functions_runtime answers the host's FunctionsMetadataRequest."""
    meta, registries, loader = (
        importlib.import_module(f"azure_functions_runtime.{name}") for name in ("bindings.meta", "functions", "loader")
    )
    meta.load_binding_registry()
    protos = SimpleNamespace(BindingInfo=Message, RpcFunctionMetadata=Message, RpcRetryOptions=Message)
    indexed = loader.index_function_app(str(path))
    told, _ = loader.process_indexed_function(protos, registries.Registry(), indexed, str(path.parent))
    return [Told(each.name, _read(each.raw_bindings)) for each in told]


def _read(raw: Iterable[str]) -> tuple[dict[str, Any], ...]:
    return tuple(json.loads(each) for each in raw)


def needs_worker() -> None:
    if sys.version_info < (3, 13):
        pytest.skip("azure-functions-runtime needs Python 3.13 or later")


@pytest.fixture(params=["library", "worker"])
def told(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[Told]:
    monkeypatch.setenv("AzureWebJobsStorage", "UseDevelopmentStorage=true")
    if request.param == "library":
        return by_the_library()
    needs_worker()
    monkeypatch.syspath_prepend(ROOT)  # before folders of other apps, which tests may have left there
    monkeypatch.delitem(sys.modules, "function_app", raising=False)  # an app can be read once
    return by_the_worker(ROOT / "function_app.py")


def of(told: list[Told], kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    return ((each.name, each.trigger) for each in told if each.trigger["type"] == kind)


def test_every_function_has_a_name_that_the_host_takes_and_no_other_has(told: list[Told]) -> None:
    names = [each.name.lower() for each in told]
    assert sorted(names) == sorted(name.lower() for name in functions())
    assert len(set(names)) == len(names) > 50
    assert all(re.fullmatch(r"[a-z][a-z0-9_-]{0,126}", name) for name in names)


def test_routes_are_those_of_the_reference(told: list[Told]) -> None:
    page = (ROOT / "docs/reference/routes.md").read_text("utf-8")
    listed = {
        (name, route, method)
        for method, route, name in re.findall(r"^\| ([A-Z]+) \| `([^`]*)` \| (\w+) \|", page, re.MULTILINE)
    }
    heard = {
        (
            name,
            re.sub(r"\{\**(\w+)[^{}]*\}", r"{\1}", re.sub(r"\{\w+:maxlength\(0\)\?\}", "", trigger["route"])),
            method.upper(),
        )  # without the host's constraints
        for name, trigger in of(told, "httpTrigger")
        for method in trigger["methods"]
    }
    assert len(heard) > 40
    assert heard == listed


def test_an_answer_goes_back_where_a_request_came_in(told: list[Told]) -> None:
    for each in told:
        answers = [one for one in each.bindings if one["type"] == "http"]
        assert [one["name"] for one in answers] == (["$return"] if each.trigger["type"] == "httpTrigger" else [])
        assert all(one["direction"].lower() == "out" for one in answers)


def test_queues_are_those_that_the_infrastructure_makes(told: list[Told]) -> None:
    heard = [trigger["queueName"] for _, trigger in of(told, "queueTrigger")]
    own = {queue for _, queue in settings().kind_queues}
    assert sorted(heard) == sorted({*reference._names()["queues"], *own, *(f"{queue}-poison" for queue in own)})  # type: ignore[misc]
    assert len(set(heard)) == len(heard), "two functions would share a queue's messages"


def test_queues_are_read_as_bytes_from_the_apps_account(told: list[Told]) -> None:
    for name, trigger in of(told, "queueTrigger"):
        assert trigger["connection"] == "AzureWebJobsStorage", name
        assert str(trigger["dataType"]).lower() in ("binary", "1"), name
        assert re.fullmatch(r"[a-z0-9](-?[a-z0-9]){2,62}", trigger["queueName"]), name
        assert trigger["queueName"].endswith("-poison") or len(trigger["queueName"]) <= 56, (
            "the host makes no poison queue"
        )


def test_timers_have_schedules_and_do_not_run_at_the_start(told: list[Told]) -> None:
    timers = dict(of(told, "timerTrigger"))
    assert len(timers) > 4
    for trigger in timers.values():
        assert Schedule(trigger["schedule"])
        assert not trigger.get("runOnStartup")


def test_host_json_is_one_that_the_host_takes() -> None:
    content = json.loads((ROOT / "host.json").read_text("utf-8"))
    assert content["version"] == "2.0"
    queues = content["extensions"]["queues"]
    assert 1 <= queues["batchSize"] <= 32, "33 and more fail at the start"
    assert queues["maxDequeueCount"] >= 1
    assert queues["messageEncoding"] in ("none", "base64")
    spans = (content["functionTimeout"], queues["maxPollingInterval"], queues["visibilityTimeout"])
    assert all(re.fullmatch(r"\d\d:[0-5]\d:[0-5]\d", each) for each in spans)
    assert content["extensionBundle"]["version"] == "[4.*, 5.0.0)"


def test_a_second_function_of_a_name_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs_worker()
    (tmp_path / "function_app.py").write_text(_TWICE, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "function_app", raising=False)
    with pytest.raises(ValueError, match=r"(?i)twice"):
        by_the_worker(tmp_path / "function_app.py")


_TWICE = """
import azure.functions as func
app = func.FunctionApp()
@app.function_name("Twice")
@app.queue_trigger("msg", "one", "AzureWebJobsStorage")
async def one(msg: func.QueueMessage) -> None: ...
@app.function_name("Twice")
@app.queue_trigger("msg", "two", "AzureWebJobsStorage")
async def two(msg: func.QueueMessage) -> None: ...
"""
