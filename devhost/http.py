"""The HTTP side: functions behind their routes, and the few admin endpoints of the real host that are of use here."""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import time
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Protocol

from azure.functions import meta

from devhost.answers import answer_of
from devhost.index import HTTP, Function, converter
from devhost.invoke import Invoker
from devhost.origins import Origins
from devhost.routes import Router
from devhost.server import Answer, Request, Server
from devhost.urls import BadPathError, joined_values, normalised, parameters, rebuilt

logger = logging.getLogger("devhost.http")

_ADMIN = "/admin/"
_PING = (("Cache-Control", "no-store,no-cache"), ("Pragma", "no-cache"))


class Control(Protocol):
    """What the admin endpoints ask of the host."""

    def run_by_hand(self, name: str, text: str) -> asyncio.Task[Any] | None:
        """Start the function of this name with this input; None if there is none."""
        ...

    def drain(self) -> None:
        """Stop the listeners and let what runs finish."""
        ...

    @property
    def drain_state(self) -> str:
        """How far that has come."""
        ...


class HttpServer:
    """Serves the HTTP functions of an app on one port.

    Args:
        functions: The app's functions, of every kind.
        prefix: The prefix of every route.
        invoker: Runs them.
        host: What the admin endpoints ask.
        origins: Tells which requests are answered.
        key: What a function above the level ``ANONYMOUS`` and the admin endpoints ask for; None: no keys are asked
            for, as under ``func start``.
    """

    def __init__(
        self,
        functions: Iterable[Function],
        prefix: str,
        invoker: Invoker,
        host: Control,
        origins: Origins,
        key: str | None = None,
    ) -> None:
        self.router = Router((function for function in functions if function.kind == HTTP), prefix)
        self._invoker = invoker
        self._host = host
        self._origins = origins
        self._encode = converter("http").encode
        self._key = key
        self._server = Server(self._serve)
        self._started = time.monotonic()
        self.state = "Running"

    @property
    def asks_for_key(self) -> bool:
        """Whether functions above the level ``ANONYMOUS`` ask for a key."""
        return self._key is not None

    async def start(self, address: str, port: int) -> int:
        """Listen, and return the port (a free one for 0)."""
        return await self._server.start(address, port)

    async def close(self, grace: float | None) -> None:
        """Stop listening, and wait for the requests under way, for so many seconds at most."""
        await self._server.close(grace)

    async def _serve(self, request: Request) -> Answer:
        if why := self._origins.refusal(request.headers):
            logger.warning("a request is refused: its %s", why)
            return Answer(403, _TEXT, f"devhost refuses this request: its {why}. --any-origin lets it in.\n".encode())
        try:
            path = normalised(request.path)
        except BadPathError:
            return Answer(400)
        found = self.router.find(request.method, path)
        if found is None:
            return await self._admin(request, path)
        function, values = found
        if function.trigger.get("authLevel", "FUNCTION") != "ANONYMOUS" and not self._has_key(request):
            return Answer(401)
        return await self._invoke(request, path, function, values)

    async def _invoke(self, request: Request, path: str, function: Function, values: Mapping[str, str]) -> Answer:
        datum = _request_datum(request, path, await request.read(), values)
        outcome = await self._invoker.invoke(function, partial(function.decode, datum, {}), self._encoded)
        return answer_of(outcome.value) if outcome.succeeded else Answer(500)

    def _encoded(self, value: Any) -> meta.Datum | None:
        """Make the answer's content of what a function returned, with the library's own converter."""
        return None if value is None else self._encode(value, expected_type=None)

    def _has_key(self, request: Request) -> bool:
        if self._key is None:
            return True
        given = request.header("x-functions-key") or parameters(request.query).get("code", "")
        return hmac.compare_digest(given.encode(), self._key.encode())

    async def _admin(self, request: Request, path: str) -> Answer:
        if request.method == "GET" and path == "/":
            return Answer(200, _TEXT, b"The function app is up and running (devhost, for development only).\n")
        if request.method == "GET" and path == f"{_ADMIN}host/ping":
            return Answer(200, _PING)
        if path.startswith((_ADMIN, "/runtime/webhooks/")):
            return await self._guarded(request, path) if self._has_key(request) else Answer(401, _BEARER)
        return Answer(404)

    async def _guarded(self, request: Request, path: str) -> Answer:
        if request.method == "GET" and path == f"{_ADMIN}host/status":
            uptime = round((time.monotonic() - self._started) * 1000)
            return _json({"state": self.state, "processUptime": uptime})
        if request.method == "GET" and path == f"{_ADMIN}host/drain/status":
            return _json({"state": self._host.drain_state})
        if request.method == "POST" and path == f"{_ADMIN}host/drain":
            self._host.drain()
            return Answer(202)
        name = path.removeprefix(f"{_ADMIN}functions/")
        if request.method == "POST" and name != path:
            return await self._run_by_hand(request, name)
        return Answer(404)

    async def _run_by_hand(self, request: Request, name: str) -> Answer:
        try:
            text = json.loads(await request.read()).get("input")
            text = "" if text is None else text
        except (ValueError, AttributeError):
            text = None
        if not isinstance(text, str):
            return Answer(400, _TEXT, b'The body must be {"input": "..."}.')
        return Answer(404 if self._host.run_by_hand(name, text) is None else 202)


_TEXT = (("Content-Type", "text/plain; charset=utf-8"),)
_JSON = (("Content-Type", "application/json"),)
_BEARER = (("WWW-Authenticate", "Bearer"),)


def _json(content: Any) -> Answer:
    return Answer(200, _JSON, json.dumps(content).encode())


def by_hand(function: Function, text: str) -> Any:
    """Return what decodes the argument of an HTTP function that is run by hand: a GET with the input as its body."""
    content = {
        "method": meta.Datum("GET", "string"),
        "url": meta.Datum(f"http://localhost/{function.trigger.get('route') or function.name}", "string"),
        "headers": {},
        "query": {},
        "params": {},
        "body": meta.Datum(text.encode(), "bytes"),
    }
    return partial(function.decode, meta.Datum(content, "http"), {})


def _request_datum(request: Request, path: str, body: bytes, values: Mapping[str, str]) -> meta.Datum:
    """Make what the host sends the worker of a request."""
    query = f"?{request.query}" if request.query else ""
    content = {
        "method": meta.Datum(request.method.upper(), "string"),
        "url": meta.Datum(f"http://{request.header('host') or ''}{rebuilt(path)}{query}", "string"),
        "headers": _strings(_headers(request)),
        "query": _strings(parameters(request.query)),
        "params": _strings(values),
        "body": meta.Datum(body, "bytes"),
    }
    return meta.Datum(content, "http")


def _headers(request: Request) -> dict[str, str]:
    values: dict[str, list[str]] = {}
    for name, value in request.headers:
        values.setdefault(name, []).append(value)
    return {name: joined_values(found) for name, found in values.items()}


def _strings(values: Mapping[str, str]) -> dict[str, meta.Datum]:
    return {name: meta.Datum(value, "string") for name, value in values.items()}
