"""The adapters under test, opened from settings as the app does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared import ports
from shared.adapters import opening, transport
from shared.adapters.clock import SystemClock
from shared.adapters.sqlite import SqliteDocuments
from shared.jobs.testing import FakeClock, MemoryBlobs, MemoryDocuments, MemoryQueues
from shared.settings import Settings, load
from support.azurite import AzuriteProcess
from support.cosmos import KEY, CosmosProcess
from support.wire import Wire


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    """Watches every adapter opened after it."""
    wire = Wire()
    monkeypatch.setattr(transport, "transport", wire.transport)
    return wire


@pytest.fixture
def azurite_settings(azurite: AzuriteProcess) -> Settings:
    return load({"AzureWebJobsStorage": azurite.connection_string})


@pytest.fixture
def cosmos_settings(cosmos: CosmosProcess) -> Settings:
    return load({"COSMOS_ENDPOINT": cosmos.endpoint, "COSMOS_KEY": KEY})


@pytest.fixture
async def azure_blobs(azurite_settings: Settings, wire: Wire, unique: str) -> AsyncIterator[ports.BlobStore]:
    opened = opening.open_blobs(azurite_settings, unique)
    yield opened
    await opened.close()


@pytest.fixture
def memory_blobs() -> ports.BlobStore:
    return MemoryBlobs(SystemClock())


@pytest.fixture(params=["azure", "memory"])
def blobs(request: pytest.FixtureRequest) -> ports.BlobStore:
    """Every adapter of the port in turn, and the test kit's."""
    store: ports.BlobStore = request.getfixturevalue(f"{request.param}_blobs")
    return store


@pytest.fixture
async def azure_queues(azurite_settings: Settings, wire: Wire) -> AsyncIterator[ports.MessageQueues]:
    opened = opening.open_queues(azurite_settings)
    yield opened
    await opened.close()


@pytest.fixture
def memory_queues() -> ports.MessageQueues:
    return MemoryQueues(SystemClock())


@pytest.fixture(params=["azure", "memory"])
def queues(request: pytest.FixtureRequest) -> ports.MessageQueues:
    """Every adapter of the port in turn, and the test kit's."""
    opened: ports.MessageQueues = request.getfixturevalue(f"{request.param}_queues")
    return opened


@pytest.fixture
async def sqlite_documents(tmp_path: Path, clock: FakeClock) -> AsyncIterator[ports.DocumentStore]:
    opened = SqliteDocuments(tmp_path / "made" / "on demand" / "documents.db", clock)
    yield opened
    await opened.close()


@pytest.fixture
async def cosmos_documents(cosmos_settings: Settings, wire: Wire) -> AsyncIterator[ports.DocumentStore]:
    opened = opening.open_documents(cosmos_settings)
    yield opened
    await opened.close()


@pytest.fixture
def memory_documents(clock: FakeClock) -> ports.DocumentStore:
    return MemoryDocuments(clock)


@pytest.fixture(params=["sqlite", "cosmos", "memory"])
def documents(request: pytest.FixtureRequest) -> ports.DocumentStore:
    """Every adapter of the port in turn, and the test kit's."""
    store: ports.DocumentStore = request.getfixturevalue(f"{request.param}_documents")
    return store
