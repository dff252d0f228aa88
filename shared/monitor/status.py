"""Whether the app can do its work: each service that it depends on, asked for the least that it can be asked for."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.calls import Calls, Trouble
from shared.containers import OPERATIONS
from shared.jobs.dependencies import Dependencies
from shared.monitor.telemetry import State, Telemetry
from shared.ports import StorageError
from shared.storage import Cached

FRESH = timedelta(seconds=5)
"""How long an answer is shared by all who ask."""
PATIENCE = 3.0
"""Seconds that a dependency may take to answer."""
_NOWHERE = "status-probe"
_PROBE_SECONDS = 86_400
LOG = logging.getLogger("nightshift.status")


@dataclass(frozen=True, slots=True)
class Dependency:
    """A service that the app depends on."""

    name: str
    required: bool
    """Whether the app is of no use without it."""
    state: State
    seconds: float | None = None
    """How long it took to answer, or to fail."""
    last_error: Trouble | None = None
    """The last failure that this process met, also where all is well by now."""


@dataclass(frozen=True, slots=True)
class Condition:
    """How the app stands."""

    at: datetime
    dependencies: tuple[Dependency, ...]

    @property
    def ready(self) -> bool:
        """Whether everything is there that the app needs."""
        return not any(each.required and each.state == "failing" for each in self.dependencies)


class Readiness:
    """Asks the dependencies, at most once in a few seconds however many ask. Each is read from, and what keeps documents is written to."""

    def __init__(self, deps: Dependencies, telemetry: Telemetry | None, calls: Calls) -> None:
        self._deps = deps
        self._exports = telemetry
        self._calls = calls
        self._errors: dict[str, Trouble] = {}
        self._last: Cached[str, Condition] = Cached(deps.clock, FRESH, self._ask)

    async def condition(self) -> Condition:
        """How the app stands. Never raises, and answers within `PATIENCE` and a moment."""
        return await self._last.get("condition")

    async def _ask(self, _: str) -> Condition:
        deps = self._deps
        asked = await asyncio.gather(
            self._probe("blobs", lambda: deps.blobs.read(_NOWHERE)),
            self._probe("queues", lambda: deps.queues.depth(deps.settings.queue_normal)),
            self._probe("documents", self._write_and_read),
            self._openai(),
        )
        return Condition(deps.clock.now(), (*asked, self._telemetry()))

    async def _write_and_read(self) -> None:
        """A store that can only be read, since its disk is full or its file is broken, is of no use."""
        documents, version = self._deps.documents, time.time_ns() // 1000
        probe = {"id": _NOWHERE, "pk": _NOWHERE, "type": "probe", "version": version, "ttl": _PROBE_SECONDS}
        await documents.put_newer(OPERATIONS, probe)
        found = await documents.read(OPERATIONS, _NOWHERE, _NOWHERE)
        if found is None or found.value["version"] < version:
            raise StorageError("what was written is not there")

    async def _probe(self, name: str, ask: Callable[[], Awaitable[object]], *, required: bool = True) -> Dependency:
        began = time.perf_counter()
        try:
            async with asyncio.timeout(PATIENCE):
                await ask()
        except Exception as error:  # noqa: BLE001 - whatever it is, the dependency does not do its work
            self._errors[name] = Trouble(type(error).__name__, self._deps.clock.now())
            cause = str(error)[:200] if isinstance(error, StorageError) else type(error).__name__
            LOG.warning("status: dependency=%s does not do its work, cause=%s", name, cause)
            return Dependency(name, required, "failing", time.perf_counter() - began, self._errors[name])
        return Dependency(name, required, "ok", time.perf_counter() - began, self._last_error(name))

    def _last_error(self, name: str) -> Trouble | None:
        """The latest of what a probe met and what the adapters did."""
        known = [self._errors.get(name), self._calls.troubles.get(name)]
        return max((each for each in known if each), key=lambda each: each.at, default=None)

    async def _openai(self) -> Dependency:
        endpoint = self._deps.settings.openai_endpoint
        if endpoint is None:
            return Dependency("openai", False, "off")
        return await self._probe("openai", lambda: _reach(endpoint), required=False)

    def _telemetry(self) -> Dependency:
        telemetry = self._exports
        if telemetry is None:
            return Dependency("telemetry", False, "off")
        trouble = telemetry.trouble
        error = Trouble(trouble[0], trouble[1]) if trouble else None
        return Dependency("telemetry", False, telemetry.state, last_error=error)


async def _reach(endpoint: str) -> None:
    """See whether a server answers at all, whatever it says to somebody without a key: that costs no tokens."""
    import aiohttp

    async with aiohttp.ClientSession() as session, session.get(endpoint, allow_redirects=False) as response:
        if response.status >= 500:
            raise aiohttp.ServerConnectionError
