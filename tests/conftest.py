"""Fixtures for every kind of test: the services on this machine, started once, and a clock to turn."""

from __future__ import annotations

import signal
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from shared.jobs.testing import FakeClock
from support.azurite import AzuriteProcess
from support.cosmos import CosmosProcess

if TYPE_CHECKING:
    from playwright.async_api import Browser

    from shared.sandbox.pool import Sandbox

# How fast examples come says something of the machine, and nothing of the code.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", settings.get_profile("any machine"), max_examples=25)  # `dev.py test --fast`
settings.load_profile("any machine")


def pytest_configure() -> None:
    """Take Ctrl+C again where a shell started the run in the background, else whatever tests start would ignore it too."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


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


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A real Chromium; tests share it and keep apart by sessions (`support.browser.opened`)."""
    from support.browser import launched

    async with launched() as browser:
        yield browser


@pytest.fixture(scope="session")
def box() -> Iterator[Sandbox]:
    """A sandbox with the limits that the app has by default; tests share it."""
    from shared.sandbox.pool import Sandbox

    opened = Sandbox()
    yield opened
    opened.close()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def unique() -> str:
    """A name nobody else has, fit for containers and queues."""
    return f"t{uuid.uuid4().hex}"
