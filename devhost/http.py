"""The HTTP side: functions behind their routes, and the few admin endpoints of the real host that are of use here."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Protocol

from aiohttp import web
from azure.functions import meta

from devhost.index import HTTP, Function, converter
from devhost.invoke import Invoker
from devhost.routes import Router

MAX_BODY = 100 * 1024 * 1024
_ADMIN = "/admin/"


class ByHand(Protocol):
    """Starts a function by hand; None if it is none that can be."""

    def __call__(self, name: str, text: str) -> asyncio.Task[Any] | None:
        """Start the function of this name with this input."""
        ...


class HttpServer:
    """Serves the HTTP functions of an app on one port. Function keys are not asked for, as under ``func start``."""

    def __init__(
        self, functions: Iterable[Function], prefix: str, invoker: Invoker, by_hand: ByHand, grace: float
    ) -> None:
        self.router = Router((function for function in functions if function.kind == HTTP), prefix)
        self._invoker = invoker
        self._by_hand = by_hand
        self._encode = converter("http").encode
        self._runner: web.ServerRunner | None = None
        self._grace = grace
        self._started = time.monotonic()
        self.state = "Running"

    async def start(self, address: str, port: int) -> int:
        """Listen, and return the port (a free one for 0)."""
        server = web.Server(
            self._serve,
            request_factory=_request,
            access_log=None,
            auto_decompress=False,  # the real host hands a compressed body on as it came
        )
        self._runner = web.ServerRunner(server, shutdown_timeout=self._grace)
        await self._runner.setup()
        await web.TCPSite(self._runner, address, port).start()
        return int(self._runner.addresses[0][1])

    async def close(self) -> None:
        """Stop listening, and wait for the requests under way."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.rel_url.raw_path
        found = self.router.find(request.method, path)
        if found is None:
            return await self._admin(request, path)
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return web.Response(status=413)
        return await self._invoke(request, body, *found)

    async def _invoke(
        self, request: web.BaseRequest, body: bytes, function: Function, values: Mapping[str, str]
    ) -> web.StreamResponse:
        decode = partial(function.decode, _request_datum(request, body, values), {})
        outcome = await self._invoker.invoke(function, decode, self._encoded)
        return outcome.value if outcome.succeeded else web.Response(status=500)

    def _encoded(self, value: Any) -> web.Response:
        """Make the answer of what a function returned, with the library's own converter; 204 for nothing."""
        if value is None:
            return web.Response(status=204)
        datum = self._encode(value, expected_type=None)
        if datum.type == "string":
            return web.Response(text=datum.value)
        return _response(datum.value)

    async def _admin(self, request: web.BaseRequest, path: str) -> web.Response:
        if request.method == "GET" and path == "/":
            return web.Response(text="The function app is up and running (devhost, for development only).\n")
        if request.method == "GET" and path == f"{_ADMIN}host/status":
            uptime = round((time.monotonic() - self._started) * 1000)
            return web.json_response({"state": self.state, "processUptime": uptime})
        name = path.removeprefix(f"{_ADMIN}functions/")
        if request.method == "POST" and name != path:
            return await self._run_by_hand(request, name)
        return web.Response(status=404)

    async def _run_by_hand(self, request: web.BaseRequest, name: str) -> web.Response:
        try:
            text = json.loads(await request.read())["input"]
        except (ValueError, KeyError, TypeError, web.HTTPRequestEntityTooLarge):
            text = None
        if not isinstance(text, str):
            return web.Response(status=400, text='The body must be {"input": "..."}.')
        return web.Response(status=404 if self._by_hand(name, text) is None else 202)


def _request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
    loop = asyncio.get_running_loop()
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=MAX_BODY)


def _request_datum(request: web.BaseRequest, body: bytes, values: Mapping[str, str]) -> meta.Datum:
    """Make what the host sends the worker of a request: names in lower case, several values joined by commas."""
    content = {
        "method": meta.Datum(request.method, "string"),
        "url": meta.Datum(f"{request.scheme}://{request.host}{request.raw_path}", "string"),
        "headers": _strings((name.lower(), value) for name, value in request.headers.items()),
        "query": _strings(request.rel_url.query.items()),
        "params": _strings(values.items()),
        "body": meta.Datum(body, "bytes"),
    }
    return meta.Datum(content, "http")


def _strings(pairs: Iterable[tuple[str, str]]) -> dict[str, meta.Datum]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return {name: meta.Datum(value, "string") for name, value in joined.items()}


def _response(content: Mapping[str, Any]) -> web.Response:
    response = web.Response(
        status=int(content["status_code"].value),
        headers={name: datum.value for name, datum in content["headers"].items()},
        body=content["body"].value,
    )
    for cookies in content["cookies"] or ():
        for morsel in cookies.values():
            response.headers.add("Set-Cookie", morsel.OutputString())
    return response
