"""A web page that a developer visits cannot use devhost: what it may make a browser send is refused."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import azure.functions as func
import httpx
import pytest

from devhost import Host
from devhost.config import ConfigError

ELSEWHERE = "https://elsewhere.example"
SOURCE = """
import azure.functions as func
app = func.FunctionApp()
@app.route(route="letters")
def letters(req: func.HttpRequest) -> str:
    return "done"
"""


@asynccontextmanager
async def running(**options: Any) -> AsyncIterator[tuple[httpx.AsyncClient, int, list[str]]]:
    """A host, a client of it, its port, and what was done."""
    app, done = func.FunctionApp(), []

    @app.route(route="letters")
    async def letters(req: func.HttpRequest) -> str:
        done.append(req.method)
        return "done"

    async with Host(app, {}, **options) as host, httpx.AsyncClient(base_url=f"http://127.0.0.1:{host.port}") as client:
        yield client, host.port, done


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.parametrize("path", ["/api/letters", "/admin/host/status", "/admin/functions/letters", "/"])
@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({"Origin": ELSEWHERE}, f"Origin is '{ELSEWHERE}'"),
        ({"Origin": "null"}, "Origin is 'null'"),
        ({"Origin": "http://127.0.0.1:1"}, "Origin is 'http://127.0.0.1:1'"),
        ({"Origin": "https://127.0.0.1:PORT"}, "Origin is 'https://127.0.0.1:"),
        ({"Origin": "http://localhost:PORT"}, "Origin is 'http://localhost:"),
        ({"Host": "rebound.example:PORT"}, "Host is 'rebound.example:"),
        ({"Host": "rebound.example:PORT", "Origin": "http://rebound.example:PORT"}, "Host is 'rebound.example:"),
        ({"Host": "localhost.example"}, "Host is 'localhost.example'"),
        ({"Host": "127.0.0.1.example"}, "Host is '127.0.0.1.example'"),
        ({"Host": "192.0.2.1:PORT"}, "Host is '192.0.2.1:"),
        ({"Host": "127.0.0.1:7071@x.example"}, "Host is '127.0.0.1:7071@x.example'"),
    ],
)
async def test_what_a_page_elsewhere_can_send_is_refused(
    method: str, path: str, headers: dict[str, str], why: str
) -> None:
    async with running() as (client, port, done):
        given = {name: value.replace("PORT", str(port)) for name, value in headers.items()}
        answer = await client.request(method, path, headers=given)
        assert (answer.status_code, answer.headers["content-type"]) == (403, "text/plain; charset=utf-8")
        assert answer.text.startswith(f"devhost refuses this request: its {why}")
        assert done == []


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": "localhost:PORT"},
        {"Host": "LocalHost"},
        {"Host": "127.0.0.2:80"},
        {"Host": "[::1]:PORT"},
        {"Origin": "http://127.0.0.1:PORT"},
        {"Host": "localhost:4000", "Origin": "http://localhost:4000"},
    ],
)
async def test_who_asks_from_this_machine_is_answered(headers: dict[str, str]) -> None:
    async with running() as (client, port, done):
        given = {name: value.replace("PORT", str(port)) for name, value in headers.items()}
        assert (await client.post("/api/letters", headers=given)).text == "done"
        assert (await client.get("/admin/host/status", headers=given)).status_code == 200
        assert done == ["POST"]


async def test_a_host_that_listens_everywhere_is_asked_by_address_and_not_by_a_name() -> None:
    async with running(address="0.0.0.0") as (client, _, done):
        for host, status in (("192.0.2.1:7071", 200), ("[2001:db8::1]", 200), ("rebound.example", 403)):
            assert (await client.get("/api/letters", headers={"Host": host})).status_code == status
        assert (await client.get("/api/letters", headers={"Origin": ELSEWHERE})).status_code == 403
        assert len(done) == 2


async def test_with_any_origin_everybody_is_answered_as_by_the_real_host() -> None:
    async with running(any_origin=True) as (client, _, done):
        answer = await client.post("/api/letters", headers={"Host": "rebound.example", "Origin": ELSEWHERE})
        assert answer.text == "done"
        assert done == ["POST"]


@pytest.mark.parametrize(
    ("cors", "answered"),
    [
        (f"http://x.example, {ELSEWHERE.upper()}/", [200, 403, 403]),
        ("*", [200, 200, 403]),
        ("", [403, 403, 403]),
    ],
)
async def test_origins_of_the_settings_are_let_in_and_no_other_host(
    tmp_path: Path, cors: str, answered: list[int]
) -> None:
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    (tmp_path / "function_app.py").write_text(SOURCE)
    (tmp_path / "local.settings.json").write_text(json.dumps({"Host": {"CORS": cors}}))
    asked = ({"Origin": ELSEWHERE}, {"Origin": "null"}, {"Origin": ELSEWHERE, "Host": "rebound.example"})
    async with Host(tmp_path, {}) as host, httpx.AsyncClient(base_url=host.url) as client:
        answers = await asyncio.gather(*(client.get("/api/letters", headers=headers) for headers in asked))
    assert [answer.status_code for answer in answers] == answered


def test_origins_that_are_no_string_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text('{"version": "2.0"}')
    (tmp_path / "function_app.py").write_text(SOURCE)
    (tmp_path / "local.settings.json").write_text('{"Host": {"CORS": ["*"]}}')
    with pytest.raises(ConfigError, match=r"Host\.CORS"):
        Host(tmp_path, {})
