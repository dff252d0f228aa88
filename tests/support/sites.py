"""A web site on this machine, which remembers who came; and a name server that tests script."""

from __future__ import annotations

import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Site:
    """Serves what it is given under each path; 404 elsewhere."""

    port: int = 0
    requests: list[web.Request] = field(default_factory=list)
    handlers: dict[str, Handler] = field(default_factory=dict)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def hits(self) -> list[str]:
        """The paths that were asked for, without robots.txt."""
        return [one.path for one in self.requests if one.path != "/robots.txt"]

    def url(self, path: str) -> str:
        return f"http://{self.host}{path}"

    def serve(
        self, path: str, body: bytes | str = b"", status: int = 200, kind: str = "text/plain", **headers: str
    ) -> str:
        data = body.encode() if isinstance(body, str) else body

        async def handler(_: web.Request) -> web.Response:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return web.Response(body=data, status=status, content_type=kind, headers=named)

        self.handlers[path] = handler
        return self.url(path)

    def image(self, path: str, body: bytes = b"", status: int = 200, **headers: str) -> str:
        """What is said to be a PNG."""
        return self.serve(path, body, status, "image/png", **headers)

    def feed(self, path: str, titles: list[str]) -> str:
        """A feed with an entry for each title."""
        items = "".join(
            f"<item><title>{t}</title><link>https://site.example/{n}</link></item>" for n, t in enumerate(titles)
        )
        body = f"<rss version='2.0'><channel><title>t</title>{items}</channel></rss>"
        return self.serve(path, body, kind="application/rss+xml")

    def subreddit(self, name: str, count: int, sort: str = "hot") -> None:
        """A listing of so many posts."""
        self.serve(f"/r/{name}/{sort}.json", listing(name, count), kind="application/json")

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        handler = self.handlers.get(request.path)
        return await handler(request) if handler else web.Response(status=404)


@asynccontextmanager
async def open_site() -> AsyncIterator[Site]:
    site = Site()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", site.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    site.port = runner.addresses[0][1]
    try:
        yield site
    finally:
        await runner.cleanup()


class Answers(AbstractResolver):
    """A name server that gives each answer once, then the last one for ever."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        self.asked.append(host)
        addresses = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [_result(host, address, port) for address in addresses]

    async def close(self) -> None:
        pass


def _result(host: str, address: str, port: int) -> ResolveResult:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST)


def post(number: int, subreddit: str = "technology", **fields: Any) -> dict[str, Any]:
    """A post as Reddit's API answers it."""
    return {
        "kind": "t3",
        "data": {
            "name": f"t3_{subreddit}{number}",
            "title": f"Post {number}",
            "url": f"https://site.example/{subreddit}/{number}?utm_source=reddit",
            "permalink": f"/r/{subreddit}/comments/{number}/post/",
            "author": "someone",
            "created_utc": 1_700_000_000 + number,
            "score": 10 * number,
            "num_comments": number,
            "is_self": False,
            "selftext": "",
            **fields,
        },
    }


def listing(subreddit: str, count: int) -> str:
    """A listing as Reddit's API answers it."""
    children = [post(number, subreddit) for number in range(1, count + 1)]
    return json.dumps({"kind": "Listing", "data": {"after": None, "children": children}})
