"""The two queue listeners as processes that POST each message to the test: Microsoft's own, and devhost's."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiohttp import web

from support import shared_folder

_HERE = Path(__file__).parent
REPOSITORY = _HERE.parents[1]
DEVHOST, REAL = "devhost", "queue-listener"
REAL_LEASE = 600
_STARTING = asyncio.Semaphore(3)
"""Where many tests run side by side, they start few processes at a time."""


@dataclass
class Delivery:
    """A message that a listener handed over."""

    queue: str
    body: bytes
    metadata: Mapping[str, Any]
    at: float
    """By the monotonic clock."""
    came: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def count(self) -> int:
        return int(self.metadata["DequeueCount"])

    def moment(self, name: str) -> datetime:
        return datetime.fromisoformat(str(self.metadata[name]).replace(" ", "T", 1))


Function = Callable[[Delivery], Awaitable[bool]]
"""What is done with a delivery; whether it succeeds."""


@dataclass
class Receiver:
    """Takes what listeners hand over."""

    function: Function
    deliveries: list[Delivery] = field(default_factory=list)
    url: str = ""

    @property
    def counts(self) -> list[int]:
        return [delivery.count for delivery in self.deliveries]

    @property
    def bodies(self) -> list[bytes]:
        return [delivery.body for delivery in self.deliveries]

    async def answer(self, request: web.Request) -> web.Response:
        content = await request.json()
        body, metadata = base64.b64decode(content["body"]), content["trigger_metadata"]
        delivery = Delivery(content["queue"], body, metadata, time.monotonic())
        self.deliveries.append(delivery)
        return web.Response(status=200 if await self.function(delivery) else 500)


@asynccontextmanager
async def receiving(function: Function) -> AsyncIterator[Receiver]:
    """Listen for deliveries on a free port."""
    receiver = Receiver(function)
    app = web.Application()
    app.router.add_post("/deliver/{queue}", receiver.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/deliver"
    try:
        yield receiver
    finally:
        await runner.cleanup()


class Listener:
    """A listener that runs, and what it has said."""

    def __init__(self, process: asyncio.subprocess.Process, listening: str, fatal: str) -> None:
        self._process = process
        self._listening, self._fatal = listening, fatal
        self.output = ""
        self._reading = asyncio.create_task(self._read())

    @property
    def is_fatal(self) -> bool:
        """Whether it has said that it cannot go on."""
        return self._fatal in self.output

    @property
    def runs(self) -> bool:
        return self._process.returncode is None

    async def listens(self) -> None:
        async with asyncio.timeout(180):
            while self._listening not in self.output:
                assert not self._reading.done(), self.output
                await asyncio.sleep(0.02)

    def stop(self) -> None:
        self.signal(signal.SIGTERM)

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()

    async def ended(self) -> int:
        await self._reading
        return await self._process.wait()

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.output += line.decode()


@dataclass(frozen=True)
class Options:
    """How a listener is to listen: queue settings of host.json, and devhost's lease in seconds."""

    queues: Mapping[str, Any]
    lease: int = REAL_LEASE


def installed(kind: str) -> None:
    """Skip the test, with a message, where Microsoft's listener is not here."""
    if kind == REAL:
        shared_folder.tool(REAL)


@asynccontextmanager
async def listening(
    kind: str, connection: str, queues: str, receiver: Receiver, folder: Path, options: Options
) -> AsyncIterator[Listener]:
    """Run a listener on queues (`name` or `name:binary`, with commas); it is killed at the end."""
    _prepare(folder, options)
    async with _STARTING:
        if kind == REAL:
            listener = await _real(connection, queues, receiver, folder)
        else:
            listener = await _devhost(connection, queues, receiver, folder, options.lease)
        try:
            await listener.listens()
        except BaseException:
            listener.kill()
            raise
    try:
        yield listener
    finally:
        listener.kill()
        await listener.ended()


def _prepare(folder: Path, options: Options) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    content = {"version": "2.0", "extensions": {"queues": options.queues}}
    (folder / "host.json").write_text(json.dumps(content))
    (folder / "function_app.py").write_text((_HERE / "listening_app" / "function_app.py").read_text())


async def _real(connection: str, queues: str, receiver: Receiver, folder: Path) -> Listener:
    process = await asyncio.create_subprocess_exec(
        *(shared_folder.tool(REAL), "--queues", queues, "--url", receiver.url, "--connection", connection),
        *("--host-json", str(folder / "host.json"), "--host-id", folder.name[-32:].strip("-").lower()),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        limit=2**20,
    )
    return Listener(process, '"listening"', '"fatal"')


async def _devhost(connection: str, queues: str, receiver: Receiver, folder: Path, lease: int) -> Listener:
    settings = {
        "AzureWebJobsStorage": connection,
        "LISTEN_QUEUES": queues,
        "LISTEN_URL": receiver.url,
        "DEVHOST_MESSAGE_LEASE_SECONDS": str(lease),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "devhost", "--app", str(folder), "--port", "0"),
        cwd=REPOSITORY,
        env={**os.environ, **settings},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        limit=2**20,
    )
    return Listener(process, "Listening on", "The real host stops here")
