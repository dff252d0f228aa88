"""Clients for the storage account that a ``connection`` setting names: by connection string or by identity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.request import getproxies

from devhost.config import ConfigError, Settings

if TYPE_CHECKING:
    from azure.storage.blob.aio import BlobServiceClient
    from azure.storage.queue.aio import QueueServiceClient

DEFAULT_CONNECTION = "AzureWebJobsStorage"

# The SDK's own 15 seconds before the first retry would stall a whole batch for one lost answer.
_RETRY = {"initial_backoff": 1, "increment_base": 2, "retry_total": 4, "random_jitter_range": 1}


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

    async def close(self) -> None:
        """Close every client."""
        for client in (*self._queues.values(), *self._blobs.values(), *self._credentials):
            await client.close()

    def _client(self, kind: Any, connection: str, service: str) -> Any:
        name = self._prefixed(connection)
        options = {"transport": _transport(), **_RETRY}
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
