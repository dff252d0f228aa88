"""Faults at the ports: every storage call of an app is counted, and one of them fails, or is the last thing it does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol, TypeVar

from shared.ports import (
    Blob,
    BlobInfo,
    BlobPage,
    BlobStore,
    Document,
    DocumentStore,
    MessageQueues,
    Page,
    Query,
    ReceivedMessage,
    StorageError,
    TagPage,
    Versioned,
)

T = TypeVar("T")


class Died(BaseException):
    """The process ended here."""


class Mode(StrEnum):
    """What happens at the chosen call."""

    FAIL_BEFORE = "fails without effect"
    FAIL_AFTER = "takes effect, its answer is lost"
    DIE_BEFORE = "dies before it"
    DIE_AFTER = "dies after it"
    OUTAGE = "fails, as does everything after it"


class Around(Protocol):
    """Stands around every storage call."""

    async def around(self, name: str, call: Callable[[], Awaitable[T]]) -> T:
        """Make the call, or do something else."""
        ...


class Faults:
    """Counts calls by name, and strikes at call number `at` (from 1). `only`: strikes every call so named."""

    def __init__(self, at: int = 0, mode: Mode = Mode.FAIL_BEFORE, only: Callable[[str], bool] | None = None) -> None:
        self.at = at
        self.mode = mode
        self.only = only
        self.calls: list[str] = []
        self.struck: str | None = None
        self._dead = False

    async def around(self, name: str, call: Callable[[], Awaitable[T]]) -> T:
        """Make the call, unless it is the one."""
        if not self._strikes(name):
            return await call()
        self.struck = name
        if self.mode in (Mode.FAIL_AFTER, Mode.DIE_AFTER):
            await call()
        if self.mode in (Mode.DIE_BEFORE, Mode.DIE_AFTER):
            self._dead = True
            raise Died
        raise StorageError(f"injected: {name} {self.mode}")

    def _strikes(self, name: str) -> bool:
        if self._dead:
            raise Died
        self.calls.append(name)
        if self.only is not None:
            return self.only(name)
        return len(self.calls) == self.at or (self.mode is Mode.OUTAGE and 0 < self.at < len(self.calls))


class FaultyBlobs:
    """Blobs with faults."""

    def __init__(self, inner: BlobStore, faults: Around) -> None:
        self._inner = inner
        self._faults = faults

    async def read(self, name: str) -> Blob | None:
        return await self._faults.around("blobs.read", lambda: self._inner.read(name))

    async def create(
        self, name: str, data: bytes, metadata: Mapping[str, str] | None = None, tags: Mapping[str, str] | None = None
    ) -> str:
        return await self._faults.around("blobs.create", lambda: self._inner.create(name, data, metadata, tags))

    async def replace(
        self,
        name: str,
        data: bytes,
        etag: str,
        metadata: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> str:
        return await self._faults.around("blobs.replace", lambda: self._inner.replace(name, data, etag, metadata, tags))

    async def delete(self, name: str, etag: str | None = None) -> bool:
        return await self._faults.around("blobs.delete", lambda: self._inner.delete(name, etag))

    async def list(self, prefix: str) -> AsyncIterator[BlobInfo]:
        async def whole() -> list[BlobInfo]:
            return [info async for info in self._inner.list(prefix)]

        for info in await self._faults.around("blobs.list", whole):
            yield info

    async def list_page(self, prefix: str, cursor: str | None = None, limit: int = 5000) -> BlobPage:
        return await self._faults.around("blobs.list", lambda: self._inner.list_page(prefix, cursor, limit))

    async def find(self, tag: str, at_most: str, cursor: str | None = None, limit: int = 5000) -> TagPage:
        return await self._faults.around("blobs.find", lambda: self._inner.find(tag, at_most, cursor, limit))

    async def upload_address(self, name: str, until: datetime) -> str:
        return await self._faults.around("blobs.upload_address", lambda: self._inner.upload_address(name, until))


class FaultyQueues:
    """Queues with faults."""

    def __init__(self, inner: MessageQueues, faults: Around) -> None:
        self._inner = inner
        self._faults = faults

    async def send(self, queue: str, text: str, delay: timedelta = timedelta(0)) -> None:
        await self._faults.around("queues.send", lambda: self._inner.send(queue, text, delay))

    async def receive(
        self, queue: str, limit: int = 32, hide: timedelta = timedelta(minutes=1)
    ) -> list[ReceivedMessage]:
        return await self._faults.around("queues.receive", lambda: self._inner.receive(queue, limit, hide))

    async def peek(self, queue: str, limit: int = 32) -> list[ReceivedMessage]:
        return await self._faults.around("queues.peek", lambda: self._inner.peek(queue, limit))

    async def delete(self, queue: str, message: ReceivedMessage) -> bool:
        return await self._faults.around("queues.delete", lambda: self._inner.delete(queue, message))

    async def depth(self, queue: str) -> int:
        return await self._faults.around("queues.depth", lambda: self._inner.depth(queue))


class FaultyDocuments:
    """Documents with faults."""

    def __init__(self, inner: DocumentStore, faults: Around) -> None:
        self._inner = inner
        self._faults = faults

    async def read(self, container: str, pk: str, id: str) -> Versioned[Document] | None:
        return await self._faults.around(f"{container}.read", lambda: self._inner.read(container, pk, id))

    async def create(self, container: str, document: Document) -> str:
        return await self._faults.around(f"{container}.create", lambda: self._inner.create(container, document))

    async def replace(self, container: str, document: Document, etag: str) -> str:
        return await self._faults.around(f"{container}.replace", lambda: self._inner.replace(container, document, etag))

    async def put_newer(self, container: str, document: Document) -> bool:
        return await self._faults.around(f"{container}.put", lambda: self._inner.put_newer(container, document))

    async def delete(self, container: str, pk: str, id: str, etag: str | None = None) -> bool:
        return await self._faults.around(f"{container}.delete", lambda: self._inner.delete(container, pk, id, etag))

    async def query(self, container: str, query: Query) -> Page:
        return await self._faults.around(f"{container}.query", lambda: self._inner.query(container, query))
