"""From settings to adapters: which service, reached how, as whom. SDKs are imported here, when one is needed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from shared.adapters.calls import Naming, blob_operation, document_operation, queue_operation
from shared.calls import Calls
from shared.settings import Settings, SettingsError

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

    from shared.adapters.blobs import AzureBlobs
    from shared.adapters.cosmos import CosmosDocuments
    from shared.adapters.queues import AzureQueues
    from shared.adapters.sqlite import SqliteDocuments

_NO_STORAGE = (
    "AzureWebJobsStorage: no storage account. Set it to a connection string, or, for access by identity, "
    "AzureWebJobsStorage__accountName or AzureWebJobsStorage__{service}ServiceUri"
)
_CONTAINER = re.compile(r"\$web|\$root|[a-z0-9](?:-?[a-z0-9]){2,62}")
_ACCOUNT = re.compile(r"[a-z0-9]{3,24}")
_BAD_CONNECTION = "AzureWebJobsStorage: this is not a connection string"


def open_blobs(settings: Settings, container: str, calls: Calls | None = None) -> AzureBlobs:
    """The blobs of one container of the app's storage account. Nothing is sent before the first call.

    Raises:
        SettingsError: where no setting says which account.
    """
    from azure.storage.blob.aio import ContainerClient

    from shared.adapters import pipeline
    from shared.adapters.blobs import AzureBlobs

    options = _storage_options("blobs", blob_operation, calls)
    if settings.storage_connection:
        try:
            client = ContainerClient.from_connection_string(settings.storage_connection, container, **options)
        except ValueError:
            raise SettingsError(_BAD_CONNECTION) from None
        owned = []
    else:
        url = _service_url(settings, "blob", settings.storage_blob_uri)
        owned = [_storage_identity(settings)]
        client = ContainerClient(url, container, credential=owned[0], **options)
    pipeline.lean(client, pipeline.BLOBS)
    return AzureBlobs(client, *owned)


class OpenedContainers:
    """Containers by name (`shared.ports.Containers`), each opened once."""

    def __init__(self, settings: Settings, calls: Calls | None = None) -> None:
        self._settings = settings
        self._calls = calls
        self._opened: dict[tuple[str, str | None, str | None], AzureBlobs] = {}

    def __call__(self, name: str, account: str | None = None, key: str | None = None) -> AzureBlobs:
        """Open one: the app's own account as its settings say, another by the key, or by the app's identity."""
        if not _CONTAINER.fullmatch(name):
            raise ValueError(f"not the name of a container: {name!r}")
        if account is not None and not _ACCOUNT.fullmatch(account):
            raise ValueError(f"not the name of a storage account: {account!r}")
        which = (name, account, key)
        if which not in self._opened:
            self._opened[which] = self._open(*which)
        return self._opened[which]

    async def close(self) -> None:
        """Close what was opened."""
        for each in self._opened.values():
            await each.close()
        self._opened.clear()

    def _open(self, name: str, account: str | None, key: str | None) -> AzureBlobs:
        if account is None or account == _own_account(self._settings):
            return open_blobs(self._settings, name, self._calls)
        from azure.storage.blob.aio import ContainerClient

        from shared.adapters import pipeline
        from shared.adapters.blobs import AzureBlobs

        credential: Any = {"account_name": account, "account_key": key} if key else _storage_identity(self._settings)
        options = _storage_options("blobs", blob_operation, self._calls)
        url = f"https://{account}.blob.core.windows.net"
        client = ContainerClient(url, name, credential=credential, **options)
        pipeline.lean(client, pipeline.BLOBS)
        return AzureBlobs(client, *([] if key else [credential]))


def _own_account(settings: Settings) -> str | None:
    """The name of the app's own storage account."""
    found = re.search(r"(?:^|;)\s*AccountName=([^;]+)", settings.storage_connection or "", re.IGNORECASE)
    if found:
        return found[1].strip()
    if "UseDevelopmentStorage=true" in (settings.storage_connection or ""):
        return "devstoreaccount1"
    return settings.storage_account


