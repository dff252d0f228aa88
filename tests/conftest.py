"""Fixtures for every kind of test: the services on this machine, started once, and a clock to turn."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from support.azurite import AzuriteProcess
from support.clock import FakeClock
from support.cosmos import CosmosProcess


@pytest.fixture(scope="session")
def azurite() -> Iterator[AzuriteProcess]:
    """Azurite in memory: tests share it and keep apart by the names of containers and queues."""
    process = AzuriteProcess()
    process.start()
    yield process
    process.stop()


@pytest.fixture(scope="session")
def cosmos() -> Iterator[CosmosProcess]:
    """A server that speaks Cosmos DB's protocol; tests share it and keep apart by the names of containers."""
    process = CosmosProcess()
    process.start()
    yield process
    process.stop()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def unique() -> str:
    """A name nobody else has, fit for containers and queues."""
    return f"t{uuid.uuid4().hex}"
