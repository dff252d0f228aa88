"""Calling a handler: in a task of its own, for as long as it may take; whatever it raises is a value to the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue

from shared.jobs.context import JobContext
from shared.jobs.errors import OvertimeError
from shared.jobs.kinds import Kind
from shared.jobs.log import LOG, about
from shared.jobs.loop_watch import LoopWatch
from shared.jobs.own_tasks import STARTED_BY_A_HANDLER, leave_tasks, watch_tasks
from shared.jobs.storable import storable

_STUBBORN = 5.0
"""Seconds that a handler has to end, once it was told that its time is up, before the job goes on without it."""


@dataclass(frozen=True, slots=True)
class Returned:
    """The handler returned."""

    results: JsonValue


@dataclass(frozen=True, slots=True)
class Raised:
    """The handler raised, was stopped, or could not be called."""

    error: BaseException


Outcome = Returned | Raised


async def call(
    kind: Kind[Any],
    context: JobContext,
    timeout_seconds: float,
    watch: LoopWatch | None = None,
    handler: Callable[[Any, JobContext], Awaitable[Any]] | None = None,
) -> Outcome:
    """Call the handler, its lease renewed meanwhile if it does not do so by reporting progress; by `watch`, if all stands still.

    Args:
        kind: the job's kind.
        context: the attempt.
        timeout_seconds: for how long it may run.
        watch: renews the lease while the event loop is blocked.
        handler: what is called in place of the kind's handler.
    """
    watch_tasks(loop := asyncio.get_running_loop())
    task = asyncio.Task(_called(kind, context, handler or kind.handler))
    context.begin(timeout_seconds, task)
    if watch:
        watch.enter(context)
    beat = asyncio.Task(context.beat())
    try:
        await asyncio.wait({task}, timeout=timeout_seconds)
        return task.result() if task.done() else await _stopped(task, context, timeout_seconds)
    finally:
        leave_tasks(loop)
        if context.steps:
            await context.steps.stop()
        if watch:
            watch.leave(context)
        beat.cancel()
        await asyncio.wait({beat})


async def _called(
    kind: Kind[Any], context: JobContext, handler: Callable[[Any, JobContext], Awaitable[Any]]
) -> Outcome:
    """Whatever ends it is an outcome of this job: also what is meant to end the process, and the neighbours with it."""
    STARTED_BY_A_HANDLER.set(True)
    try:
        return Returned(storable(await handler(await context.payload(kind), context)))
    except BaseException as error:  # noqa: BLE001 - see above
        return Raised(error)


async def _stopped(task: asyncio.Task[Outcome], context: JobContext, seconds: float) -> Outcome:
    """Stop a handler whose time is up; one that will not be stopped is left behind, its writes held off by the fence."""
    place = context.place
    overtime = OvertimeError(f"ran over {seconds:g} s" + (f" in step {place}" if place else ""))
    task.cancel()
    await asyncio.wait({task}, timeout=_STUBBORN)
    if not task.done():
        LOG.error("handler left behind, it does not end when it is told to: %s", about(context.job))
        return Raised(overtime)
    outcome = task.result()
    if isinstance(outcome, Raised) and isinstance(outcome.error, asyncio.CancelledError):
        overtime.__cause__ = outcome.error  # whose frames say where it was
        return Raised(overtime)
    return outcome
