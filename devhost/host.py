"""The host: loads an app, starts its triggers, and stops them in order."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, tzinfo
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from azure.functions import FunctionRegister

from devhost import config, http
from devhost.config import ConfigError, Settings
from devhost.http import HttpServer
from devhost.index import QUEUE, TIMER, Function, IndexingError, index, load_app
from devhost.invoke import Invoker
from devhost.origins import Origins
from devhost.storage import HOSTS_CONTAINER, Storage, describe

if TYPE_CHECKING:
    from devhost.queues import QueueListener
    from devhost.timers import TimerListener

logger = logging.getLogger("devhost.host")


class Listener(Protocol):
    """A queue or timer trigger that is being listened to."""

    name: str
    """The queue, or the timer function."""

    async def run(self) -> None:
        """Listen until stopped, and finish what runs."""
        ...

    def stop(self) -> None:
        """Start nothing new."""
        ...

    def wake(self) -> None:
        """Look at once whether there is something to do."""
        ...


class Host:
    """Runs one function app; an async context manager, or `start` and `stop`.

    Args:
        app: The app's directory, or a FunctionApp made by a test.
        settings: The app settings. By default local.settings.json and the environment, which wins. The host itself
            leaves ``os.environ`` alone: an app that reads it must find it as it needs it.
        port: The HTTP port; 0 takes a free one.
        address: The address to listen on.
        host_json: The content of host.json; by default the file in the app's directory.
        grace: Seconds that running invocations are given when the host stops; None: as long as they take.
        key: What functions above the level ``ANONYMOUS`` and the admin endpoints ask for, as a deployed host does; None:
            no keys are asked for, as under ``func start``.
        any_origin: Whether requests with a foreign ``Host`` or ``Origin`` are answered too, as by the real host.

    Raises:
        IndexingError: if the app's functions cannot be read.
        ConfigError: if its configuration is wrong.
    """

    def __init__(  # noqa: PLR0913 - one for each option of the command line
        self,
        app: FunctionRegister | Path | str,
        settings: Settings | None = None,
        *,
        port: int = 0,
        address: str = "127.0.0.1",
        host_json: Mapping[str, Any] | None = None,
        grace: float | None = None,
        key: str | None = None,
        any_origin: bool = False,
    ) -> None:
        app_dir = Path.cwd() if isinstance(app, FunctionRegister) else Path(app)
        self.settings = config.load_settings(app_dir, os.environ) if settings is None else settings
        self.config = _config(app_dir, self.settings, host_json, read_file=not isinstance(app, FunctionRegister))
        self.id = config.host_id(app_dir, self.settings)
        self.functions: Sequence[Function] = index(
            app if isinstance(app, FunctionRegister) else load_app(app_dir), self.settings
        )
        self._by_name = {function.name.lower(): function for function in self.functions}
        self._address, self._grace = address, grace
        self.port = port
        self._invoker = Invoker(app_dir, self.config.function_timeout, _threads(self.settings))
        self._invoker.overrun = self._overran
        self._storage = Storage(self.settings)
        allowed = () if isinstance(app, FunctionRegister) else config.allowed_origins(app_dir)
        origins = Origins(address, allowed, any_origin)
        self.server = HttpServer(self.functions, self.config.route_prefix, self._invoker, self, origins, key)
        self._listeners: list[Listener] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._runs_by_hand: set[asyncio.Task[Any]] = set()
        self._stop: asyncio.Task[None] | None = None
        self._draining = False
        self.failure = ""
        """What stopped the host by itself, where something did."""
        self.failed = asyncio.Event()
        """Set where the host stops by itself."""
        self.overran = asyncio.Event()
        """Set where a function overran: the real host's worker is dead then."""

    @property
    def lock_seconds(self) -> int:
        """How long the lease of a timer's lock lasts."""
        return self.config.lock_seconds

    @property
    def overdue_seconds(self) -> float:
        """How long an invocation has been over its time; to be asked from another thread than the loop's."""
        return self._invoker.overdue_seconds

    @property
    def url(self) -> str:
        """The address of the app, without a slash at its end."""
        return f"http://{self._address}:{self.port}"

    async def start(self) -> None:
        """Serve HTTP, poll queues and fire timers.

        Raises:
            AzureError: if storage that is needed does not answer, after some 25 seconds: it never listens then.
        """
        self._listeners = [listener for function in self.functions if (listener := self._listener(function))]
        if self._listeners:
            await self._storage.reach()
        self.port = await self.server.start(self._address, self.port)
        self._tasks = [asyncio.create_task(listener.run()) for listener in self._listeners]
        for task in self._tasks:
            task.add_done_callback(_report)

    async def stop(self) -> None:
        """Stop in order: no new work, what runs is finished within the grace, locks and clients are let go."""
        if self._stop is None:
            self._stop = asyncio.create_task(self._stop_in_order())
        await asyncio.shield(self._stop)

    def fail(self, what: str, error: BaseException) -> None:
        """Stop the whole host, its HTTP with it: storage answered what the real host does not survive."""
        if self.failure:
            return
        self.failure = f"{what}: {describe(error)}"
        logger.critical("%s. The real host stops here, all queues and HTTP, once what runs has ended", self.failure)
        self.failed.set()
        if self._stop is None:
            self._stop = asyncio.create_task(self._stop_in_order())

    def wake(self, queue: str) -> None:
        """A message was put on a queue: whoever listens to it polls at once."""
        for listener in self._listeners:
            if listener.name == queue:
                listener.wake()

    def drain(self) -> None:
        """Stop the listeners and let what runs finish; HTTP goes on."""
        self._draining = True
        for listener in self._listeners:
            listener.stop()

    @property
    def drain_state(self) -> str:
        """How far draining has come, in the host's words."""
        if not self._draining:
            return "Disabled"
        return "Completed" if not self._invoker.running and all(task.done() for task in self._tasks) else "InProgress"

    async def _stop_in_order(self) -> None:
        self.server.state = "Stopping"
        for listener in self._listeners:
            listener.stop()
        await asyncio.gather(self.server.close(self._grace), self._finish())
        self._invoker.close()
        await self._storage.close()

    def run_by_hand(self, name: str, text: str) -> asyncio.Task[Any] | None:
        """Start a function by hand, with this input; None if there is none of this name."""
        function = self._by_name.get(name.lower())
        if function is None:
            return None
        if function.kind == QUEUE:
            from devhost import messages

            decode = messages.by_hand(function, text)
        elif function.kind == TIMER:
            from devhost import timers

            decode = timers.by_hand(function)
        else:
            decode = http.by_hand(function, text)
        task = asyncio.create_task(self._invoker.invoke(function, decode))
        self._runs_by_hand.add(task)
        task.add_done_callback(self._runs_by_hand.discard)
        return task

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _overran(self, name: str) -> None:
        logger.error(
            "%s has overrun functionTimeout. The real host kills its worker: what ran beside it hangs until its own time",
            name,
        )
        self.overran.set()

    async def _finish(self) -> None:
        """Wait for listeners and runs by hand as long as the grace lasts, then cancel them."""
        waiting = {*self._tasks, *self._runs_by_hand}
        if not waiting:
            return
        _, late = await asyncio.wait(waiting, timeout=self._grace)
        if late:
            logger.warning("%d triggers did not finish within %s s and are cut off", len(late), self._grace)
            for task in late:
                task.cancel()
            await asyncio.wait(late)

    def _listener(self, function: Function) -> Listener | None:
        try:
            if function.kind == QUEUE:
                return self._queue_listener(function)
            return self._timer_listener(function) if function.kind == TIMER else None
        except (ConfigError, ValueError) as error:
            raise IndexingError(f"function {function.name}: {error}") from None

    def _queue_listener(self, function: Function) -> QueueListener:
        from devhost.queues import QueueListener

        service = self._storage.queues(str(function.trigger["connection"]))
        return QueueListener(function, service, self.config.queues, self._invoker, self)

    def _timer_listener(self, function: Function) -> TimerListener:
        from devhost.timers import TimerListener

        container = self._storage.blobs().get_container_client(HOSTS_CONTAINER)
        return TimerListener(function, _zone(self.settings), self._invoker, container, self)


def _config(
    app_dir: Path, settings: Settings, host_json: Mapping[str, Any] | None, *, read_file: bool
) -> config.HostConfig:
    if host_json is None and read_file:
        return config.load_config(app_dir, settings)
    return config.parse_config(host_json or {}, settings)


def _zone(settings: Settings) -> tzinfo:
    from shared.zones import time_zone

    name = settings.get("WEBSITE_TIME_ZONE")
    try:
        return time_zone(name) if name else UTC
    except LookupError:
        raise ConfigError(f"WEBSITE_TIME_ZONE: {name!r} is no known time zone") from None


def _threads(settings: Settings) -> int | None:
    given = settings.get("PYTHON_THREADPOOL_THREAD_COUNT", "")
    return int(given) if given.isdigit() and int(given) else None


def _report(task: asyncio.Task[None]) -> None:
    """Say so where a listener died of a fault in devhost itself: nothing else would."""
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.critical("a listener stopped", exc_info=error)
