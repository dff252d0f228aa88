"""Queue triggers: polling, leases, retries and poison queues, as the storage extension of the host does them."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import logging
import math
import random
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.functions import meta
from azure.functions.queue import QueueMessage as TriggerMessage
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from devhost.config import QueueOptions
from devhost.index import Function
from devhost.invoke import Invoker, Outcome

logger = logging.getLogger("devhost.queues")

POISON_SUFFIX = "-poison"
_STALE = {"PopReceiptMismatch", "MessageNotFound", "QueueNotFound", "QueueBeingDeleted", "QueueDisabled"}
_METADATA = {
    name.lower(): name
    for name in ("Id", "PopReceipt", "DequeueCount", "InsertionTime", "ExpirationTime", "NextVisibleTime")
}
_WHITE_SPACE = str.maketrans("", "", " \t\r\n")


class Backoff:
    """The wait between two polls of an empty queue: from 100 ms, doubling with 20 % jitter either way."""

    def __init__(self, longest: timedelta) -> None:
        self._longest = longest.total_seconds()
        self._polls = 0

    def reset(self) -> None:
        """A message was found: start again from the shortest wait."""
        self._polls = 0

    def next(self) -> float:
        """Return the seconds to wait now."""
        seconds = 0.1 * 2.0 ** min(self._polls, 30) * random.uniform(0.8, 1.2)
        self._polls += 1
        return min(seconds, self._longest)


class MessageLease:
    """Keeps a message hidden while it is processed, renewed at half time."""

    def __init__(self, queue: QueueClient, message: QueueMessage, seconds: int) -> None:
        self._queue = queue
        self._message = message
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._renewal: asyncio.Task[None] | None = None
        self._timer = self._loop.call_later(seconds / 2, self._renew)

    async def end(self) -> None:
        """Stop renewing; afterwards the message's pop receipt does not change any more."""
        self._timer.cancel()
        if self._renewal is not None:
            await self._renewal

    def _renew(self) -> None:
        self._renewal = self._loop.create_task(self._update())

    async def _update(self) -> None:
        message = self._message
        try:
            updated = await self._queue.update_message(
                message.id, message.pop_receipt, visibility_timeout=self._seconds, retry_total=0
            )
        except AzureError as error:
            if _is_stale(error):
                return  # somebody else has the message: there is nothing left to hold
            self._timer = self._loop.call_later(self._seconds / 10, self._renew)
        else:
            message.pop_receipt = updated.pop_receipt
            self._timer = self._loop.call_later(self._seconds / 2, self._renew)


class QueueListener:
    """Receives the messages of one queue trigger and runs its function on each."""

    def __init__(
        self, function: Function, service: QueueServiceClient, options: QueueOptions, invoker: Invoker
    ) -> None:
        self.name = str(function.trigger["queueName"])
        self._function = function
        self._options = options
        self._invoker = invoker
        self._queue = service.get_queue_client(self.name)
        # A poison queue has no poison queue of its own: what fails there stays.
        poison = self.name + POISON_SUFFIX
        self._poison = None if self.name.endswith(POISON_SUFFIX) else service.get_queue_client(poison)
        self._lease_seconds = int(options.lease.total_seconds())
        self._backoff = Backoff(options.max_polling_interval)
        self._running: set[asyncio.Task[None]] = set()
        self._freed = asyncio.Event()
        self._stopping = asyncio.Event()
        self._failing = False

    async def run(self) -> None:
        """Poll until stopped, then wait for what runs; if cancelled, give it up: its leases will end."""
        try:
            await self._poll()
            await asyncio.gather(*self._running)
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    def stop(self) -> None:
        """Stop polling. What was received but not started is released, what runs goes on."""
        self._stopping.set()
        self._freed.set()

    async def _poll(self) -> None:
        while not self._stopping.is_set():
            messages = await self._receive()
            if self._stopping.is_set():
                await asyncio.gather(*(self._attempt(self._release(message, 0)) for message in messages))
            elif messages:
                self._start(messages)
                await self._room()
            else:
                await self._pause(self._backoff.next())

    async def _receive(self) -> Sequence[QueueMessage]:
        size = self._options.batch_size
        pages = self._queue.receive_messages(
            messages_per_page=size, visibility_timeout=self._lease_seconds, max_messages=size, retry_total=0
        ).by_page()
        try:
            messages = [message async for message in await anext(pages)]
        except (StopAsyncIteration, ResourceNotFoundError):
            messages = []  # empty, or no such queue yet
        except AzureError as error:
            self._report(error)
            return []
        self._failing = False
        return messages

    def _report(self, error: AzureError) -> None:
        """Log the first of a series of failed polls."""
        if not self._failing:
            logger.warning("queue %s cannot be read, trying again: %s", self.name, _describe(error))
        self._failing = True

    def _start(self, messages: Sequence[QueueMessage]) -> None:
        self._backoff.reset()
        for message in messages:
            task = asyncio.create_task(self._attempt(self._process(message)))
            self._running.add(task)
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._freed.set()

    async def _room(self) -> None:
        """Wait until few enough messages run for the next batch."""
        while len(self._running) > self._options.new_batch_threshold and not self._stopping.is_set():
            self._freed.clear()
            await self._freed.wait()

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()

    async def _attempt(self, step: Awaitable[None]) -> None:
        """Do something with a message; where storage fails, the message reappears when its lease ends."""
        try:
            await step
        except AzureError as error:
            logger.warning("queue %s: a message could not be settled: %s", self.name, _describe(error))

    async def _process(self, message: QueueMessage) -> None:
        body = self._body(message)
        if body is None:
            await self._discard(message, "it is not Base64")
        elif (message.dequeue_count or 0) > self._options.max_dequeue_count:
            await self._discard(message, "it was delivered too often")
        else:
            await self._settle(message, await self._run(message, body))

    def _body(self, message: QueueMessage) -> bytes | None:
        """Decode the message's text; None if it is not what messageEncoding says."""
        text = message.content or ""
        return text.encode() if self._options.message_encoding == "none" else _from_base64(text)

    async def _run(self, message: QueueMessage, body: bytes) -> Outcome:
        lease = MessageLease(self._queue, message, self._lease_seconds)
        try:
            return await self._invoker.invoke(self._function, partial(argument, self._function, body, message))
        finally:
            await lease.end()

    async def _settle(self, message: QueueMessage, outcome: Outcome) -> None:
        if outcome.succeeded:
            await self._delete(message)
        elif self._poison is None:
            pass  # hidden for the rest of its lease, so that a poison queue does not spin
        elif (message.dequeue_count or 0) >= self._options.max_dequeue_count:
            await self._discard(message, "its function failed too often")
        else:
            await self._release(message, math.ceil(self._options.visibility_timeout.total_seconds()))

    async def _discard(self, message: QueueMessage, why: str) -> None:
        """Move a message to the poison queue without another run."""
        if self._poison is None:
            logger.warning("queue %s: message %s stays unread, since %s", self.name, message.id, why)
            return
        logger.warning("queue %s: message %s goes to %s, since %s", self.name, message.id, self._poison.queue_name, why)
        await _send(self._poison, message.content or "")
        await self._delete(message)

    async def _delete(self, message: QueueMessage) -> None:
        await self._unless_stale(self._queue.delete_message, message)

    async def _release(self, message: QueueMessage, seconds: int) -> None:
        await self._unless_stale(self._queue.update_message, message, visibility_timeout=seconds)

    async def _unless_stale(self, call: Callable[..., Awaitable[Any]], message: QueueMessage, **options: int) -> None:
        """Let it be if the message has been changed or received by somebody else, as the host does."""
        try:
            await call(message.id, message.pop_receipt, **options)
        except HttpResponseError as error:
            if not _is_stale(error):
                raise
            logger.debug("queue %s: message %s is no longer ours: %s", self.name, message.id, _describe(error))


