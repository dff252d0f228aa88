"""What the demo needs up and running: storage and the app, in a folder of their own that is gone afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from devtools.demo.client import Client
from devtools.demo.shop import Shop
from devtools.demo.terminal import say
from devtools.environment import step
from devtools.services import Service, app, azurite, free_ports

_HURRIED = {
    "JOBS_LEASE_SECONDS": "5",
    "JOBS_SWEEP_SCHEDULE": "*/5 * * * * *",
    "JOBS_SWEEP_GRACE_SECONDS": "2",
    "JOBS_RETRY_AFTER_SECONDS": "1",
    "TASTE_JOB_MAX_RETRIES": "2",
    "TASTE_JOB_BASE_BACKOFF_SECONDS": "1",
    "TASTE_JOB_MAX_BACKOFF_SECONDS": "2",
    "TASTE_JOB_JITTER_SECONDS": "0",
    "DEVHOST_MESSAGE_LEASE_SECONDS": "3",
    "DEVHOST_TIMER_LOCK_SECONDS": "15",
}
"""Settings under which leases lapse and retries come within seconds, so that a demo can show them."""
_LOCAL = {"COSMOS_ENDPOINT": "", "AZURE_OPENAI_ENDPOINT": ""}
"""Whatever this machine is configured for, the demo stays on it."""


@dataclass(frozen=True)
class Stage:
    """The running parts."""

    host: Service
    storage: str
    """The storage account's connection string."""
    shop: Shop
    client: Client


@contextlib.asynccontextmanager
async def stage(settings: Mapping[str, str] | None = None) -> AsyncIterator[Stage]:
    """Start everything, with these settings or those of a demo in a hurry; stop it and remove its data at the end."""
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nightshift-")))
        shop = await stack.enter_async_context(Shop())
        emulator = azurite(folder / "azurite")
        with step("Azurite"):
            stack.enter_context(emulator)
        chosen = _settings(emulator, folder, shop, _HURRIED if settings is None else settings)
        host = app(chosen, free_ports(1)[0], folder / "host.log")
        with step(f"the app under {host.name}"):
            stack.enter_context(host)
        say(f"  {host.address}   (the host's log: {host.log})")
        http = await stack.enter_async_context(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)))
        try:
            yield Stage(host, emulator.address, shop, Client(http, host.address))
        except asyncio.CancelledError:
            say("\n  stopping")
            raise


def _settings(emulator: Service, folder: Path, shop: Shop, pace: Mapping[str, str]) -> dict[str, str]:
    return {
        "AzureWebJobsStorage": emulator.address,
        "NIGHTSHIFT_SQLITE_PATH": str(folder / "nightshift.db"),
        "FETCH_ALLOWED_HOSTS": shop.host,
        **_LOCAL,
        **pace,
    }
