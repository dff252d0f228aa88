"""What everybody does over the ports, said once: a version, a write that must hold, pages of a query, a cached value."""

from __future__ import annotations

import asyncio
import functools
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Hashable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, ParamSpec, TypeVar

from shared.ports import Clock, Document, DocumentStore, PreconditionError, Query, StorageError, Versioned

__all__ = ["Cached", "Versioned", "compare_and_swap", "every", "iso", "isos", "pages", "write"]

LOG = logging.getLogger("nightshift.storage")

P = ParamSpec("P")
PATIENCE = 15.0
"""Seconds that reading a cached value may take: storage that never answers would hold up those who ask for minutes."""
T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
TRIES = 10
"""How often a write that others overtake is tried before the caller's own retry has to do it."""


def iso(moment: datetime) -> str:
    """Write a moment so that text order is time order: UTC, microseconds, `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def isos(**moments: datetime | None) -> dict[str, str]:
    """Several moments by name, written by `iso`; those that there are."""
    return {name: iso(moment) for name, moment in moments.items() if moment}


def compare_and_swap(
    what: str, tries: int = TRIES, pause: Callable[[Any, int], Awaitable[None]] | None = None
) -> Callable[[Callable[P, Awaitable[T]]], Callable[P, Coroutine[Any, Any, T]]]:
    """Have a function that reads and writes under a condition run again until nobody else wrote in between.

    Example::

        @compare_and_swap("the user")
        async def rename(self, user_id: str, name: str) -> None:
            found = await self._documents.read(USERS, user_id, user_id)
            await write(self._documents, USERS, {**found.value, "name": name}, found)

    Args:
        what: what is written, for the error.
        tries: how often it runs at most.
        pause: waits before the next try; it is given the function's first argument and how many tries there were.

    Raises:
        PreconditionError: others kept overtaking it.
    """

    def decorate(attempt: Callable[P, Awaitable[T]]) -> Callable[P, Coroutine[Any, Any, T]]:
        @functools.wraps(attempt)
        async def until_it_holds(*args: P.args, **kwargs: P.kwargs) -> T:
            for number in range(tries):
                try:
                    return await attempt(*args, **kwargs)
                except PreconditionError:
                    if pause:
                        await pause(args[0], number)
            raise PreconditionError(f"{what} is changed by others without end")

        return until_it_holds

    return decorate


async def write(documents: DocumentStore, container: str, document: Document, before: Versioned[Any] | None) -> str:
    """Create a document where there was none, else replace the one that was read; return its ETag.

    Raises:
        PreconditionError: somebody else wrote meanwhile.
    """
    if before is None:
        return await documents.create(container, document)
    return await documents.replace(container, document, before.etag)


async def pages(
    documents: DocumentStore, container: str, query: Query, most: int | None = None
) -> AsyncIterator[list[Document]]:
    """Yield what a query finds, page by page, empty ones left out; at most so many documents. A storage call for each."""
    left = most
    while left is None or left > 0:
        limit = query.limit if left is None else min(query.limit, left)
        page = await documents.query(container, replace(query, limit=limit))
        if page.items:
            yield page.items
        left = None if left is None else left - len(page.items)
        if page.cursor is None:
            return
        query = replace(query, after=page.cursor)


async def every(
    documents: DocumentStore, container: str, query: Query, most: int | None = None
) -> AsyncIterator[Document]:
    """Yield every document that a query finds; at most so many. A storage call for each page."""
    async for page in pages(documents, container, query, most):
        for document in page:
            yield document


class Cached(Generic[K, T]):
    """Values that cost storage calls, read once for all who ask within some time."""

    def __init__(
        self,
        clock: Clock,
        fresh: timedelta,
        read: Callable[[K], Awaitable[T]],
        or_else: Callable[[], T] | None = None,
        what: str = "value",
        patience: float = PATIENCE,
    ) -> None:
        """Nothing is read before it is asked for.

        Args:
            clock: the time.
            fresh: how long what was read is believed.
            read: reads the value of a key.
            or_else: what holds where storage fails and nothing is known. Without it the failure is for those who wait for the
                value, and not remembered; with it, the last value known holds for another while.
            what: what is read, for the log.
            patience: seconds that reading may take.
        """
        self._clock = clock
        self._fresh = fresh
        self._read = read
        self._or_else = or_else
        self._what = what
        self._patience = patience
        self._known: dict[K, tuple[T, datetime]] = {}
        self._reading: dict[K, asyncio.Task[T]] = {}

    async def get(self, key: K) -> T:
        """The value of a key, read anew where it is too old.

        Raises:
            StorageError: reading took too long; and whatever it raises, where there is no `or_else`.
        """
        known = self._known.get(key)
        if known is not None and self._clock.now() - known[1] < self._fresh:
            return known[0]
        if key not in self._reading:
            self._reading[key] = asyncio.get_running_loop().create_task(self._read_anew(key))
        return await asyncio.shield(self._reading[key])

    def put(self, key: K, value: T) -> T:
        """Remember what is known from elsewhere."""
        self._known[key] = value, self._clock.now()
        return value

    async def _read_anew(self, key: K) -> T:
        try:
            async with asyncio.timeout(self._patience):
                return self.put(key, await self._read(key))
        except (StorageError, TimeoutError) as error:
            failure = error if isinstance(error, StorageError) else StorageError("no answer in time")
            if self._or_else is None:
                raise failure from None
            LOG.warning("%s not read: of=%s cause=%s", self._what, key, type(failure).__name__)
            known = self._known.get(key)
            return self.put(key, known[0] if known else self._or_else())
        finally:
            del self._reading[key]
