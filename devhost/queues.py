"""Queue triggers: polling, leases, retries and poison queues, as the storage extension of the host does them."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, Protocol

from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from devhost.config import QueueOptions
from devhost.index import Function
from devhost.invoke import Invoker, Outcome
from devhost.messages import argument_of, from_base64
from devhost.storage import code_of, describe

logger = logging.getLogger("devhost.queues")

POISON_SUFFIX = "-poison"
_LONGEST_NAME = 63
_AWAY = {"QueueNotFound", "QueueBeingDeleted", "QueueDisabled"}
_STALE = {"PopReceiptMismatch", "MessageNotFound", *_AWAY}


class Surroundings(Protocol):
    """The host that a listener belongs to."""

    def fail(self, what: str, error: BaseException) -> None:
        """Stop the whole host: storage answered what the real host does not survive."""
        ...

    def wake(self, queue: str) -> None:
        """A message was put on a queue by this host: whoever listens to it need not wait."""
        ...


class Backoff:
    """The waits between polls of an empty queue: 100 ms, then so much more each time, doubling, with 20 % jitter."""

    def __init__(self, longest: timedelta) -> None:
        self._longest = longest.total_seconds()
        self._polls = 0

    def reset(self) -> None:
        """A message was found: start again from the shortest wait."""
        self._polls = 0

    def next(self) -> float:
        """Return the seconds to wait now."""
        more = 0.1 * 2.0 ** min(self._polls - 1, 30) * random.uniform(0.8, 1.2) if self._polls else 0.0
        self._polls += 1
        return min(0.1 + more, self._longest)


class MessageLease:
    """Keeps a message hidden while it is processed, renewed at half time."""

    def __init__(
        self, queue: QueueClient, message: QueueMessage, seconds: int, fail: Callable[[str, BaseException], None]
    ) -> None:
        self._queue = queue
        self._message = message
        self._seconds = seconds
        self._fail = fail
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
                message.id, message.pop_receipt, visibility_timeout=self._seconds
            )
        except AzureError as error:
            if code_of(error) not in _STALE:  # else somebody else has the message: there is nothing left to hold
                self._fail(f"queue {self._queue.queue_name}: a lease cannot be renewed", error)
        else:
            message.pop_receipt = updated.pop_receipt
            self._timer = self._loop.call_later(self._seconds / 2, self._renew)


class QueueListener:
    """Receives the messages of one queue trigger and runs its function on each."""

    def __init__(
        self,
        function: Function,
        service: QueueServiceClient,
        options: QueueOptions,
        invoker: Invoker,
        host: Surroundings,
    ) -> None:
        self.name = str(function.trigger["queueName"])
        self._function = function
        self._options = options
        self._invoker = invoker
        self._host = host
        self._queue = service.get_queue_client(self.name)
        self._poison = service.get_queue_client(poison) if (poison := poison_name(self.name)) else None
        self._lease_seconds = int(options.lease.total_seconds())
        self._backoff = Backoff(options.max_polling_interval)
        self._running: set[asyncio.Task[None]] = set()
        self._freed = asyncio.Event()
        self._woken = asyncio.Event()
        self._polling: asyncio.Task[None] | None = None
        self._stopped = False
        self._failing = False

    async def run(self) -> None:
        """Poll until stopped, then wait for what runs; if cancelled, give it up: its leases will end."""
        try:
            if not self._stopped:
                self._polling = asyncio.create_task(self._poll())
                await asyncio.wait({self._polling})
                if not self._polling.cancelled():
                    self._polling.result()
            await asyncio.gather(*self._running)
        finally:
            for task in self._running:
                task.cancel()
            await asyncio.gather(*self._running, return_exceptions=True)

    def stop(self) -> None:
        """Stop polling; what runs goes on.

        A receive under way is aborted, as the real host does it: what it has taken stays hidden for the rest of a
        lease, and has lost a delivery without a run.
        """
        self._stopped = True
        if self._polling is not None:
            self._polling.cancel()

    def wake(self) -> None:
        """Poll now."""
        self._woken.set()

    async def _poll(self) -> None:
        while True:
            messages = await self._receive()
            if messages is None:
                return
            if messages:
                self._start(messages)
                await self._room()
            else:
                await self._pause(self._backoff.next())

    async def _receive(self) -> Sequence[QueueMessage] | None:
        """Take a batch; none from a queue that is not there or storage that is ill, None where the host fails."""
        size = self._options.batch_size
        pages = self._queue.receive_messages(
            messages_per_page=size, visibility_timeout=self._lease_seconds, max_messages=size
        ).by_page()
        try:
            messages = [message async for message in await anext(pages)]
        except StopAsyncIteration:
            messages = []
        except AzureError as error:
            if code_of(error) in _AWAY or (getattr(error, "status_code", None) or 0) >= 500:
                self._report(error)
                return []
            self._host.fail(f"queue {self.name} cannot be read", error)
            return None
        self._failing = False
        return messages

    def _report(self, error: AzureError) -> None:
        """Log the first of a series of failed polls; a queue that is not there yet is no failure."""
        if not self._failing and code_of(error) not in _AWAY:
            logger.warning("queue %s cannot be read, trying again: %s", self.name, describe(error))
            self._failing = True

    def _start(self, messages: Sequence[QueueMessage]) -> None:
        self._backoff.reset()
        for message in messages:
            task = asyncio.create_task(self._attempt(message))
            self._running.add(task)
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._freed.set()

    async def _room(self) -> None:
        """Wait until few enough messages run for the next batch."""
        while len(self._running) > self._options.new_batch_threshold:
            self._freed.clear()
            await self._freed.wait()

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._woken.wait()
                self._backoff.reset()
        self._woken.clear()

    async def _attempt(self, message: QueueMessage) -> None:
        try:
            await self._process(message)
        except AzureError as error:
            self._host.fail(f"queue {self.name}: a message cannot be settled", error)

    async def _process(self, message: QueueMessage) -> None:
        body = self._body(message)
        if body is None:
            await self._discard(message, "it is not Base64")
        elif self._poison and (message.dequeue_count or 0) > self._options.max_dequeue_count:
            await self._discard(message, "it was delivered too often")
        else:
            await self._settle(message, await self._run(message, body))

    def _body(self, message: QueueMessage) -> bytes | None:
        """Decode the message's text; None if it is not what messageEncoding says."""
        text = message.content or ""
        return text.encode() if self._options.message_encoding == "none" else from_base64(text)

    async def _run(self, message: QueueMessage, body: bytes) -> Outcome:
        lease = MessageLease(self._queue, message, self._lease_seconds, self._host.fail)
        try:
            return await self._invoker.invoke(self._function, argument_of(self._function, body, message))
        finally:
            await lease.end()

    async def _settle(self, message: QueueMessage, outcome: Outcome) -> None:
        if outcome.succeeded:
            await self._unless_stale(self._queue.delete_message, message)
        elif self._poison is None:
            pass  # hidden for the rest of its lease, so that a poison queue does not spin
        elif (message.dequeue_count or 0) >= self._options.max_dequeue_count:
            await self._discard(message, "its function failed too often")
        else:
            seconds = int(self._options.visibility_timeout.total_seconds())
            await self._unless_stale(self._queue.update_message, message, visibility_timeout=seconds)

    async def _discard(self, message: QueueMessage, why: str) -> None:
        """Move a message to the poison queue without another run."""
        if self._poison is None:
            logger.warning("queue %s: message %s stays unread, since %s", self.name, message.id, why)
            return
        poison = self._poison.queue_name
        logger.warning("queue %s: message %s goes to %s, since %s", self.name, message.id, poison, why)
        await _send(self._poison, message.content or "")
        self._host.wake(poison)
        await self._unless_stale(self._queue.delete_message, message)

    async def _unless_stale(self, call: Callable[..., Awaitable[Any]], message: QueueMessage, **options: int) -> None:
        """Let it be if the message has been changed or received by somebody else, or has expired, as the host does."""
        try:
            await call(message.id, message.pop_receipt, **options)
        except HttpResponseError as error:
            if code_of(error) not in _STALE:
                raise
            logger.debug("queue %s: message %s is no longer ours: %s", self.name, message.id, describe(error))


def poison_name(queue: str) -> str | None:
    """Return the name of a queue's poison queue; a poison queue has none, nor has a name that would be too long."""
    name = queue + POISON_SUFFIX
    return None if queue.endswith(POISON_SUFFIX) or len(name) > _LONGEST_NAME else name


async def _send(queue: QueueClient, text: str) -> None:
    """Send a message with the service's default life of seven days, to a queue that is made if it is missing."""
    try:
        await queue.send_message(text)
    except ResourceNotFoundError:
        with suppress(ResourceExistsError):  # another message may be on its way there as well
            await queue.create_queue()
        await queue.send_message(text)
