"""A client that is generated from the OpenAPI document works with the app."""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from support.tickets import Desk


@pytest.fixture(scope="module")
async def package(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of the generated package."""
    folder, name = tmp_path_factory.mktemp("client"), f"client_{uuid.uuid4().hex}"
    (folder / "openapi.json").write_text((await desk.http.get("/api/openapi.json")).text)
    (folder / "config.yml").write_text("post_hooks: []\n")
    command = [str(Path(sys.executable).with_name("openapi-python-client")), "generate", "--fail-on-warning"]
    options = ["--path", "openapi.json", "--config", "config.yml", "--meta", "none", "--output-path", name]
    made = await asyncio.to_thread(subprocess.run, [*command, *options], cwd=folder, capture_output=True, text=True)
    assert made.returncode == 0, made.stdout + made.stderr
    sys.path.append(str(folder))
    return name


class Client:
    """The generated client of one app; operations by name."""

    def __init__(self, package: str, url: str) -> None:
        self._package = package
        self._client = import_module(f"{package}.client").Client(base_url=f"{url}/api", raise_on_unexpected_status=True)

    async def close(self) -> None:
        await self._client.get_async_httpx_client().aclose()

    def model(self, name: str, content: dict[str, Any]) -> Any:
        snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
        return getattr(import_module(f"{self._package}.models.{snake}"), name).from_dict(content)

    async def __call__(self, operation: str, *arguments: Any, **options: Any) -> Any:
        module = import_module(f"{self._package}.api.{operation}")
        return await module.asyncio(*arguments, client=self._client, **options)


@pytest.fixture
async def client(package: str, desk: Desk) -> AsyncIterator[Client]:
    made = Client(package, desk.app.url)
    yield made
    await made.close()


async def test_a_job_is_submitted_polled_and_found(client: Client, desk: Desk) -> None:
    body = client.model("SubmitEcho", {"payload": {"text": f"by a client {uuid.uuid4()}"}, "priority": "high"})
    ticket = await client("jobs.submit_job_echo", body=body)
    assert (ticket.duplicate, ticket.status) == (False, "queued")
    await desk.until(str(ticket.job_id))
    job = await client("jobs.get_job", ticket.job_id)
    assert (job.status, job.results["said"]) == ("completed", body.payload.text)
    assert datetime.now(UTC) - job.created_at < timedelta(minutes=5)
    page = await client("jobs.list_jobs", kind="echo", since=job.created_at, limit=200)
    assert ticket.job_id in [each.job_id for each in page.items]
    history = await client("jobs.get_job_history", ticket.job_id)
    assert [entry.event for entry in history.items][-1] == "completed"


async def test_pages_follow_each_other(client: Client, desk: Desk) -> None:
    tickets = {await desk.ticket("fails", payload={}) for _ in range(3)}
    for ticket in tickets:
        await desk.until(ticket, "failed")
    found: list[str] = []
    cursor: dict[str, str] = {}
    while tickets - set(found):
        page = await client("dead_letters.list_dead_letters", kind="fails", limit=1, **cursor)
        found += [each.job_id for each in page.items]
        cursor = {"cursor": page.cursor or "there should be more: this is refused"}
    assert len(found) == len(set(found))


async def test_a_problem_is_an_answer_with_a_type_that_has_a_page(client: Client, desk: Desk) -> None:
    problem = await client("jobs.get_job", uuid.uuid4())
    assert (problem.status, problem.title) == (404, "Not found")
    page = await desk.http.get(problem.type_)
    assert (page.status_code, page.headers["content-type"].partition(";")[0]) == (200, "text/html")
    refused = await client("jobs.submit_job_echo", body=client.model("SubmitEcho", {"payload": {"text": "x" * 200}}))
    assert [each.field for each in refused.errors] == ["payload.text"]


async def test_every_operation_has_a_function(package: str, desk: Desk) -> None:
    document = json.loads((await desk.http.get("/api/openapi.json")).text)
    operations = [each for methods in document["paths"].values() for each in methods.values()]
    for each in operations:
        module = f"{package}.api.{_snake(each['tags'][0])}.{_snake(each['operationId'])}"
        assert callable(import_module(module).asyncio_detailed), module


def _snake(name: str) -> str:
    """As the generator names modules."""
    return re.sub(r"[-\s]", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)).lower()
