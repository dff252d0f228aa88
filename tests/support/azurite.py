"""Azurite for tests: the blob and queue services on free ports of the loopback interface."""

from __future__ import annotations

from pathlib import Path

from support.node import NodeProcess, free_ports, node_modules

ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""The well-known key of every storage emulator: no secret."""


def connection_string(blob: int, queue: int, host: str = "127.0.0.1") -> str:
    """The connection string of a storage emulator on two ports."""
    return (
        f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={KEY};"
        f"BlobEndpoint=http://{host}:{blob}/{ACCOUNT};QueueEndpoint=http://{host}:{queue}/{ACCOUNT};"
    )


class AzuriteProcess(NodeProcess):
    """A storage emulator, in memory or on disk; restarting it keeps its ports and, on disk, its data."""

    def __init__(self, location: Path | None = None) -> None:
        self.blob_port, self.queue_port, table_port = free_ports(3)
        where = ["--inMemoryPersistence"] if location is None else ["--location", str(location)]
        super().__init__(
            node_modules() / "azurite" / "dist" / "src" / "azurite.js",
            *("--silent", "--disableTelemetry", "--skipApiVersionCheck", *where),
            *("--blobHost", "127.0.0.1", "--blobPort", str(self.blob_port)),
            *("--queueHost", "127.0.0.1", "--queuePort", str(self.queue_port)),
            *("--tableHost", "127.0.0.1", "--tablePort", str(table_port)),
            ports=[self.blob_port, self.queue_port],
        )

    @property
    def connection_string(self) -> str:
        """What `AzureWebJobsStorage` is to hold."""
        return connection_string(self.blob_port, self.queue_port)
