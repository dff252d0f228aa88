"""The ports in memory: they pass the contract tests of the real adapters, and cost next to nothing."""

from __future__ import annotations

import json
import operator
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from shared.ports import (
    AlreadyExistsError,
    Blob,
    BlobInfo,
    BlobPage,
    Clock,
    Document,
    Page,
    PreconditionError,
    Query,
    ReceivedMessage,
    TaggedBlob,
    TagPage,
    TagsRefusedError,
    TooLargeError,
    Versioned,
    Where,
    checked_id,
    checked_name,
    checked_tags,
    names_of,
    page,
    projected,
)

_PAGE = 5000
_LARGEST_MESSAGE = 64 * 1024
_LARGEST_DOCUMENT = 2 * 1024 * 1024
_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip


@dataclass(frozen=True)
class _Stored:
    blob: Blob
    metadata: Mapping[str, str]


class MemoryContainers:
    """Containers by name (`shared.ports.Containers`), of any account."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._opened: dict[tuple[str | None, str], MemoryBlobs] = {}

    def __call__(self, name: str, account: str | None = None, key: str | None = None) -> MemoryBlobs:  # noqa: ARG002 - the port's
        """Open one; who it is that asks is not looked at."""
        return self._opened.setdefault((account, name), MemoryBlobs(self._clock))


class MemoryBlobs:
    """One container (`shared.ports.BlobStore`)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._etags = count(1)
        self._blobs: dict[str, _Stored] = {}
        self._tagged: dict[str, Mapping[str, str]] = {}
        """The index of tags: what is found by them costs nothing for what has none."""
        self.takes_tags = True
        """Whether the account knows tags, and who asks may use them."""

    async def read(self, name: str) -> Blob | None:
        found = self._blobs.get(name)
        return found.blob if found else None

    async def create(
        self, name: str, data: bytes, metadata: Mapping[str, str] | None = None, tags: Mapping[str, str] | None = None
    ) -> str:
        self._check(tags)
        if name in self._blobs:
            raise AlreadyExistsError(name)
        return self._put(name, data, metadata, tags)

    async def replace(
        self,
        name: str,
        data: bytes,
        etag: str,
        metadata: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> str:
        self._check(tags)
        found = self._blobs.get(name)
        if found is None or found.blob.etag != etag:
            raise PreconditionError(name)
        return self._put(name, data, metadata, tags)

    async def delete(self, name: str, etag: str | None = None) -> bool:
        found = self._blobs.get(name)
        if etag is not None and (found is None or found.blob.etag != etag):
            raise PreconditionError(name)
        self._tagged.pop(name, None)
        return self._blobs.pop(name, None) is not None

    async def list(self, prefix: str) -> AsyncIterator[BlobInfo]:
        for name, stored in sorted(self._blobs.items()):
            if name.startswith(prefix):
                yield BlobInfo(
                    name, stored.blob.etag, stored.blob.last_modified, stored.metadata, len(stored.blob.data)
                )

    async def list_page(self, prefix: str, cursor: str | None = None, limit: int = _PAGE) -> BlobPage:
        rows = [row async for row in self.list(prefix) if cursor is None or row.name > cursor]
        return BlobPage(rows[:limit], rows[limit - 1].name if len(rows) > limit else None)

    async def find(self, tag: str, at_most: str, cursor: str | None = None, limit: int = _PAGE) -> TagPage:
        self._check({tag: at_most})
        rows = [
            TaggedBlob(name, tags[tag])
            for name, tags in sorted(self._tagged.items())
            if name > (cursor or "") and tag in tags and tags[tag] <= at_most
        ]
        return TagPage(rows[:limit], rows[limit - 1].name if len(rows) > limit else None)

    def names(self) -> tuple[str, ...]:
        """The names of all blobs, in the order in which they were made."""
        return tuple(self._blobs)

    async def close(self) -> None:
        """Nothing is open."""

    async def upload_address(self, name: str, until: datetime) -> str:
        """No address that anything could be put to; it says what it would be for."""
        return f"memory:{name}?until={until.isoformat()}"

    def _check(self, tags: Mapping[str, str] | None) -> None:
        if checked_tags(tags) and not self.takes_tags:
            raise TagsRefusedError("no tags here")

    def _put(self, name: str, data: bytes, metadata: Mapping[str, str] | None, tags: Mapping[str, str] | None) -> str:
        blob = Blob(data, f'"{next(self._etags)}"', self._clock.now().replace(microsecond=0))
        self._blobs[name] = _Stored(blob, dict(metadata or {}))
        self._tagged.pop(name, None)
        if tags:
            self._tagged[name] = dict(tags)
        return blob.etag


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
        if len(text) > _LARGEST_MESSAGE:
            raise TooLargeError("a message of more than 64 KiB")
        now = self._clock.now()
        message = _Message(f"m{next(self._ids)}", text, now.replace(microsecond=0), now + delay)
        self._queues.setdefault(queue, []).append(message)

    async def receive(
        self, queue: str, limit: int = 32, hide: timedelta = timedelta(minutes=1)
    ) -> list[ReceivedMessage]:
        return [self.take(queue, message.id, hide) for message in self._visible(queue)[:limit]]

    async def peek(self, queue: str, limit: int = 32) -> list[ReceivedMessage]:
        return [_received(message, "") for message in self._visible(queue)[:limit]]

    async def delete(self, queue: str, message: ReceivedMessage) -> bool:
        for each in self._queues.get(queue, []):
            if each.id == message.message_id and f"{each.dequeue_count}" == message.pop_receipt:
                self._queues[queue].remove(each)
                return True
        return False

    async def due(self) -> list[tuple[str, str]]:
        """The queue and the id of each visible message."""
        return [(queue, each.id) for queue in sorted(self._queues) for each in self._visible(queue)]

    def take(self, queue: str, message_id: str, hide: timedelta) -> ReceivedMessage:
        """Receive one message."""
        message = self._of(queue, message_id)
        message.visible_at = self._clock.now() + hide
        message.dequeue_count += 1
        return _received(message, f"{message.dequeue_count}")

    def hide(self, queue: str, message: ReceivedMessage, hide: timedelta) -> None:
        """Let a received message be seen again after `hide`, as the host does where its function failed."""
        self._of(queue, message.message_id).visible_at = self._clock.now() + hide

    def next_at(self) -> datetime | None:
        """When the next message can be seen; None where there is none at all."""
        return min((each.visible_at for queue in self._queues.values() for each in queue), default=None)

    @property
    def idle(self) -> bool:
        """Whether there is no message, hidden ones included."""
        return not any(self._queues.values())

    def depths(self) -> dict[str, int]:
        """How many messages there are in each queue that has any, hidden ones included."""
        return {queue: len(messages) for queue, messages in self._queues.items() if messages}

    async def depth(self, queue: str) -> int:
        return len(self._queues.get(queue, []))

    async def close(self) -> None:
        """Nothing is open."""

    def _of(self, queue: str, message_id: str) -> _Message:
        return next(each for each in self._queues[queue] if each.id == message_id)

    def _visible(self, queue: str) -> list[_Message]:
        return [each for each in self._queues.get(queue, []) if each.visible_at <= self._clock.now()]


def _received(message: _Message, receipt: str) -> ReceivedMessage:
    return ReceivedMessage(message.id, receipt, message.text, message.inserted_at, message.dequeue_count)


@dataclass
class _Kept:
    body: str
    etag: str
    version: float
    expires_at: datetime | None


class MemoryDocuments:
    """Containers of documents (`shared.ports.DocumentStore`)."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._etags = count(1)
        self._kept: dict[tuple[str, str, str], _Kept] = {}

    async def read(self, container: str, pk: str, id: str) -> Versioned[Document] | None:
        found = self._alive(container, pk, id)
        return Versioned(json.loads(found.body), found.etag) if found else None

    async def create(self, container: str, document: Document) -> str:
        if self._there(container, document):
            raise AlreadyExistsError(document["id"])
        return self._put(container, document)

    async def replace(self, container: str, document: Document, etag: str) -> str:
        found = self._there(container, document)
        if found is None or found.etag != etag:
            raise PreconditionError(document["id"])
        return self._put(container, document)

    async def put_newer(self, container: str, document: Document) -> bool:
        found = self._there(container, document)
        if found and found.version >= document["version"]:
            return False
        self._put(container, document)
        return True

    async def delete(self, container: str, pk: str, id: str, etag: str | None = None) -> bool:
        found = self._alive(container, pk, id)
        if found and etag is not None and found.etag != etag:
            raise PreconditionError(id)
        self._kept.pop((container, pk, id), None)
        return found is not None

    async def query(self, container: str, query: Query) -> Page:
        for name in (query.order_by, *(one.name for one in query.where)):
            checked_name(name)
        keys = [key for key in self._kept if key[0] == container and query.partition in (None, key[1])]
        alive = [json.loads(found.body) for key in keys if (found := self._alive(*key))]
        chosen = [each for each in alive if query.order_by in each and all(_holds(each, one) for one in query.where)]
        chosen.sort(key=lambda each: str(each[query.order_by]), reverse=query.descending)
        if query.after is not None:
            beyond = Where(query.order_by, "<" if query.descending else ">", query.after)
            chosen = [each for each in chosen if _holds(each, beyond)]
        names = names_of(query)
        return page([projected(each, names) for each in chosen[: query.limit + 1]], query)

    async def close(self) -> None:
        """Nothing is open."""

    def _there(self, container: str, document: Document) -> _Kept | None:
        return self._alive(container, document["pk"], document["id"])

    def _alive(self, container: str, pk: str, id: str) -> _Kept | None:
        found = self._kept.get((container, pk, checked_id(id)))
        return found if found and (found.expires_at is None or found.expires_at > self._clock.now()) else None

    def _put(self, container: str, document: Document) -> str:
        body, etag, ttl = json.dumps(document), f"{next(self._etags)}", document.get("ttl")
        if len(body) > _LARGEST_DOCUMENT:
            raise TooLargeError(document["id"])
        expires_at = self._clock.now() + timedelta(seconds=ttl) if ttl and ttl > 0 else None
        kept = _Kept(body, etag, document.get("version", 0), expires_at)
        self._kept[container, document["pk"], document["id"]] = kept
        return etag


def _holds(document: Document, where: Where) -> bool:
    value = document.get(where.name)
    return value is not None and _sort_of(value) is _sort_of(where.value) and _COMPARE[where.op](value, where.value)


def _sort_of(value: object) -> type:
    """Only alike values compare; a boolean is not a number."""
    return float if type(value) is int else type(value)
