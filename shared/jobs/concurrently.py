"""Doing several things at once, and one after the other, so that the failure of one is what it should be to the others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from typing import Any, TypeVar, cast

from shared.jobs.log import LOG
from shared.ports import StorageError, TooLargeError

_AT_ONCE = 16
T = TypeVar("T")


async def run_all(tasks: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Run all at once and return what they return, in order. The first error cancels the others, and is raised itself.

    `asyncio.gather` would leave the others running: they would write for an attempt that has ended.
    """
    try:
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(task) for task in tasks]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in running]


async def spread(
    items: Iterable[T], work: Callable[[T], Awaitable[object]], stop: Callable[[], bool] = lambda: False
) -> T | None:
    """Do the same with each of many, some at a time, until it is time to stop.

    Returns:
        The first one whose turn did not come; None where all had theirs.

    Raises:
        StorageError: the first one met; what was begun beside it is ended first, since it may be between two writes.
    """
    waiting, end = iter(items), object()
    errors: list[StorageError] = []

    async def worker() -> None:
        while not errors and not stop():
            item = next(waiting, end)
            if item is end:
                return
            try:
                await work(cast("T", item))
            except StorageError as error:
                errors.append(error)

    await asyncio.gather(*(worker() for _ in range(_AT_ONCE)))
    if errors:
        raise errors[0]
    return next(waiting, None)


async def isolated(work: Awaitable[bool], message: str, subject: str) -> bool:
    """Await one of many pieces of work; whatever is wrong with it does not keep the others from their turn.

    Args:
        work: what says whether it did anything.
        message: the log line if it fails, with a place for the subject and one for the cause.
        subject: what it is about.

    Raises:
        StorageError: storage fails, which concerns the others, too. Not where it only found something too large.
    """
    try:
        return await work
    except TooLargeError as error:
        LOG.error(message, subject, type(error).__name__)
        return False
    except StorageError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever is wrong with this one, the others go on
        LOG.error(message, subject, type(error).__name__)
        return False