def open_queues(settings: Settings, calls: Calls | None = None) -> AzureQueues:
    """The queues of the app's storage account. Nothing is sent before the first call.

    Raises:
        SettingsError: where no setting says which account.
    """
    from azure.storage.queue.aio import QueueServiceClient

    from shared.adapters import pipeline
    from shared.adapters.queues import AzureQueues

    options = _storage_options("queues", queue_operation, calls)
    if settings.storage_connection:
        try:
            client = QueueServiceClient.from_connection_string(settings.storage_connection, **options)
        except ValueError:
            raise SettingsError(_BAD_CONNECTION) from None
        owned = []
    else:
        url = _service_url(settings, "queue", settings.storage_queue_uri)
        owned = [_storage_identity(settings)]
        client = QueueServiceClient(url, credential=owned[0], **options)
    pipeline.lean(client, pipeline.QUEUES, pipeline.FOR_QUEUES)
    return AzureQueues(client, *owned)


def open_documents(settings: Settings, calls: Calls | None = None) -> CosmosDocuments | SqliteDocuments:
    """The documents: in Cosmos DB where `COSMOS_ENDPOINT` is set, else in a file. Nothing is opened before the first call."""
    calls = calls or Calls()
    if settings.cosmos_endpoint:
        return _open_cosmos(settings, settings.cosmos_endpoint, calls)
    return _open_sqlite(settings, calls)


def _open_sqlite(settings: Settings, calls: Calls) -> SqliteDocuments:
    from shared.adapters.clock import SystemClock
    from shared.adapters.sqlite import SqliteDocuments

    return SqliteDocuments(settings.sqlite_path, SystemClock(), calls)


def _open_cosmos(settings: Settings, endpoint: str, calls: Calls) -> CosmosDocuments:
    """A key means an emulator: it may make what is missing. Over plain HTTP there is one endpoint and none to discover."""
    from azure.cosmos.aio import CosmosClient

    from shared.adapters import transport
    from shared.adapters.cosmos import CosmosDocuments

    transport.quiet()
    credential = settings.cosmos_key or _identity(settings.azure_client_id)
    client = CosmosClient(
        endpoint,
        credential,
        transport=transport.counted(transport.transport(), "documents", document_operation, calls),
        enable_endpoint_discovery=endpoint.startswith("https:"),
        **transport.COSMOS_LIMITS,
    )
    if isinstance(credential, str):
        return CosmosDocuments(client, settings.cosmos_database, may_create=True)
    return CosmosDocuments(client, settings.cosmos_database, credential)


def _storage_options(service: str, naming: Naming, calls: Calls | None) -> dict[str, Any]:
    from shared.adapters import retries, transport

    transport.quiet()
    sender = transport.counted(transport.transport(), service, naming, calls or Calls())
    return {"transport": sender, "retry_policy": retries.SafeRetry()}


def _service_url(settings: Settings, service: str, url: str | None) -> str:
    if url:
        return url
    if settings.storage_account:
        return f"https://{settings.storage_account}.{service}.core.windows.net"
    raise SettingsError(_NO_STORAGE.format(service=service))


def _storage_identity(settings: Settings) -> AsyncTokenCredential:
    client_id = settings.storage_client_id
    if (settings.storage_credential or "").lower() == "managedidentity":
        from azure.identity.aio import ManagedIdentityCredential

        return ManagedIdentityCredential(client_id=client_id) if client_id else ManagedIdentityCredential()
    return _identity(client_id or settings.azure_client_id)


def _identity(client_id: str | None) -> AsyncTokenCredential:
    """The default chain: environment, workload and managed identity, the developer's own sign-in."""
    from azure.identity.aio import DefaultAzureCredential

    return DefaultAzureCredential(**({"managed_identity_client_id": client_id} if client_id else {}))
