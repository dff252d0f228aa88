"""Running a function once, with the worker's rules: one event loop, a thread pool, a timeout, one line of output."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from azure.functions import Context

from devhost.index import Function

logger = logging.getLogger("devhost.invocation")
_thread_local = threading.local()


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an invocation ended: with a value, or with an error."""

    value: Any = None
    error: BaseException | None = None

    @property
    def succeeded(self) -> bool:
        """Whether the function returned."""
        return self.error is None


class InvocationContext(Context):
    """What a function that takes ``context`` is given."""

    def __init__(self, function: Function, invocation_id: str, directory: str, retry: int) -> None:
        self._function = function
        self._invocation_id = invocation_id
        self._directory = directory
        self._retry = retry

    @property
    def invocation_id(self) -> str:
        """The id of this invocation."""
        return self._invocation_id

    @property
    def function_name(self) -> str:
        """The function's name."""
        return self._function.name

    @property
    def function_directory(self) -> str:
        """The app's directory."""
        return self._directory

    @property
    def thread_local_storage(self) -> Any:
        """Storage local to the thread."""
        return _thread_local

    @property
    def trace_context(self) -> Any:
        """None: devhost does no tracing."""
        return None

    @property
    def retry_context(self) -> Any:
        """The number of this retry, and how many there may be; None for a function without a retry policy."""
        return RetryContext(self._retry, self._function.retry.count) if self._function.retry else None


@dataclass(frozen=True, slots=True)
class RetryContext:
    """Which retry this run is."""

    retry_count: int
    max_retry_count: int


@dataclass(eq=False, slots=True)
class _Call:
    """A function that runs, until when it may, and whether its worker has died under it."""

    task: asyncio.Task[Any]
    deadline: float | None
    lost: bool = False


class Invoker:
    """Runs the app's functions.

    Args:
        app_dir: The app's directory.
        timeout: How long an invocation may take; None: without limit.
        threads: How many sync functions may run at once; None: Python's default.

    An invocation that overruns costs the worker its life, and all that it runs beside it: those invocations end when
    their own time is up.
    """

    def __init__(self, app_dir: Path, timeout: timedelta | None, threads: int | None) -> None:
        self._directory = str(app_dir)
        self._timeout = timeout.total_seconds() if timeout else None
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="function")
        self._calls: set[_Call] = set()
        self.overrun: Callable[[str], None] = _unheard
        """Called with the name of a function that overran, once its invocation has failed."""

    @property
    def running(self) -> int:
        """How many invocations run."""
        return len(self._calls)

    @property
    def overdue_seconds(self) -> float:
        """How long an invocation has been over its time: more than a moment only where the app blocks the loop."""
        deadlines = [call.deadline for call in list(self._calls) if call.deadline is not None]
        return max(0.0, time.monotonic() - min(deadlines)) if deadlines else 0.0

    async def invoke(
        self, function: Function, decode: Callable[[], Any], encode: Callable[[Any], Any] = lambda value: value
    ) -> Outcome:
        """Run a function, again after a failure if it has a retry policy, and say how that ended.

        Args:
            function: The function.
            decode: Makes the trigger's argument.
            encode: Makes the outcome's value of what the function returned.

        An argument or a value that cannot be made fails the invocation, as it does in the worker.
        """
        run = _Run(function, decode, encode)
        outcome = await self._once(run, 0)
        policy, retry = function.retry, 0
        while policy and not outcome.succeeded and retry != policy.count:
            retry += 1
            await asyncio.sleep(policy.delay(retry))
            outcome = await self._once(run, retry)
        return outcome

    def close(self) -> None:
        """Let go of the threads; what still runs in them cannot be stopped."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _once(self, run: _Run, retry: int) -> Outcome:
        context = InvocationContext(run.function, str(uuid.uuid4()), self._directory, retry)
        started = time.perf_counter()
        outcome = await self._outcome(run, context)
        # Printed after this step of the loop: the answer, or the message's deletion, goes out first.
        seconds = time.perf_counter() - started
        asyncio.get_running_loop().call_soon(_log, run.function.name, context.invocation_id, seconds, outcome)
        return outcome

    async def _outcome(self, run: _Run, context: Context) -> Outcome:
        task = asyncio.create_task(self._call(run, context))
        call = _Call(task, time.monotonic() + self._timeout if self._timeout else None)
        self._calls.add(call)
        try:
            await asyncio.wait({task}, timeout=self._timeout)
            if call.lost and call.deadline:
                await asyncio.sleep(call.deadline - time.monotonic())
                return Outcome(error=TimeoutError("its worker died"))
        except asyncio.CancelledError:
            task.cancel()
            raise
        finally:
            self._calls.discard(call)
        return self._result(run, task) if task.done() else self._overran(run.function, task)

    def _result(self, run: _Run, task: asyncio.Task[Any]) -> Outcome:
        try:
            return Outcome(run.encode(task.result()))
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - whatever a function raises is its failure
            return Outcome(error=error)

    def _overran(self, function: Function, task: asyncio.Task[Any]) -> Outcome:
        """Let the worker die, with all that it runs."""
        task.cancel()
        for call in self._calls:
            call.lost = True
            call.task.cancel()
        self.overrun(function.name)
        return Outcome(error=TimeoutError(f"over {self._timeout} s"))

    async def _call(self, run: _Run, context: Context) -> Any:
        function, arguments = run.function, run.arguments(context)
        if function.is_async:
            return await function.handler(**arguments)
        return await asyncio.wrap_future(self._pool.submit(function.handler, **arguments))


def _unheard(name: str) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True)
class _Run:
    function: Function
    decode: Callable[[], Any]
    encode: Callable[[Any], Any]

    def arguments(self, context: Context) -> dict[str, Any]:
        arguments = {self.function.trigger["name"]: self.decode()}
        return {**arguments, "context": context} if self.function.wants_context else arguments


def _log(name: str, invocation_id: str, seconds: float, outcome: Outcome) -> None:
    """Print the invocation's line; of an error its place and type, since its text may quote a payload."""
    if outcome.error is None:
        logger.info("%s  %s  %.0f ms  succeeded", name, invocation_id, seconds * 1000)
    else:
        error = f"{type(outcome.error).__name__}{_place(outcome.error)}"
        logger.error("%s  %s  %.0f ms  failed: %s", name, invocation_id, seconds * 1000, error)
        logger.debug("%s  %s", name, invocation_id, exc_info=outcome.error)


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    if trace is None:
        return ""
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
