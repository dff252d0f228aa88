"""Queues in Azure Storage, or Azurite."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from functools import cache

from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from shared.adapters.closing import Closeable, close_all
from shared.adapters.errors import error_code, translated
from shared.ports import ReceivedMessage

_FOREVER = -1
_LONGEST = timedelta(days=7)


class AzureQueues:
    """All queues of one storage account (`shared.ports.MessageQueues`). Text goes over the wire as it is."""

    def __init__(self, service: QueueServiceClient, *owned: Closeable) -> None:
        """Take over an account's client, and what is to be closed with it (a credential)."""
        self._service = service
        self._owned = owned
        self._queue = cache(service.get_queue_client)

    async def send(self, queue: str, text: str, delay: timedelta = timedelta(0)) -> None:
        """Put a message that never expires, invisible for `delay` (at most seven days); makes a missing queue."""
        client, hidden = self._queue(queue), _whole_seconds(delay)
        with translated("sending a message"):
            try:
                await client.send_message(text, visibility_timeout=hidden, time_to_live=_FOREVER)
            except ResourceNotFoundError:
                with suppress(ResourceExistsError):
                    await client.create_queue()
                await client.send_message(text, visibility_timeout=hidden, time_to_live=_FOREVER)

    async def receive(
        self, queue: str, limit: int = 32, hide: timedelta = timedelta(minutes=1)
    ) -> list[ReceivedMessage]:
        """Receive up to `limit` (at most 32) messages, hidden for `hide`; empty where the queue is missing."""
        with translated("receiving messages"), suppress(ResourceNotFoundError):
            return [_received(message) async for message in _one_page(self._queue(queue), limit, hide)]
        return []

    async def peek(self, queue: str, limit: int = 32) -> list[ReceivedMessage]:
        """Return up to 32 visible messages without hiding them; empty where the queue is missing."""
        with translated("peeking at messages"), suppress(ResourceNotFoundError):
            return [_received(message) for message in await self._queue(queue).peek_messages(max_messages=limit)]
        return []

    async def delete(self, queue: str, message: ReceivedMessage) -> bool:
        """Delete a received message; False where it is gone or was received again by somebody else."""
        with translated("deleting a message"):
            try:
                await self._queue(queue).delete_message(message.message_id, message.pop_receipt)
            except HttpResponseError as error:
                if not _is_gone(error):
                    raise
                return False
        return True

    async def depth(self, queue: str) -> int:
        """The approximate number of messages, invisible ones included; 0 where the queue is missing."""
        with translated("counting messages"), suppress(ResourceNotFoundError):
            properties = await self._queue(queue).get_queue_properties()
            return properties.approximate_message_count or 0
        return 0

    async def close(self) -> None:
        """Close the connections."""
        await close_all(self._service, *self._owned)


async def _one_page(client: QueueClient, limit: int, hide: timedelta) -> AsyncIterator[QueueMessage]:
    """The messages of one call: the SDK's own iterator asks again and again until the queue is empty."""
    seconds = max(1, _whole_seconds(hide))
    pages = client.receive_messages(messages_per_page=limit, visibility_timeout=seconds).by_page()
    async for page in pages:
        async for message in page:
            yield message
        break


def _received(message: QueueMessage) -> ReceivedMessage:
    return ReceivedMessage(
        message_id=str(message.id),
        pop_receipt=message.pop_receipt or "",
        text=message.content or "",
        inserted_at=message.inserted_on,  # type: ignore[arg-type]  # the service always says it
        dequeue_count=message.dequeue_count or 0,
    )


def _whole_seconds(delay: timedelta) -> int:
    """Seconds, rounded up, since a message that shows too early is worse than one a moment late."""
    return max(0, math.ceil(min(delay, _LONGEST).total_seconds()))


def _is_gone(error: HttpResponseError) -> bool:
    """Azure says 400 to a pop receipt that a later receive has replaced, 404 to a message that is no more."""
    return isinstance(error, ResourceNotFoundError) or error_code(error) == "PopReceiptMismatch"
