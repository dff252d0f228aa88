"""Blobs and queues in memory, for tests that make very many storage calls; the same tests run over Azurite as well."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

from shared.ports import AlreadyExistsError, Blob, BlobInfo, Clock, PreconditionError, ReceivedMessage


class MemoryBlobs:
    """One container (`shared.ports.BlobStore`)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._etags = count(1)
        self._blobs: dict[str, tuple[Blob, Mapping[str, str]]] = {}

    async def read(self, name: str) -> Blob | None:
        found = self._blobs.get(name)
        return found[0] if found else None

    async def create(self, name: str, data: bytes, metadata: Mapping[str, str] | None = None) -> str:
        if name in self._blobs:
            raise AlreadyExistsError(name)
        return self._put(name, data, metadata)

    async def replace(self, name: str, data: bytes, etag: str, metadata: Mapping[str, str] | None = None) -> str:
        found = self._blobs.get(name)
        if found is None or found[0].etag != etag:
            raise PreconditionError(name)
        return self._put(name, data, metadata)

    async def delete(self, name: str) -> bool:
        return self._blobs.pop(name, None) is not None

    async def list(self, prefix: str) -> AsyncIterator[BlobInfo]:
        for name, (blob, metadata) in sorted(self._blobs.items()):
            if name.startswith(prefix):
                yield BlobInfo(name, blob.etag, blob.last_modified, metadata)

    async def close(self) -> None:
        """Nothing is open."""

    def _put(self, name: str, data: bytes, metadata: Mapping[str, str] | None) -> str:
        etag = f'"{next(self._etags)}"'
        self._blobs[name] = Blob(data, etag, self._clock.now().replace(microsecond=0)), dict(metadata or {})
        return etag


@dataclass
class _Message:
    id: str
    text: str
    inserted_at: datetime
    visible_at: datetime
    dequeue_count: int = 0


class MemoryQueues:
    """All queues of an account (`shared.ports.MessageQueues`)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ids = count(1)
        self._queues: dict[str, list[_Message]] = {}

    async def send(self, queue: str, text: str, delay: timedelta = timedelta(0)) -> None:
        now = self._clock.now()
        message = _Message(f"m{next(self._ids)}", text, now.replace(microsecond=0), now + delay)
        self._queues.setdefault(queue, []).append(message)

    async def receive(
        self, queue: str, limit: int = 32, hide: timedelta = timedelta(minutes=1)
    ) -> list[ReceivedMessage]:
        chosen = self._visible(queue)[:limit]
        for message in chosen:
            message.visible_at = self._clock.now() + hide
            message.dequeue_count += 1
        return [_received(message, f"{message.dequeue_count}") for message in chosen]

    async def peek(self, queue: str, limit: int = 32) -> list[ReceivedMessage]:
        return [_received(message, "") for message in self._visible(queue)[:limit]]

    async def delete(self, queue: str, message: ReceivedMessage) -> bool:
        for each in self._queues.get(queue, []):
            if each.id == message.message_id and f"{each.dequeue_count}" == message.pop_receipt:
                self._queues[queue].remove(each)
                return True
        return False

    async def depth(self, queue: str) -> int:
        return len(self._queues.get(queue, []))

    async def close(self) -> None:
        """Nothing is open."""

    def _visible(self, queue: str) -> list[_Message]:
        return [each for each in self._queues.get(queue, []) if each.visible_at <= self._clock.now()]


def _received(message: _Message, receipt: str) -> ReceivedMessage:
    return ReceivedMessage(message.id, receipt, message.text, message.inserted_at, message.dequeue_count)
