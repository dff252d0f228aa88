"""Clients for the storage account that a ``connection`` setting names: by connection string or by identity."""

from __future__ import annotations

import random
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.request import getproxies

from azure.core.exceptions import ResourceNotFoundError

from devhost.config import ConfigError, Settings

if TYPE_CHECKING:
    from azure.storage.blob.aio import BlobServiceClient
    from azure.storage.queue.aio import QueueServiceClient

DEFAULT_CONNECTION = "AzureWebJobsStorage"

HOSTS_CONTAINER = "azure-webjobs-hosts"
"""Where a host keeps its locks and the states of its timers."""
_RETRIES = 5


class Storage:
    """The storage clients of a host: one of each kind for each connection, made on first use."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._queues: dict[str, QueueServiceClient] = {}
        self._blobs: dict[str, BlobServiceClient] = {}
        self._credentials: list[Any] = []

    def queues(self, connection: str) -> QueueServiceClient:
        """Return the queue client of a connection.

        Raises:
            ConfigError: if no app setting describes the connection.
        """
        from azure.storage.queue.aio import QueueServiceClient

        if connection not in self._queues:
            self._queues[connection] = self._client(QueueServiceClient, connection, "queue")
        return self._queues[connection]

    def blobs(self, connection: str = DEFAULT_CONNECTION) -> BlobServiceClient:
        """Return the blob client of a connection; ConfigError if no app setting describes it."""
        from azure.storage.blob.aio import BlobServiceClient

        if connection not in self._blobs:
            self._blobs[connection] = self._client(BlobServiceClient, connection, "blob")
        return self._blobs[connection]

    async def reach(self) -> None:
        """Ask the account for the host's own container, as a host does before it listens; AzureError if in vain."""
        container = self.blobs().get_container_client(HOSTS_CONTAINER)
        with suppress(ResourceNotFoundError):
            await container.get_container_properties()

    async def close(self) -> None:
        """Close every client."""
        for client in (*self._queues.values(), *self._blobs.values(), *self._credentials):
            await client.close()

    def _client(self, kind: Any, connection: str, service: str) -> Any:
        name = self._prefixed(connection)
        options = {"transport": _transport(), "retry_policy": _retry()}
        if text := self._settings.get(name):
            return kind.from_connection_string(text, **options)
        if endpoint := self._endpoint(name, service):
            return kind(endpoint, credential=self._credential(name), **options)
        raise ConfigError(f"no app setting {name} (connection string) nor {name}__{service}ServiceUri (by identity)")

    def _prefixed(self, connection: str) -> str:
        """A connection ``X`` may be set as ``X`` or as ``AzureWebJobsX``."""
        prefixed = f"AzureWebJobs{connection}"
        return prefixed if any(key.startswith(prefixed) for key in self._settings) else connection

    def _endpoint(self, name: str, service: str) -> str | None:
        account = self._settings.get(f"{name}__accountName")
        by_account = f"https://{account}.{service}.core.windows.net" if account else None
        return self._settings.get(f"{name}__{service}ServiceUri") or by_account

    def _credential(self, name: str) -> Any:
        from azure.identity.aio import DefaultAzureCredential, ManagedIdentityCredential

        client_id = self._settings.get(f"{name}__clientId")
        if self._settings.get(f"{name}__credential") == "managedidentity":
            self._credentials.append(ManagedIdentityCredential(client_id=client_id))
        else:
            self._credentials.append(DefaultAzureCredential(managed_identity_client_id=client_id))
        return self._credentials[-1]


def _transport() -> Any:
    """An HTTP transport that looks for a proxy once, and not in the environment and netrc at every request."""
    from azure.core.pipeline.transport import AioHttpTransport

    return AioHttpTransport(use_env_settings=bool(getproxies()))


def _retry() -> Any:
    """Six tries within some 25 seconds, as the host's SDK makes them."""
    from azure.storage.blob.aio import ExponentialRetry

    class HostRetry(ExponentialRetry):
        def get_backoff_time(self, settings: dict[str, Any]) -> float:
            return 0.8 * 2.0 ** (int(settings["count"]) - 1) * random.uniform(0.8, 1.2)

    return HostRetry(retry_total=_RETRIES, retry_connect=_RETRIES, retry_read=_RETRIES, retry_status=_RETRIES)


def code_of(error: BaseException) -> str:
    """Return the service's name for what went wrong; empty where it gave none."""
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code) or "")


def describe(error: BaseException) -> str:
    """Return what kind of error it is: no text of it, which may quote a payload."""
    code = code_of(error) or getattr(error, "status_code", None)
    return f"{type(error).__name__} {code}" if code else type(error).__name__
