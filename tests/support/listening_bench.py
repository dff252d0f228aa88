"""Queues of a test's own, a proxy before them, and listeners of one of the two kinds on them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from support.azurite import AzuriteProcess, connection_string
from support.listeners import REAL_LEASE, Delivery, Function, Listener, Options, Receiver, listening, receiving
from support.queue_proxy import QueueProxy, queue_proxy

POISON = "-poison"
_DEFAULTS = {"maxPollingInterval": "00:00:01", "visibilityTimeout": "00:00:00", "messageEncoding": "none"}


@dataclass
class Bench:
    """What a test of a listener has at hand."""

    kind: str
    name: str
    service: QueueServiceClient
    proxy: QueueProxy
    connection: str
    folder: Path
    stack: AsyncExitStack
    lease: int = REAL_LEASE
    started: list[Listener] = field(default_factory=list)

    @property
    def queue(self) -> QueueClient:
        return self.service.get_queue_client(self.name)

    @property
    def poison(self) -> QueueClient:
        return self.service.get_queue_client(self.name + POISON)

    async def receiver(self, function: Function) -> Receiver:
        return await self.stack.enter_async_context(receiving(function))

    async def listen(self, receiver: Receiver, queues: str = "", **options: Any) -> Listener:
        """Start a listener; on the bench's queue, as bytes, unless others are named."""
        folder = self.folder / f"{self.name[-20:]}-{len(self.started)}"
        given = Options({**_DEFAULTS, **options}, self.lease)
        queues = queues or f"{self.name}:binary"
        listener = await self.stack.enter_async_context(
            listening(self.kind, self.connection, queues, receiver, folder, given)
        )
        self.started.append(listener)
        return listener

    async def send(self, text: str, **options: Any) -> QueueMessage:
        return await self.queue.send_message(text, **options)

    async def depth(self, queue: QueueClient | None = None) -> int:
        try:
            return (await (queue or self.queue).get_queue_properties()).approximate_message_count or 0
        except ResourceNotFoundError:
            return 0

    async def is_empty(self) -> bool:
        return await self.depth() == 0

    async def poisoned(self) -> list[QueueMessage]:
        return list(await self.poison.peek_messages(32)) if await self.depth(self.poison) else []

    async def is_hidden(self) -> bool:
        """Whether the one message there is can be seen by nobody."""
        return await self.depth() == 1 and not await self.queue.peek_messages()


@asynccontextmanager
async def opened(azurite: AzuriteProcess, kind: str, name: str, folder: Path) -> AsyncIterator[Bench]:
    """Make a bench with one queue."""
    async with (
        QueueServiceClient.from_connection_string(azurite.connection_string) as service,
        queue_proxy(azurite.queue_port) as proxy,
        AsyncExitStack() as stack,
    ):
        connection = connection_string(azurite.blob_port, proxy.port)
        bench = Bench(kind, name, service, proxy, connection, folder, stack)
        await bench.queue.create_queue()
        yield bench


async def succeeds(delivery: Delivery) -> bool:
    return True


async def fails(delivery: Delivery) -> bool:
    return False


class Gate:
    """A function that waits until it is let go."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.opened = asyncio.Event()

    async def __call__(self, delivery: Delivery) -> bool:
        self.begun.set()
        await self.opened.wait()
        return True


async def quiet(seconds: float) -> None:
    """Let time pass in which something must not happen."""
    await asyncio.sleep(seconds)
