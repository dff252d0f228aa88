"""The singleton lock of a listener: a blob lease of 60 seconds, renewed while it is held."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from azure.core.exceptions import AzureError, HttpResponseError, ResourceExistsError, ResourceNotFoundError

if TYPE_CHECKING:
    from azure.storage.blob.aio import BlobLeaseClient, ContainerClient

logger = logging.getLogger("devhost.lock")

_LEASE_SECONDS = 60
_RENEW_SECONDS = 20.0
_LEASED = 409


class SingletonLock:
    """A lock that one host at a time can hold."""

    poll_seconds = 5.0
    """How long to wait before trying again for a lock that somebody else holds."""

    def __init__(self, container: ContainerClient, name: str) -> None:
        self._container = container
        self._blob = container.get_blob_client(name)
        self._name = name
        self._lease: BlobLeaseClient | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._failing = False

    @property
    def held(self) -> bool:
        """Whether this host holds the lock, as far as it knows."""
        return self._lease is not None

    async def acquire(self) -> bool:
        """Try to take the lock; False if another host holds it, or storage does not answer."""
        try:
            self._lease = await self._take()
        except AzureError as error:
            self._report(error)
            return False
        self._failing = False
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
            return await self._blob.acquire_lease(_LEASE_SECONDS)
        except ResourceNotFoundError:
            with suppress(ResourceExistsError):
                await self._container.create_container()
            with suppress(HttpResponseError):  # another host may make the blob, and lease it, at the same time
                await self._blob.upload_blob(b"")
            return await self._blob.acquire_lease(_LEASE_SECONDS)

    async def _renew(self, lease: BlobLeaseClient) -> None:
        while True:
            await asyncio.sleep(_RENEW_SECONDS)
            try:
                await lease.renew()
            except AzureError as error:
                logger.warning("lock %s is lost: %s", self._name, type(error).__name__)
                self._lease = None
                return

    def _report(self, error: AzureError) -> None:
        """Log the first of a series of failures; that another host holds the lock is none."""
        if getattr(error, "status_code", None) == _LEASED:
            logger.debug("lock %s is held by another host", self._name)
        elif not self._failing:
            self._failing = True
            logger.warning("lock %s cannot be taken, trying again: %s", self._name, type(error).__name__)
