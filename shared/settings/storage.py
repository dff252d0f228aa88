"""Settings of storage: blobs, queues and documents."""

from __future__ import annotations

from dataclasses import dataclass

from shared.settings.spec import Section, queue, text, url


@dataclass(frozen=True, eq=False, repr=False)
class StorageSettings(Section):
    """Settings of storage: blobs, queues and documents."""

    storage_connection: str | None = text(
        "AzureWebJobsStorage", None, "Connection string of the storage account (Azurite, or a shared key).", secret=True
    )
    storage_account: str | None = text(
        "AzureWebJobsStorage__accountName", None, "Name of the storage account, for access by identity."
    )
    storage_blob_uri: str | None = url("AzureWebJobsStorage__blobServiceUri", "Blob endpoint, for access by identity.")
    storage_queue_uri: str | None = url(
        "AzureWebJobsStorage__queueServiceUri", "Queue endpoint, for access by identity."
    )
    storage_credential: str | None = text(
        "AzureWebJobsStorage__credential", None, "`managedidentity`; unset: the default chain of credentials."
    )
    storage_client_id: str | None = text(
        "AzureWebJobsStorage__clientId", None, "Client id of the user-assigned identity for storage."
    )
    azure_client_id: str | None = text(
        "AZURE_CLIENT_ID", None, "Client id of the user-assigned identity for everything else."
    )
    status_container: str = queue(
        "NIGHTSHIFT_STATUS_CONTAINER", "hot-topics", "Blob container of `jobs/{job_id}/status.json`.", 63
    )

    cosmos_endpoint: str | None = url(
        "COSMOS_ENDPOINT", "Cosmos DB account; where it is unset, documents are kept in SQLite."
    )
    cosmos_key: str | None = text(
        "COSMOS_KEY", None, "Account key, for emulators; unset: the identity is used.", secret=True
    )
    cosmos_database: str = text("COSMOS_DATABASE", "nightshift", "Database name.")
    sqlite_path: str = text(
        "NIGHTSHIFT_SQLITE_PATH", ".nightshift/nightshift.db", "File of the embedded document store."
    )
