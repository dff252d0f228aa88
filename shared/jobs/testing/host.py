"""A host that delivers when it is told to, with the manners of the Functions host's queue trigger."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from shared.jobs.envelope import Delivery
from shared.ports import MessageQueues, ReceivedMessage

POISON = "-poison"
MESSAGE_LEASE = timedelta(minutes=10)
"""After which a message is seen again whose worker died."""
MAX_DEQUEUE_COUNT = 5
_AT_ONCE = timedelta(0)


class HostQueues(MessageQueues, Protocol):
    """Queues whose messages a host can be told to take one by one."""

    async def due(self) -> list[tuple[str, str]]:
        """The queue and the id of each message that can be seen."""
        ...

    def take(self, queue: str, message_id: str, hide: timedelta) -> ReceivedMessage:
        """Receive one of them."""
        ...

    def hide(self, queue: str, message: ReceivedMessage, hide: timedelta) -> None:
        """Let a received message be seen again after `hide`."""
        ...

    def next_at(self) -> datetime | None:
        """When the next message can be seen; None where there is none at all."""
        ...

    @property
    def idle(self) -> bool:
        """Whether nothing is hidden, by a delay or a dead worker's lease."""
        ...


class Worker(Protocol):
    """What runs the messages: an engine."""

    async def process(self, delivery: Delivery) -> str:
        """Run a message of a job queue."""
        ...

    async def record_or_put_back(self, delivery: Delivery) -> str:
        """Record a message of a poison queue."""
        ...


class Host:
    """Delivers messages one after the other, counts, and moves to the poison queue what keeps failing."""

    def __init__(self, queues: HostQueues) -> None:
        self.queues = queues
        self.deliveries: list[tuple[Delivery, str]] = []
        """What was delivered, and what became of it."""
        self.gave_up = 0
        """How many messages failed too often."""

    async def pump(self, worker: Worker) -> int:
        """Deliver whatever can be seen until nothing can; `Died` comes through, with its message left hidden."""
        delivered = 0
        while due := await self.queues.due():
            for queue, message_id in due:
                await self._deliver(queue, self.queues.take(queue, message_id, MESSAGE_LEASE), worker)
                delivered += 1
        return delivered

    async def _deliver(self, queue: str, message: ReceivedMessage, worker: Worker) -> None:
        if message.dequeue_count <= MAX_DEQUEUE_COUNT:
            await self._run(queue, message, worker)
        elif queue.endswith(POISON):
            raise AssertionError(f"the host runs this message no more, and has nowhere to move it to: {message}")
        else:
            await self._move(queue, message)

    async def _run(self, queue: str, message: ReceivedMessage, worker: Worker) -> None:
        body = message.text.encode()  # as `messageEncoding` none has it
        delivery = Delivery(queue, message.message_id, body, message.inserted_at, message.dequeue_count)
        if queue.endswith(POISON):
            delivery = Delivery(queue, "", body)  # a poison trigger takes the body alone
        try:
            said = await (worker.record_or_put_back if queue.endswith(POISON) else worker.process)(delivery)
        except Exception as error:  # noqa: BLE001 - whatever a function raises, the host takes for a failure
            await self._failed(queue, message)
            said = f"{type(error).__name__}: {error}"
        else:
            await self.queues.delete(queue, message)
        self.deliveries.append((delivery, said))

    async def _failed(self, queue: str, message: ReceivedMessage) -> None:
        if queue.endswith(POISON) or message.dequeue_count < MAX_DEQUEUE_COUNT:
            self.queues.hide(queue, message, MESSAGE_LEASE if queue.endswith(POISON) else _AT_ONCE)
        else:
            await self._move(queue, message)

    async def _move(self, queue: str, message: ReceivedMessage) -> None:
        self.gave_up += 1
        await self.queues.send(queue + POISON, message.text)
        await self.queues.delete(queue, message)
