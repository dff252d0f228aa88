"""Real queues whose delays follow a clock that tests turn, fit for the test kit's host."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from shared.jobs.envelope import Delivery
from shared.jobs.testing import MemoryQueues
from shared.ports import Clock, MessageQueues, ReceivedMessage, TooLargeError

_LARGEST = 64 * 1024


@dataclass(frozen=True)
class Waiting:
    """A message that is sent, and not visible yet."""

    queue: str
    text: str
    visible_at: datetime
    sent_at: datetime


@dataclass
class InHand:
    """A message that the host has received and not settled."""

    queue: str
    message: ReceivedMessage
    visible_at: datetime


@dataclass
class ClockedQueues:
    """Real queues whose delays follow a clock that tests turn: what is delayed is kept here until it is due."""

    inner: MessageQueues
    clock: Clock
    waiting: list[Waiting] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    in_hand: dict[str, InHand] = field(default_factory=dict)
    """What was received from the real queues for the host, by message id."""
    _sent_at: dict[str, datetime] = field(default_factory=dict)
    _hidden: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)

    async def send(self, queue: str, text: str, delay: timedelta = timedelta(0)) -> None:
        if len(text) > _LARGEST:
            raise TooLargeError("a message of more than 64 KiB")
        if delay > timedelta(0):
            self.waiting.append(Waiting(queue, text, self.clock.now() + delay, self._service_time()))
        else:
            self.touched.add(queue)  # first: a process that dies while it sends may have sent
            await self.inner.send(queue, text)

    async def receive(
        self, queue: str, limit: int = 32, hide: timedelta = timedelta(minutes=1)
    ) -> list[ReceivedMessage]:
        """Hide what is received by the turned clock; on real queues for a second of the real one, awaited when due."""
        received = await self.inner.receive(queue, limit, hide if self._in_memory else timedelta(seconds=1))
        until = self.clock.now() + hide, datetime.now(UTC) + timedelta(seconds=1.1)
        self._hidden |= {message.message_id: until for message in received}
        return received

    async def peek(self, queue: str, limit: int = 32) -> list[ReceivedMessage]:
        return await self.inner.peek(queue, limit)

    async def delete(self, queue: str, message: ReceivedMessage) -> bool:
        self._hidden.pop(message.message_id, None)
        self.in_hand.pop(message.message_id, None)
        return await self.inner.delete(queue, message)

    async def depth(self, queue: str) -> int:
        return await self.inner.depth(queue) + sum(each.queue == queue for each in self.waiting)

    async def release(self) -> None:
        """Put on the real queues what has become visible."""
        now = self.clock.now()
        await self._show_hidden(now)
        due = [each for each in self.waiting if each.visible_at <= now]
        self.waiting = [each for each in self.waiting if each.visible_at > now]
        for each in due:
            self._sent_at[each.text] = each.sent_at.replace(microsecond=0)
            await self.inner.send(each.queue, each.text)
            self.touched.add(each.queue)

    async def due(self) -> list[tuple[str, str]]:
        """The queue and the id of each message that can be seen: received for good from the real queue, and kept here."""
        await self.release()
        for queue in sorted(self.touched):
            received = await self.inner.receive(queue, 32, timedelta(hours=1))
            self.in_hand |= {one.message_id: InHand(queue, self._received(one), self.clock.now()) for one in received}
            if len(received) < 32:
                self.touched.discard(queue)
        return [
            (each.queue, message_id) for message_id, each in self.in_hand.items() if each.visible_at <= self.clock.now()
        ]

    def take(self, queue: str, message_id: str, hide: timedelta) -> ReceivedMessage:
        """Count the delivery."""
        held = self.in_hand[message_id]
        held.message = replace(held.message, dequeue_count=held.message.dequeue_count + 1)
        self.hide(queue, held.message, hide)
        return held.message

    def hide(self, queue: str, message: ReceivedMessage, hide: timedelta) -> None:
        self.in_hand[message.message_id].visible_at = self.clock.now() + hide

    def next_at(self) -> datetime | None:
        moments = [each.visible_at for each in self.waiting] + [each.visible_at for each in self.in_hand.values()]
        return min(moments, default=None)

    @property
    def idle(self) -> bool:
        """Whether nothing is hidden."""
        return not self.waiting and not self._hidden and not self.in_hand

    def _received(self, message: ReceivedMessage) -> ReceivedMessage:
        """As the host is to see it: never delivered, and as old as it is if it was delayed before it came here."""
        sent_at = self._sent_at.get(message.text, message.inserted_at)
        return replace(message, inserted_at=sent_at, dequeue_count=0)

    async def _show_hidden(self, now: datetime) -> None:
        due = {message_id: real for message_id, (until, real) in self._hidden.items() if until <= now}
        for message_id, real in due.items():
            del self._hidden[message_id]
            if not self._in_memory:
                await asyncio.sleep(max(0.0, (real - datetime.now(UTC)).total_seconds()))

    @property
    def _in_memory(self) -> bool:
        return isinstance(self.inner, MemoryQueues)

    def _service_time(self) -> datetime:
        return self.clock.now() if self._in_memory else datetime.now(UTC)


def delivery_of(delivery: Delivery, **changes: object) -> Delivery:
    """The delivery with something changed."""
    return replace(delivery, **changes)  # type: ignore[arg-type]
