"""A tiny message pump with the manners of the Functions host, for tests whose clock is turned by hand."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

from shared.jobs.envelope import Delivery
from shared.ports import Clock, MessageQueues, ReceivedMessage, TooLargeError
from support.faulty import Died
from support.memory import MemoryQueues

POISON = "-poison"
MESSAGE_LEASE = timedelta(minutes=10)
MAX_DEQUEUE_COUNT = 5
_LARGEST = 64 * 1024


@dataclass(frozen=True)
class Waiting:
    """A message that is sent, and not visible yet."""

    queue: str
    text: str
    visible_at: datetime
    sent_at: datetime


class ClockedQueues:
    """Real queues whose delays follow a clock that tests turn: what is delayed is kept here until it is due."""

    def __init__(self, inner: MessageQueues, clock: Clock) -> None:
        self.inner = inner
        self.waiting: list[Waiting] = []
        self.touched: set[str] = set()
        self._clock = clock
        self._sent_at: dict[str, datetime] = {}
        self._hidden: dict[str, tuple[datetime, datetime]] = {}

    async def send(self, queue: str, text: str, delay: timedelta = timedelta(0)) -> None:
        if len(text) > _LARGEST:
            raise TooLargeError("a message of more than 64 KiB")
        if delay > timedelta(0):
            self.waiting.append(Waiting(queue, text, self._clock.now() + delay, self._service_time()))
        else:
            await self.inner.send(queue, text)
            self.touched.add(queue)

    async def receive(
        self, queue: str, limit: int = 32, hide: timedelta = timedelta(minutes=1)
    ) -> list[ReceivedMessage]:
        """Hide what is received by the turned clock; on real queues for a second of the real one, awaited when due."""
        received = await self.inner.receive(queue, limit, hide if self._in_memory else timedelta(seconds=1))
        until = self._clock.now() + hide, datetime.now(UTC) + timedelta(seconds=1.1)
        self._hidden |= {message.message_id: until for message in received}
        return received

    async def peek(self, queue: str, limit: int = 32) -> list[ReceivedMessage]:
        return await self.inner.peek(queue, limit)

    async def delete(self, queue: str, message: ReceivedMessage) -> bool:
        self._hidden.pop(message.message_id, None)
        return await self.inner.delete(queue, message)

    async def depth(self, queue: str) -> int:
        return await self.inner.depth(queue) + sum(each.queue == queue for each in self.waiting)

    async def release(self) -> None:
        """Put on the real queues what has become visible."""
        now = self._clock.now()
        await self._show_hidden(now)
        due = [each for each in self.waiting if each.visible_at <= now]
        self.waiting = [each for each in self.waiting if each.visible_at > now]
        for each in due:
            self._sent_at[each.text] = each.sent_at.replace(microsecond=0)
            await self.inner.send(each.queue, each.text)
            self.touched.add(each.queue)

    async def _show_hidden(self, now: datetime) -> None:
        due = {message_id: real for message_id, (until, real) in self._hidden.items() if until <= now}
        for message_id, real in due.items():
            del self._hidden[message_id]
            if not self._in_memory:
                await asyncio.sleep(max(0.0, (real - datetime.now(UTC)).total_seconds()))

    @property
    def idle(self) -> bool:
        """Whether nothing is hidden."""
        return not self.waiting and not self._hidden

    @property
    def _in_memory(self) -> bool:
        return isinstance(self.inner, MemoryQueues)

    def _service_time(self) -> datetime:
        return self._clock.now() if self._in_memory else datetime.now(UTC)

    def inserted_at(self, message: ReceivedMessage) -> datetime:
        """When the message was sent, which for a delayed one is not when it was put on the real queue."""
        return self._sent_at.get(message.text, message.inserted_at)


class Worker(Protocol):
    """What runs the messages: an engine."""

    async def process(self, delivery: Delivery) -> str: ...

    async def record_or_put_back(self, delivery: Delivery) -> str: ...


@dataclass
class InHand:
    """A message that the host has received and not settled."""

    queue: str
    message: ReceivedMessage
    visible_at: datetime
    count: int = 0


class Host:
    """Delivers messages one after the other, as the host's queue trigger does, counts and moves what keeps failing."""

    def __init__(self, queues: ClockedQueues, clock: Clock) -> None:
        self.queues = queues
        self.deliveries: list[tuple[Delivery, str]] = []
        self.gave_up = 0
        self._clock = clock
        self._in_hand: list[InHand] = []

    @property
    def idle(self) -> bool:
        """Whether no message is hidden, by a delay or a dead worker's lease."""
        return not self._in_hand and self.queues.idle

    async def pump(self, worker: Worker) -> int:
        """Deliver whatever is visible until nothing is; `Died` comes through, with the message left hidden."""
        delivered = 0
        while visible := await self._visible():
            for each in visible:
                await self._deliver(each, worker)
                delivered += 1
        return delivered

    async def _visible(self) -> list[InHand]:
        await self.queues.release()
        for queue in sorted(self.queues.touched):
            received = await self.queues.inner.receive(queue, 32, timedelta(hours=1))
            self._in_hand += [InHand(queue, message, self._clock.now()) for message in received]
            if len(received) < 32:
                self.queues.touched.discard(queue)
        return [each for each in self._in_hand if each.visible_at <= self._clock.now()]

    async def _deliver(self, each: InHand, worker: Worker) -> None:
        if each.count < MAX_DEQUEUE_COUNT:
            await self._run(each, worker)
        elif each.queue.endswith(POISON):
            raise AssertionError(f"the host runs this message no more, and has nowhere to move it to: {each.message}")
        else:
            await self._move(each)

    async def _run(self, each: InHand, worker: Worker) -> None:
        each.count += 1
        body = each.message.text.encode()  # as `messageEncoding` none has it
        inserted_at = self.queues.inserted_at(each.message)
        delivery = Delivery(each.queue, each.message.message_id, body, inserted_at, each.count)
        if each.queue.endswith(POISON):
            delivery = Delivery(each.queue, "", body)  # a poison trigger takes the body alone
        try:
            said = await (worker.record_or_put_back if each.queue.endswith(POISON) else worker.process)(delivery)
        except Died:
            each.visible_at = self._clock.now() + MESSAGE_LEASE
            raise
        except Exception as error:  # noqa: BLE001 - whatever a function raises, the host takes for a failure
            await self._failed(each)
            said = f"{type(error).__name__}: {error}"
        else:
            await self._settle(each)
        self.deliveries.append((delivery, said))

    async def _failed(self, each: InHand) -> None:
        if each.queue.endswith(POISON):
            each.visible_at = self._clock.now() + MESSAGE_LEASE
        elif each.count >= MAX_DEQUEUE_COUNT:
            await self._move(each)

    async def _move(self, each: InHand) -> None:
        self.gave_up += 1
        await self.queues.send(each.queue + POISON, each.message.text)
        await self._settle(each)

    async def _settle(self, each: InHand) -> None:
        self._in_hand.remove(each)
        await self.queues.inner.delete(each.queue, each.message)


def delivery_of(delivery: Delivery, **changes: object) -> Delivery:
    """The delivery with something changed."""
    return replace(delivery, **changes)  # type: ignore[arg-type]
