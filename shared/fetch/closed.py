"""Hosts that want to be left alone, as every instance of the app knows them: a small document for each, until its time is over.

A process keeps what hosts asked it for by itself (`shared.fetch.throttle`). What they ask for more than a minute is written down, so that
a restart does not forget it, and no other instance asks in the meantime.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta

from shared.containers import LOCKS
from shared.fetch.errors import FetchUnavailableError
from shared.ports import Clock, DocumentStore, StorageError

_SHORT = 60.0
"""Seconds that are not worth a document."""


@asynccontextmanager
async def respecting(documents: DocumentStore, clock: Clock, host: str) -> AsyncIterator[None]:
    """Ask nothing of a host that wants to be left alone, and remember where it says so. One storage call, and one more then.

    Raises:
        FetchUnavailableError: it does, for `retry_after` seconds more.
    """
    left = await _left(documents, clock, host)
    if left > 0:
        raise FetchUnavailableError("the server asked to be left alone for a while", left)
    try:
        yield
    except FetchUnavailableError as error:
        await remember(documents, clock, host, error)
        raise


async def remember(documents: DocumentStore, clock: Clock, host: str, error: FetchUnavailableError) -> None:
    """Tell every instance for how long a host wants to be left alone, if it is worth it. One storage call then."""
    seconds = error.retry_after or 0.0
    if seconds > _SHORT:
        with suppress(StorageError):  # then this process alone knows it
            await _write(documents, clock, host, seconds)


async def _left(documents: DocumentStore, clock: Clock, host: str) -> float:
    found = await documents.read(LOCKS, _id(host), _id(host))
    if found is None:
        return 0.0
    return (datetime.fromisoformat(found[0]["until"]) - clock.now()).total_seconds()


async def _write(documents: DocumentStore, clock: Clock, host: str, seconds: float) -> None:
    until = clock.now() + timedelta(seconds=seconds)
    document = {
        "id": _id(host), "pk": _id(host), "type": "closed-host", "until": until.isoformat(),
        "version": int(until.timestamp()), "ttl": int(seconds) + 1,
    }  # fmt: skip
    await documents.put_newer(LOCKS, document)  # of two answers the longer one stands


def _id(host: str) -> str:
    return f"host:{host}"
