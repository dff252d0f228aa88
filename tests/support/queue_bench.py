"""One storage queue with hosts that listen to it, for tests of the development host."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import azure.functions as func
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueServiceClient

from devhost import Host

Handler = Callable[[func.QueueMessage], Awaitable[None]]


def encode(body: str | bytes) -> str:
    return base64.b64encode(body.encode() if isinstance(body, str) else body).decode()


async def eventually(check: Callable[[], Any], seconds: float = 60.0) -> None:
    """Wait until something holds; a check may be async."""
    deadline = time.monotonic() + seconds
    while True:
        held = check()
        if asyncio.iscoroutine(held):
            held = await held
        if held:
            return
        assert time.monotonic() < deadline, "it did not come about in time"
        await asyncio.sleep(0.05)


@dataclass
class Seen:
    """Records what a function is handed, and fails as often as it is told to."""

    failures: int = 0
    messages: list[func.QueueMessage] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    async def __call__(self, message: func.QueueMessage) -> None:
        self.messages.append(message)
        self.times.append(time.monotonic())
        if len(self.messages) <= self.failures:
            raise RuntimeError("told to fail")

    @property
    def bodies(self) -> list[bytes]:
        return [message.get_body() for message in self.messages]


class Bench:
    """One queue of its own in the storage account, and hosts that listen to it."""

    def __init__(self, service: QueueServiceClient, connection: str, name: str) -> None:
        self.service = service
        self.connection = connection
        self.name = name
        self.poison_name = f"{name}-poison"
        self.queue = service.get_queue_client(name)
        self.poison = service.get_queue_client(self.poison_name)

    def host(self, handler: Handler, *, lease: int = 600, **options: Any) -> Host:
        return self.host_of(self.app(handler, data_type=options.pop("data_type", None)), lease=lease, **options)

    def app(self, handler: Handler, **binding: Any) -> func.FunctionApp:
        app = func.FunctionApp()

        @app.queue_trigger("message", queue_name="%QUEUE%", connection="AzureWebJobsStorage", **binding)
        async def work(message: func.QueueMessage) -> None:
            await handler(message)

        return app

    def host_of(self, app: func.FunctionApp, *, lease: int = 600, **options: Any) -> Host:
        settings = {
            "AzureWebJobsStorage": self.connection,
            "QUEUE": self.name,
            "DEVHOST_MESSAGE_LEASE_SECONDS": str(lease),
        }
        timeout = options.pop("functionTimeout", "00:00:30")
        queues = {"maxPollingInterval": "00:00:00.200", **options}
        return Host(app, settings, host_json={"functionTimeout": timeout, "extensions": {"queues": queues}})

    async def depth(self, poison: bool = False) -> int:
        queue = self.poison if poison else self.queue
        try:
            return (await queue.get_queue_properties()).approximate_message_count or 0
        except ResourceNotFoundError:
            return 0

    async def is_empty(self) -> bool:
        return await self.depth() == 0

    async def poisoned(self) -> list[QueueMessage]:
        return list(await self.poison.peek_messages(max_messages=32)) if await self.depth(poison=True) else []
