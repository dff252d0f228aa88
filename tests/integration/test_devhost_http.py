"""HTTP triggers of devhost: requests in, answers out, as behind the real host."""

from __future__ import annotations

import asyncio
import gzip
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import azure.functions as func
import httpx
import pytest

from devhost import Host
from support.azurite import AzuriteProcess
from support.queue_bench import eventually

SECRET = "postgres://user:secret@db"


def make_app() -> func.FunctionApp:  # noqa: C901 - many small functions
    app = func.FunctionApp()

    @app.route(route="echo/{id:int}/{rest?}", methods=["GET", "POST"])
    async def echo(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
        content = {
            "method": req.method,
            "url": req.url,
            "headers": dict(req.headers),
            "params": dict(req.params),
            "route": dict(req.route_params),
            "body": req.get_body().decode("latin-1"),
            "invocation": context.invocation_id,
        }
        return func.HttpResponse(json.dumps(content), mimetype="application/json", headers={"ETag": '"7"'})

    @app.route(route="sync")
    def sync(req: func.HttpRequest) -> str:
        return f"{req.method} says hello"

    @app.route(route="nothing")
    async def nothing(req: func.HttpRequest):  # type: ignore[no-untyped-def]  # noqa: ANN202
        pass

    @app.route(route="cookies")
    async def cookies(req: func.HttpRequest) -> func.HttpResponse:
        response = func.HttpResponse("b", status_code=201)
        response.headers.add("Set-Cookie", "a=1; Path=/; HttpOnly")
        response.headers.add("Set-Cookie", "b=2")
        return response

    @app.route(route="unchanged")
    async def unchanged(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse(status_code=304, headers={"ETag": '"7"'})

    @app.route(route="fails")
    async def fails(req: func.HttpRequest) -> func.HttpResponse:
        raise RuntimeError(SECRET)

    @app.route(route="wrong")
    async def wrong(req: func.HttpRequest):  # type: ignore[no-untyped-def]  # noqa: ANN202
        return {"a": "dict is no answer"}

    @app.route(route="slow")
    async def slow(req: func.HttpRequest) -> func.HttpResponse:
        await asyncio.sleep(60)
        return func.HttpResponse("late")

    @app.route(route="size", methods=["POST"])
    async def size(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse(str(len(req.get_body())))

    @app.route(route="form", methods=["POST"])
    async def form(req: func.HttpRequest) -> func.HttpResponse:
        return func.HttpResponse(req.form["name"])

    return app


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with (
        Host(make_app(), {}, host_json={"functionTimeout": "00:00:01"}) as host,
        httpx.AsyncClient(base_url=host.url) as client,
    ):
        yield client


async def test_a_request_arrives_whole(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "/api/ECHO/42/x%20y?q=1&q=2&empty=&word=%C3%A9", content=b"\x00\xff", headers={"X-Thing": "A"}
    )
    content = answer.json()
    assert content["method"] == "POST"
    assert content["url"] == f"{client.base_url}/api/ECHO/42/x%20y?q=1&q=2&empty=&word=%C3%A9"
    assert content["params"] == {"q": "1,2", "word": "é"}
    assert content["route"] == {"id": "42", "rest": "x y"}
    assert content["headers"]["x-thing"] == "A"
    assert content["body"] == "\x00\xff"
    assert len(content["invocation"]) == 36


async def test_an_answer_arrives_whole(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/echo/1")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["etag"] == '"7"'


async def test_cookies_and_status(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/cookies")
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers.get_list("set-cookie") == ["a=1; domain=; path=/; httponly", "b=2; domain=; path="]


async def test_a_304_has_no_body(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/unchanged")
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", '"7"')


async def test_a_sync_function_may_return_a_string(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/sync")
    assert (answer.status_code, answer.text) == (200, "GET says hello")


async def test_no_answer_is_500(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/nothing")).status_code == 500


async def test_a_function_without_methods_answers_all_of_them(client: httpx.AsyncClient) -> None:
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        assert (await client.request(method, "/api/sync")).text == f"{method} says hello"
    head = await client.head("/api/sync")
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/unknown"),
        ("GET", "/sync"),
        ("GET", "/api/echo/x"),
        ("DELETE", "/api/echo/1"),
        ("HEAD", "/api/echo/1"),
        ("OPTIONS", "/api/echo/1"),
        ("GET", "/api/size"),
        ("GET", "/admin/unknown"),
    ],
)
async def test_no_route_is_404_as_is_another_method(client: httpx.AsyncClient, method: str, path: str) -> None:
    assert (await client.request(method, path)).status_code == 404


@pytest.mark.parametrize("path", ["/api/fails", "/api/wrong"])
async def test_a_failure_is_500_without_details(
    client: httpx.AsyncClient, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    answer = await client.get(path)
    assert answer.status_code == 500
    assert SECRET not in answer.text
    assert "Traceback" not in answer.text
    assert SECRET not in caplog.text


async def test_a_function_that_overruns_the_function_timeout_is_500(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/slow")).status_code == 500


async def test_a_body_of_some_megabytes_is_taken(client: httpx.AsyncClient) -> None:
    assert (await client.post("/api/size", content=bytes(5_000_000))).text == "5000000"


async def test_a_body_over_the_limit_is_500(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devhost.server.MAX_BODY", 1000)
    assert (await client.post("/api/size", content=bytes(1001))).status_code == 500
    assert (await client.post("/api/size", content=bytes(1000))).text == "1000"


async def test_a_compressed_body_is_handed_on_as_it_came(client: httpx.AsyncClient) -> None:
    body = gzip.compress(bytes(1000))
    answer = await client.post("/api/size", content=body, headers={"Content-Encoding": "gzip"})
    assert answer.text == str(len(body))


async def test_a_body_in_chunks_arrives_empty_and_the_connection_goes_on(client: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"a" * 100_000
        yield b"b"

    for _ in range(2):
        answer = await client.post("/api/echo/1", content=chunks())
        assert (answer.json()["body"], answer.json()["headers"]["transfer-encoding"]) == ("", "chunked")


async def test_a_body_that_nobody_reads_is_read_past(client: httpx.AsyncClient) -> None:
    for path in ("/api/unknown", "/api/echo/1", "/api/unknown"):
        answer = await client.post(path, content=bytes(300_000))
        assert answer.status_code == (404 if "unknown" in path else 200)


async def test_a_form(client: httpx.AsyncClient) -> None:
    assert (await client.post("/api/form", data={"name": "é"})).text == "é"


async def test_many_requests_at_once(client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(client.get(f"/api/echo/{number}") for number in range(50)))
    assert [answer.json()["route"]["id"] for answer in answers] == [str(number) for number in range(50)]


async def test_status_and_home_page(client: httpx.AsyncClient) -> None:
    assert (await client.get("/admin/host/status")).json()["state"] == "Running"
    assert "development only" in (await client.get("/")).text


async def test_another_route_prefix() -> None:
    host_json = {"extensions": {"http": {"routePrefix": ""}}}
    async with Host(make_app(), {}, host_json=host_json) as host, httpx.AsyncClient(base_url=host.url) as client:
        assert (await client.get("/sync")).status_code == 200
        assert (await client.get("/api/sync")).status_code == 404


async def test_functions_run_by_hand(azurite: AzuriteProcess) -> None:
    app = func.FunctionApp()
    runs: list[Any] = []

    @app.timer_trigger("timer", schedule="0 0 3 1 1 *", use_monitor=False)
    def nightly(timer: func.TimerRequest) -> None:
        runs.append(timer.past_due)

    @app.queue_trigger("message", queue_name="never-made", connection="AzureWebJobsStorage")
    async def work(message: func.QueueMessage) -> None:
        runs.append((message.get_body(), message.dequeue_count))

    @app.route(route="web")
    async def web(req: func.HttpRequest) -> str:
        runs.append(req.get_body())
        return ""

    host = Host(app, {"AzureWebJobsStorage": azurite.connection_string})
    async with host, httpx.AsyncClient(base_url=host.url) as client:
        assert (await client.post("/admin/functions/nightly", json={"input": ""})).status_code == 202
        assert (await client.post("/admin/functions/Work", json={"input": "hi"})).status_code == 202
        for body in ({}, {"input": None}, {"input": "hi"}):
            assert (await client.post("/admin/functions/web", json=body)).status_code == 202
        assert (await client.post("/admin/functions/other", json={"input": ""})).status_code == 404
        for wrong in ("", "[]", '{"input": 1}'):
            assert (await client.post("/admin/functions/work", content=wrong)).status_code == 400
    assert sorted(runs, key=str) == [(b"hi", 1), False, b"", b"", b"hi"]


async def test_draining_stops_listening_and_lets_what_runs_finish(azurite: AzuriteProcess) -> None:
    app = func.FunctionApp()
    begun, go_on = asyncio.Event(), asyncio.Event()

    @app.timer_trigger("timer", schedule="0 0 3 1 1 *", run_on_startup=True)
    async def nightly(timer: func.TimerRequest) -> None:
        begun.set()
        await go_on.wait()

    host = Host(app, {"AzureWebJobsStorage": azurite.connection_string})
    async with host, httpx.AsyncClient(base_url=host.url) as client:
        await begun.wait()
        assert await _drain_state(client) == "Disabled"
        assert (await client.post("/admin/host/drain")).status_code == 202
        assert await _drain_state(client) == "InProgress"
        go_on.set()
        await eventually(lambda: _is_drained(client))


async def _drain_state(client: httpx.AsyncClient) -> str:
    return str((await client.get("/admin/host/drain/status")).json()["state"])


async def _is_drained(client: httpx.AsyncClient) -> bool:
    return await _drain_state(client) == "Completed"


async def test_with_a_key_it_asks_for_it_as_a_deployed_host_does() -> None:
    app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)

    @app.route(route="web")
    async def web(req: func.HttpRequest) -> str:
        return "in"

    host = Host(app, {}, key="abc")
    async with host, httpx.AsyncClient(base_url=host.url) as client:
        for wrong in ({}, {"x-functions-key": "ABC"}):
            answer = await client.get("/api/web", headers=wrong)
            assert (answer.status_code, answer.content) == (401, b"")
        assert (await client.get("/api/web", headers={"x-functions-key": "abc"})).text == "in"
        assert (await client.get("/api/web?code=abc")).text == "in"
        assert (await client.get("/admin/host/status")).status_code == 401
        assert (await client.get("/admin/host/status?code=abc")).json()["state"] == "Running"


async def test_stopping_waits_for_a_request_under_way() -> None:
    app = func.FunctionApp()
    begun = asyncio.Event()

    @app.route(route="slow")
    async def slow(req: func.HttpRequest) -> str:
        begun.set()
        await asyncio.sleep(0.5)
        return "done"

    async with httpx.AsyncClient() as client:
        async with Host(app, {}) as host:
            request = asyncio.create_task(client.get(f"{host.url}/api/slow"))
            await begun.wait()
        assert (await request).text == "done"
