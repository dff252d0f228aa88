"""The app keeps to its own OpenAPI document: schemathesis makes up requests, good and bad, and checks every answer."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from support.azurite import AzuriteProcess
from support.tickets import Desk, open_desk

_TESTS = Path(__file__).parents[2]
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "use_after_free",
    "ensure_resource_availability",
)


@pytest.fixture(scope="module")
async def desk(azurite: AzuriteProcess, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Desk]:
    """An app of its own: what is made up pauses kinds, and submits jobs that run for an hour."""
    folder = tmp_path_factory.mktemp("openapi")
    async with open_desk(azurite.connection_string, f"t{uuid.uuid4().hex}", folder) as opened:
        yield opened


_TOO_LARGE_IS_REFUSED = """[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429, "5xx"]
"""


async def the_document(desk: Desk) -> dict[str, Any]:
    answer = await desk.http.get("/api/openapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    return dict(answer.json())


async def schemathesis(desk: Desk, folder: Path, *arguments: str) -> int:
    """Run it, without the function key that local hosts do not ask for; return how many cases it tried."""
    content = await the_document(desk)
    for methods in content["paths"].values():
        for operation in methods.values():
            del operation["security"]
    (folder / "openapi.json").write_text(json.dumps(content))
    (folder / "schemathesis.toml").write_text(_TOO_LARGE_IS_REFUSED)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "run", "openapi.json", "--url", f"{desk.app.url}/api"),
        *("--checks", ",".join(CHECKS), "--no-color", "--warnings", "off", "--request-timeout", "20", *arguments),
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(_TESTS), "SCHEMATHESIS_HOOKS": "support.schemathesis_hooks"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output = (await process.communicate())[0].decode()
    assert process.returncode == 0, output[output.find("= FAILURES") :][:3000] + output[-3000:]
    found = re.search(r"([\d,]+) generated", output)
    assert found, output
    return int(found[1].replace(",", ""))


async def test_the_document_can_be_asked_for_again(desk: Desk) -> None:
    answer = await desk.http.get("/api/openapi.json")
    again = await desk.http.get("/api/openapi.json", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert answer.json()["openapi"].startswith("3.1")
    assert answer.json()["servers"] == [{"url": f"{desk.app.url}/api"}]


async def test_public_kinds_are_in_it_and_others_are_not(desk: Desk) -> None:
    paths = (await the_document(desk))["paths"]
    assert {"/jobs/echo", "/jobs/steps", "/jobs/fails"} <= set(paths)
    assert not {"/jobs/inner", "/jobs/webhook"} & set(paths)
    body = paths["/jobs/echo"]["post"]["requestBody"]["content"]["application/json"]
    assert body["schema"] == {"$ref": "#/components/schemas/SubmitEcho"}


async def test_no_answer_but_those_declared(desk: Desk, tmp_path: Path) -> None:
    assert await schemathesis(desk, tmp_path, "--phases", "fuzzing", "--max-examples", "4", "--seed", "1") >= 150


@pytest.mark.slow
async def test_no_answer_but_those_declared_in_thousands_of_cases(desk: Desk, tmp_path: Path) -> None:
    cases = await schemathesis(desk, tmp_path, "--max-examples", "60", "--seed", "2")
    print(f"{cases} cases")
    assert cases >= 2000
