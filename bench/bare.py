"""The yardstick: the storage calls of a job and nothing else, through the same SDK, with the same concurrency."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from uuid import uuid4

from azure.core import MatchConditions
from azure.storage.blob.aio import ContainerClient
from azure.storage.queue.aio import QueueServiceClient

from bench.harness import OUTSTANDING, SUBMITTERS, Bench, in_parallel
from shared.adapters import retries, transport

_CONTAINER, _QUEUE = "bench-bare", "bench-bare"
_WIDTH = 24
"""Messages in work at once: a batch of 16 beside the threshold of 8."""


class Bare:
    """Clients of the SDK, set up as the app sets up its own, and texts of the size of the app's own."""

    def __init__(self, bench: Bench, record: bytes, message: str, document: dict[str, Any]) -> None:
        options: dict[str, Any] = {"retry_policy": retries.SafeRetry()}
        self._blobs = ContainerClient.from_connection_string(
            bench.connection, _CONTAINER, transport=transport.transport(), **options
        )
        service = QueueServiceClient.from_connection_string(
            bench.connection, transport=transport.transport(), **options
        )
        self._service, self._queue = service, service.get_queue_client(_QUEUE)
        self._documents = bench.app.documents
        self._record, self._message, self._document = record, message, document
        self._metadata = {"status": "queued", "version": "1", "watch": "2026-01-01T00:00:00.000000Z"}
        self._etags: asyncio.Queue[tuple[Any, str, str]] = asyncio.Queue()
        self._slots = asyncio.Semaphore(OUTSTANDING)

    async def open(self) -> None:
        """Make container and queue."""
        await self._blobs.create_container()
        await self._queue.create_queue()

    async def close(self) -> None:
        """Close the connections."""
        await self._blobs.close()
        await self._service.close()

    async def rate(self, count: int) -> float:
        """Jobs' worth of calls per second."""
        started = time.perf_counter()
        await asyncio.gather(in_parallel(count, SUBMITTERS, lambda _: self._slotted()), self._consume(count))
        return count / (time.perf_counter() - started)

    async def submit(self) -> None:
        """The three writes of a submission."""
        name = uuid4()
        blob = self._blobs.get_blob_client(f"jobs/{name}/status.json")
        written = await blob.upload_blob(self._record, metadata=self._metadata, overwrite=False)
        await asyncio.gather(
            self._queue.send_message(self._message, time_to_live=-1), self._documents.create("jobs", self._doc(name, 1))
        )
        self._etags.put_nowait((blob, written["etag"], str(name)))

    async def forget(self) -> None:
        """Empty the queue after measuring submissions alone."""
        await self._queue.clear_messages()
        self._etags = asyncio.Queue()

    async def _slotted(self) -> None:
        await self._slots.acquire()
        await self.submit()

    async def _consume(self, count: int) -> None:
        running: set[asyncio.Task[None]] = set()
        seen = 0
        while seen < count:
            page = self._queue.receive_messages(messages_per_page=16, visibility_timeout=600, max_messages=16)
            messages = [message async for message in page]
            seen += len(messages)
            running |= {asyncio.create_task(self._work(message)) for message in messages}
            if not messages:
                await asyncio.sleep(0.01)
            while len(running) > _WIDTH - 16:
                _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.gather(*running)

    async def _work(self, message: Any) -> None:
        blob, etag, name = await self._etags.get()
        for _ in range(2):
            unchanged = {"etag": etag, "match_condition": MatchConditions.IfNotModified}
            etag = (await blob.upload_blob(self._record, metadata=self._metadata, overwrite=True, **unchanged))["etag"]
        await self._documents.put_newer("jobs", self._doc(name, 3))
        await self._queue.delete_message(message.id, message.pop_receipt)
        self._slots.release()

    def _doc(self, name: object, version: int) -> dict[str, Any]:
        return {**self._document, "id": str(name), "pk": str(name), "version": version}
