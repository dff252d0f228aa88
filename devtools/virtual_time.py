"""Virtual time: an event loop that does not wait, so that hours of timers pass in a second, in the same order each time."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

T = TypeVar("T")

START = datetime(2026, 1, 5, 12, tzinfo=UTC)


class _Leaping(selectors.SelectSelector):
    """Where the loop would wait for its next timer, the time leaps there."""

    elapsed = 0.0
    busy = 0
    """How much is being done on threads, which is waited for: no time passes meanwhile."""

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(None if self.busy and timeout != 0 else 0)
        if not ready and timeout is None and not self.busy:
            raise RuntimeError("nothing will ever happen again: every task waits for another")
        if not ready and timeout:
            self.elapsed += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose seconds take no time. Threads take none of it either; sockets have no place on it."""

    def __init__(self) -> None:
        self._leaping = _Leaping()
        super().__init__(self._leaping)

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self._leaping.elapsed

    def run_in_executor(self, executor: Any, func: Callable[..., T], *args: Any) -> asyncio.Future[T]:  # type: ignore[override]
        """Run on a thread; no time passes until it is done."""
        future = super().run_in_executor(executor, func, *args)
        self._leaping.busy += 1
        future.add_done_callback(self._rested)
        return future

    async def shutdown_default_executor(self, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109 - as the loop has it
        """Wait for the threads."""
        self._leaping.busy += 1
        await super().shutdown_default_executor()
        self._leaping.busy -= 1

    def _rested(self, _: asyncio.Future[Any]) -> None:
        self._leaping.busy -= 1


class VirtualClock:
    """The loop's time as a clock, which may be ahead of the true one or behind it."""

    def __init__(self, ahead_seconds: float = 0) -> None:
        self._ahead = timedelta(seconds=ahead_seconds)

    def now(self) -> datetime:
        """The present moment, in UTC."""
        return START + timedelta(seconds=asyncio.get_running_loop().time()) + self._ahead

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        await asyncio.sleep(seconds)


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end on a loop of its own."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)
