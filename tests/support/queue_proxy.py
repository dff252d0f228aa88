"""A proxy before a storage account's queues: it keeps what is asked, and answers in its place where a test says so."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web
from yarl import URL

RECEIVE, DELETE, UPDATE, SEND, CREATE, OTHER = "receive", "delete", "update", "send", "create", "other"

Forward = Callable[[], Awaitable[web.Response]]
Intervention = Callable[[Forward], Awaitable[web.Response]]
"""Answers in place of the account; calling what it is given asks the account."""


@dataclass(frozen=True)
class Call:
    """A call of the queue service."""

    kind: str
    queue: str
    query: dict[str, str]


@dataclass
class QueueProxy:
    """What was asked, and what is to be answered otherwise."""

    target: str
    session: aiohttp.ClientSession
    calls: list[Call] = field(default_factory=list)
    interventions: dict[tuple[str, str], Intervention] = field(default_factory=dict)
    runner: web.AppRunner | None = None

    @property
    def port(self) -> int:
        assert self.runner is not None
        return int(self.runner.addresses[0][1])

    async def vanish(self) -> None:
        """Listen no more: connections are refused from here on."""
        if self.runner is not None:
            await self.runner.cleanup()

    def of(self, queue: str, *kinds: str) -> list[Call]:
        """The calls of some kinds on a queue, in their order."""
        return [call for call in self.calls if call.queue == queue and (not kinds or call.kind in kinds)]

    def on(self, kind: str, queue: str, intervention: Intervention) -> None:
        """Let something answer every such call from here on."""
        self.interventions[kind, queue] = intervention

    async def serve(self, request: web.Request) -> web.Response:
        call = _call(request)
        self.calls.append(call)
        body = await request.read()

        async def forward() -> web.Response:
            headers = {name: value for name, value in request.headers.items() if name.lower() != "host"}
            url = self.target + request.raw_path
            async with self.session.request(
                request.method, URL(url, encoded=True), headers=headers, data=body or None
            ) as answer:
                kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOPS}
                return web.Response(status=answer.status, headers=kept, body=await answer.read())

        intervention = self.interventions.get((call.kind, call.queue))
        return await (intervention(forward) if intervention else forward())


_HOPS = {"transfer-encoding", "connection", "content-length", "keep-alive"}


def _call(request: web.Request) -> Call:
    _, _, queue, *rest = [*request.path.split("/"), ""]
    query = dict(request.query)
    messages, one = rest[:1] == ["messages"], len([part for part in rest[1:] if part]) > 0
    kinds = {
        ("GET", True, False): OTHER if "peekonly" in query else RECEIVE,
        ("POST", True, False): SEND,
        ("PUT", True, True): UPDATE,
        ("DELETE", True, True): DELETE,
        ("PUT", False, False): CREATE,
    }
    return Call(kinds.get((request.method, messages, one), OTHER), queue, query)


@asynccontextmanager
async def queue_proxy(queue_port: int) -> AsyncIterator[QueueProxy]:
    """Run a proxy before an emulator's queue port."""
    added = ("Content-Type", "User-Agent", "Accept", "Accept-Encoding")  # by the client itself: some of them are signed
    async with aiohttp.ClientSession(auto_decompress=False, skip_auto_headers=added) as session:
        proxy = QueueProxy(f"http://127.0.0.1:{queue_port}", session)
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", proxy.serve)
        proxy.runner = web.AppRunner(app, shutdown_timeout=0.1)
        await proxy.runner.setup()
        await web.TCPSite(proxy.runner, "127.0.0.1", 0).start()
        try:
            yield proxy
        finally:
            await proxy.vanish()


def refusing(status: int, code: str, times: int | None = None, *, done: bool = False) -> Intervention:
    """An intervention that answers with an error, so many times, or for good; where it is `done`, all the same."""
    given: Counter[str] = Counter()

    async def intervene(forward: Forward) -> web.Response:
        given["times"] += 1
        if times is not None and given["times"] > times:
            return await forward()
        if done:
            await forward()
        body = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>told to</Message></Error>'
        headers = {"x-ms-error-code": code, "Content-Type": "application/xml"}
        return web.Response(status=status, headers=headers, text=body)

    return intervene
