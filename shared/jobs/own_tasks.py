"""The tasks that a handler starts: what is meant to end the process ends the task that raised it, and no more.

asyncio lets `SystemExit` and `KeyboardInterrupt` of any task through to whoever runs the event loop, and the process ends, with all
that runs in it. A handler's own are its job's outcome (`shared.jobs.handler`); those of the tasks that it starts become ordinary
exceptions here, for whoever awaits them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Generator
from contextvars import ContextVar
from typing import Any, NoReturn

from shared.jobs.errors import ExitError

STARTED_BY_A_HANDLER: ContextVar[bool] = ContextVar("started_by_a_handler", default=False)
"""True within a handler, and so within whatever it starts."""


_HANDLERS: dict[asyncio.AbstractEventLoop, int] = {}


def watch_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """A handler begins: have the loop make tasks so; one that makes them in a way of its own is left as it is.

    The engine makes its own by `asyncio.Task`, which spares each job some calls.
    """
    _HANDLERS[loop] = _HANDLERS.get(loop, 0) + 1
    if loop.get_task_factory() is None:
        loop.set_task_factory(_task)


def leave_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """A handler has ended; once none is left, the loop makes tasks as it always has."""
    _HANDLERS[loop] -= 1
    if not _HANDLERS[loop]:
        del _HANDLERS[loop]
        if loop.get_task_factory() is _task:
            loop.set_task_factory(None)


def _task(loop: asyncio.AbstractEventLoop, work: Any, **kwargs: Any) -> asyncio.Task[Any]:
    return asyncio.Task(_Contained(work) if STARTED_BY_A_HANDLER.get() else work, loop=loop, **kwargs)


class _Contained(Coroutine[Any, Any, Any]):
    """A coroutine that does not end the process."""

    def __init__(self, inner: Coroutine[Any, Any, Any]) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        """Its name, and its state, which anyio asks for."""
        return getattr(self._inner, name)

    def send(self, value: Any) -> Any:
        """Go on."""
        try:
            return self._inner.send(value)
        except (SystemExit, KeyboardInterrupt) as error:
            _contain(error)

    def throw(self, *error: Any) -> Any:
        """Go on with an exception."""
        try:
            return self._inner.throw(*error)
        except (SystemExit, KeyboardInterrupt) as raised:
            _contain(raised)

    def close(self) -> None:
        """Come to an end."""
        self._inner.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        """Only a task ever runs it."""
        return self._inner.__await__()


def _contain(error: BaseException) -> NoReturn:
    raise ExitError(error).with_traceback(error.__traceback__) from error