def by_hand(function: Function, text: str) -> Callable[[], Any]:
    """Return what decodes the argument of a queue function that is run by hand."""
    metadata = {"Id": meta.Datum(str(uuid.uuid4()), "string"), "DequeueCount": meta.Datum(1, "int")}
    return partial(function.decode, _datum(function, text.encode()), metadata)


def argument(function: Function, body: bytes, message: QueueMessage) -> Any:
    """Make what the function is handed.

    Where the body overwrites nothing, the library's converter would only parse again what the SDK has parsed: at a
    good part of the host's own cost for a message.
    """
    datum, overwritten = _datum(function, body), _overwritten(body)
    if overwritten:
        return function.decode(datum, _metadata(message) | overwritten)
    return TriggerMessage(
        id=message.id,
        body=datum.value,
        dequeue_count=message.dequeue_count,
        expiration_time=message.expires_on,
        insertion_time=message.inserted_on,
        time_next_visible=message.next_visible_on,
        pop_receipt=message.pop_receipt,
    )


def _datum(function: Function, body: bytes) -> meta.Datum:
    if function.trigger.get("dataType") == "BINARY":
        return meta.Datum(body, "bytes")
    return meta.Datum(body.decode("utf-8", errors="replace"), "string")


def _metadata(message: QueueMessage) -> dict[str, meta.Datum]:
    return {
        "Id": meta.Datum(message.id, "string"),
        "PopReceipt": meta.Datum(message.pop_receipt, "string"),
        "DequeueCount": meta.Datum(message.dequeue_count, "int"),
        "InsertionTime": _moment(message.inserted_on),
        "ExpirationTime": _moment(message.expires_on),
        "NextVisibleTime": _moment(message.next_visible_on),
    }


def _overwritten(body: bytes) -> dict[str, meta.Datum]:
    """Return the trigger metadata that the body's top level overwrites by names of its own, whatever their case."""
    return {
        name: _json_datum(value)
        for key, value in _top_level(body).items()
        if (name := _METADATA.get(key.lower())) and value is not None and not isinstance(value, list)
    }


def _top_level(body: bytes) -> dict[str, Any]:
    if not body.lstrip().startswith(b"{"):
        return {}
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _json_datum(value: Any) -> meta.Datum:
    return meta.Datum(value, "string") if isinstance(value, str) else meta.Datum(json.dumps(value), "json")


def _moment(value: datetime | None) -> meta.Datum:
    return meta.Datum(value.isoformat() if value else "", "string")


def _from_base64(text: str) -> bytes | None:
    try:
        return base64.b64decode(text.translate(_WHITE_SPACE), validate=True)
    except (binascii.Error, ValueError):
        return None


async def _send(queue: QueueClient, text: str) -> None:
    """Send a message with the service's default life of seven days, to a queue that is made if it is missing."""
    try:
        await queue.send_message(text)
    except ResourceNotFoundError:
        with suppress(ResourceExistsError):  # another message may be on its way there as well
            await queue.create_queue()
        await queue.send_message(text)


def _is_stale(error: AzureError) -> bool:
    return isinstance(error, HttpResponseError) and str(getattr(error, "error_code", "")).rsplit(".")[-1] in _STALE


def _describe(error: AzureError) -> str:
    code = getattr(error, "error_code", None) or getattr(error, "status_code", None)
    return f"{type(error).__name__} {code}" if code else type(error).__name__
