"""The singleton lock of a listener: a blob lease of 60 seconds, renewed at half time while it is held."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError, ResourceNotFoundError

if TYPE_CHECKING:
    from azure.storage.blob.aio import BlobLeaseClient, ContainerClient

logger = logging.getLogger("devhost.lock")

_LEASED = 409


class SingletonLock:
    """A lock that one host at a time can hold.

    Args:
        container: Where its blob is kept.
        name: The blob's name.
        seconds: How long the lease lasts, and how long to wait before trying again for one that somebody else holds.
        fail: Stops the host: of a lock that is lost, or cannot be asked for.
    """

    def __init__(
        self, container: ContainerClient, name: str, seconds: int, fail: Callable[[str, BaseException], None]
    ) -> None:
        self._container = container
        self._blob = container.get_blob_client(name)
        self._name = name
        self._seconds = seconds
        self._fail = fail
        self._lease: BlobLeaseClient | None = None
        self._renewing: asyncio.Task[None] | None = None

    @property
    def poll_seconds(self) -> float:
        """How long to wait before trying again."""
        return self._seconds

    @property
    def held(self) -> bool:
        """Whether this host holds the lock, as far as it knows."""
        return self._lease is not None

    async def acquire(self) -> bool:
        """Try to take the lock; False if another host holds it."""
        try:
            self._lease = await self._take()
        except AzureError as error:
            if getattr(error, "status_code", None) == _LEASED:
                logger.debug("lock %s is held by another host", self._name)
            else:
                self._fail(f"lock {self._name} cannot be taken", error)
            return False
        self._renewing = asyncio.create_task(self._renew(self._lease))
        return True

    async def release(self) -> None:
        """Give the lock back at once, so that another host need not wait for the lease to end."""
        if self._renewing is not None:
            self._renewing.cancel()
        lease, self._lease = self._lease, None
        if lease is not None:
            with suppress(AzureError):
                await lease.release()

    async def _take(self) -> BlobLeaseClient:
        try:
            return await self._blob.acquire_lease(self._seconds)
        except ResourceNotFoundError:
            with suppress(ResourceExistsError):
                await self._container.create_container()
            with suppress(HttpResponseError):  # another host may make the blob, and lease it, at the same time
                await self._blob.upload_blob(b"")
            return await self._blob.acquire_lease(self._seconds)

    async def _renew(self, lease: BlobLeaseClient) -> None:
        while True:
            await asyncio.sleep(self._seconds / 2)
            try:
                await lease.renew()
            except AzureError as error:
                self._lease = None
                self._fail(f"lock {self._name} is lost", error)
                return
