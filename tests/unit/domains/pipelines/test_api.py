"""Pipelines, vaults and executions over HTTP, in memory."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from typing import Any

import pytest

from shared import bootstrap
from shared.declarations import settings_of
from shared.domains.pipelines.api import api
from shared.domains.pipelines.intake import take_in
from shared.jobs.dead_letters.vault import Filter
from shared.jobs.envelope import Delivery
from shared.jobs.testing import FakeClock
from shared.jobs.testing.host import Host
from shared.jobs.testing.memory import MemoryBlobs, MemoryContainers, MemoryDocuments, MemoryQueues
from shared.web.answers import Answer, Problem
from shared.web.routes import Call

TEXT = """
executors:
  - {id: find, type: azure_blob_input, settings: {blob_container_name: content, polling_interval_seconds: 60}}
  - {id: get, type: content_retriever}
  - {id: chunk, type: pass_through, settings: {debug_mode: false}}
  - {id: out, type: azure_blob_output, settings: {container_name: output}}
"""


class Http:
    """The app in memory, its routes called as `blueprints.http` does."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.queues, self.containers = MemoryQueues(self.clock), MemoryContainers(self.clock)
        self.host = Host(self.queues)
        self.app = bootstrap.compose(
            settings_of({}), MemoryBlobs(self.clock), self.queues, MemoryDocuments(self.clock), self.clock,
            containers=self.containers,
        )  # fmt: skip

    async def ask(
        self, function: str, body: Any = None, headers: Mapping[str, str] | None = None, **given: Any
    ) -> Answer:
        (route,) = [each for each in api.routes if each.function == function]
        path = {name: given.pop(name) for name in list(given) if f"{{{name}" in route.template}
        query = {name: str(value) for name, value in given.items()}
        data = b"" if body is None else json.dumps(body).encode()
        return await route.handler(self.app, Call(path, query, headers or {}, data))

    async def view(self, function: str, body: Any = None, **given: Any) -> Any:
        return json.loads((await self.ask(function, body, **given)).body)

    async def run(self, seconds: float = 0) -> None:
        until = self.clock.now() + timedelta(seconds=seconds)
        await self.host.pump(self.app.engine)
        while (moment := self.queues.next_at()) is not None and moment <= until:
            self.clock.time = max(self.clock.time, moment)
            await self.host.pump(self.app.engine)
        self.clock.time = max(self.clock.time, until)


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    made = Http()
    yield made
    await made.app.close()


async def test_a_file_is_checked_line_by_line(http: Http) -> None:
    told = await http.view(
        "ValidatePipeline", {"text": "executors:\n  - id: a\n    typ: pass_through\n", "file": "x.yaml"}
    )
    assert told["valid"] is False
    assert "x.yaml:3:5 executors.0.typ: unknown key; did you mean 'type'?" in told["lines"]
    told = await http.view("ValidatePipeline", {"text": TEXT})
    assert (told["valid"], told["ready"], told["errors"]) == (True, True, [])


async def test_a_pipeline_is_made_changed_and_deleted(http: Http) -> None:
    answer = await http.ask("CreatePipeline", {"name": "Größe Invoices", "text": TEXT})
    made = json.loads(answer.body)
    assert (answer.status, made["id"], made["version"], made["input_executor"]) == (201, "grosse-invoices", 1, "find")
    assert [each["id"] for each in made["executors"]] == ["find", "get", "chunk", "out"]
    with pytest.raises(Problem, match="already"):
        await http.ask("CreatePipeline", {"id": made["id"], "text": TEXT})
    with pytest.raises(Problem) as caught:
        await http.ask("CreatePipeline", {"text": "executors: []"})
    assert "text:1:1 executors: at least one executor" in caught.value.errors[0].message
    with pytest.raises(Problem) as caught:
        await http.ask("ChangePipeline", {"enabled": False}, {"if-match": '"other"'}, pipeline_id=made["id"])
    assert caught.value.status == 412
    changed = await http.view(
        "ChangePipeline", {"text": TEXT.replace("debug_mode: false", "debug_mode: true")}, pipeline_id=made["id"]
    )
    assert (changed["version"], changed["id"]) == (2, made["id"])
    versions = await http.view("ListPipelineVersions", pipeline_id=made["id"])
    assert [each["number"] for each in versions["items"]] == [2, 1]
    assert (await http.view("GetPipelineVersion", pipeline_id=made["id"], number="1"))["text"] == TEXT
    assert (await http.ask("DeletePipeline", pipeline_id=made["id"])).status == 204
    with pytest.raises(Problem, match="no such pipeline"):
        await http.ask("GetPipeline", pipeline_id=made["id"])


async def test_a_vault_is_crawled_and_its_executions_can_be_followed(http: Http) -> None:
    await http.ask("CreatePipeline", {"id": "docs", "text": TEXT})
    words = "A sentence about something or other. " * 10
    await http.containers("content").create("a.txt", words.encode())
    with pytest.raises(Problem) as caught:
        await http.ask("CreateVault", {"name": "V", "pipeline_id": "docs", "input": {"prefx": "a"}})
    assert caught.value.errors[0].field == "input"
    vault = await http.view("CreateVault", {"name": "V", "pipeline_id": "docs"})
    await http.run(5)
    (execution,) = (await http.view("ListVaultExecutions", vault_id=vault["id"]))["items"]
    assert (execution["status"], execution["filename"]) == ("completed", "a.txt")
    whole = await http.view("GetExecution", execution_id=execution["id"])
    assert {each["id"]: each["state"] for each in whole["executors"]} == dict.fromkeys(
        ("get", "chunk", "out"), "completed"
    )
    chunked = await http.view("GetExecutionItems", execution_id=execution["id"], executor="chunk")
    assert chunked["items"][0]["data"]["blob_path"] == "a.txt"
    assert [info.name async for info in http.containers("output").list("")]
    checkpoint = await http.view("GetVaultCheckpoints", vault_id=vault["id"])
    assert (checkpoint["found"], checkpoint["new"], checkpoint["failures"]) == (1, 1, 0)
    with pytest.raises(Problem, match="these vaults feed it: v"):
        await http.ask("DeletePipeline", pipeline_id="docs")
    await http.ask("DeleteVaultCheckpoints", vault_id=vault["id"])
    await http.run(5)
    assert len((await http.view("ListExecutions", pipeline_id="docs"))["items"]) == 1
    assert (await http.ask("DeleteVault", vault_id=vault["id"])).status == 204


async def test_a_dry_run_shows_what_comes_out_and_writes_nothing(http: Http) -> None:
    await http.ask("CreatePipeline", {"id": "docs", "text": TEXT})
    await http.containers("content").create("a.txt", b"some words here " * 20)
    await http.containers("content").create("b.txt", b"other words here")
    before = http.app.blobs.names()  # type: ignore[attr-defined]
    told = await http.view("DryRunPipeline", {"limit": 1}, pipeline_id="docs")
    assert (told["completed"], [each["count"] for each in told["executors"]]) == (True, [1, 1, 1, 1])
    assert told["executors"][3]["items"][0]["executor_logs"][-1]["details"] == {"reason": "dry run"}
    assert http.app.blobs.names() == before  # type: ignore[attr-defined]
    assert [info async for info in http.containers("output").list("")] == []


async def test_a_failed_execution_is_retried_on_the_pinned_and_on_the_fixed_definition(http: Http) -> None:
    text = "executors:\n  - {id: get, type: content_retriever, settings: {blob_container_name: content}}\n"
    await http.ask("CreatePipeline", {"id": "docs", "text": text})
    where = {"source_type": "azure_blob", "container": "content", "path": "late.txt"}
    item = {"id": {"canonical_id": "late", "unique_id": "1", **where}, "data": {}}
    begun = await http.view(
        "ExecutePipeline", {"items": [item], "execution_id": "e1", "max_retries": 0}, pipeline_id="docs"
    )
    again = await http.view("ExecutePipeline", {"items": [item], "execution_id": "e1"}, pipeline_id="docs")
    assert again["job_id"] == begun["job_id"]
    await http.run()
    failed = await http.view("GetExecution", execution_id="e1")
    assert failed["status"] == "failed"
    assert failed["executors"][0]["state"] == "failed"
    await http.containers("content").create("late.txt", b"here it is")
    assert (await http.view("RetryExecution", execution_id="e1"))["id"] == "e1"
    await http.run()
    assert (await http.view("GetExecution", execution_id="e1"))["status"] == "completed"
    with pytest.raises(Problem, match="only one that failed"):
        await http.ask("RetryExecution", execution_id="e1")
    await http.ask("ChangePipeline", {"text": text + "  - {id: more, type: pass_through}\n"}, pipeline_id="docs")
    fixed = await http.view("RetryExecution", {"definition": "fixed"}, execution_id="e1")
    assert (fixed["version"], fixed["retry_of"]) == (2, "e1")
    await http.run()
    assert (await http.view("GetExecution", execution_id=fixed["id"]))["status"] == "completed"
    with pytest.raises(Problem, match="not begun with such an item"):
        await http.ask("RetryExecution", {"item": "none"}, execution_id="e1")


async def test_an_execution_is_cancelled(http: Http) -> None:
    await http.ask("CreatePipeline", {"id": "docs", "text": "executors: [{id: a, type: pass_through}]"})
    begun = await http.view("ExecutePipeline", {"items": [{"text": "x"}]}, pipeline_id="docs")
    await http.ask("CancelExecution", execution_id=begun["id"])
    await http.run(5)
    assert (await http.view("GetExecution", execution_id=begun["id"]))["status"] == "cancelled"
    await http.ask("ChangePipeline", {"enabled": False}, pipeline_id="docs")
    with pytest.raises(Problem, match="switched off"):
        await http.ask("ExecutePipeline", {"items": [{"text": "x"}]}, pipeline_id="docs")


async def test_messages_of_other_systems_become_executions_and_what_is_none_goes_to_the_vault(http: Http) -> None:
    await http.ask("CreatePipeline", {"id": "docs", "text": "executors: [{id: a, type: pass_through}]"})
    task = {"task_id": "t1", "pipeline_id": "docs", "content_id": "c1", "content_data": {"text": "x"}}
    forms = [
        json.dumps(task).encode(),
        base64.b64encode(json.dumps({"task_type": "content_processing", "payload": task}).encode()),
    ]
    for number, body in enumerate([*forms, forms[0]]):
        await take_in(http.app, Delivery("contentflow-execution-requests", str(number), body, http.clock.now()))
    await http.run(5)
    (execution,) = (await http.view("ListExecutions"))["items"]
    assert (execution["id"], execution["status"], execution["content"]) == ("t1", "completed", "task:c1")
    await take_in(http.app, Delivery("contentflow-execution-requests", "9", b'{"task_id": "t2"}', http.clock.now()))
    letters, _ = await http.app.engine.vault.find(Filter(), 10)
    assert len(letters) == 1


async def test_the_catalogue_and_the_schema_are_made_of_the_executors(http: Http) -> None:
    items = (await http.view("ListExecutors"))["items"]
    named = {each["type"]: each for each in items}
    assert named["azure_blob_input_discovery"]["aliases"] == ["azure_blob_input"]
    assert "chunk_size" in named["recursive_text_chunker"]["settings"]["properties"]
    schema = await http.view("GetPipelineSchema")
    assert schema["$defs"]["executor"]["allOf"]
    assert all(each["summary"] for each in items)
