"""Doing several things at once, and one after the other, so that the failure of one is what it should be to the others."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Iterable
from typing import Any, TypeVar

from shared.jobs.log import LOG
from shared.ports import StorageError

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


async def isolated(work: Awaitable[bool], message: str, subject: str) -> bool:
    """Await one of many pieces of work; whatever is wrong with it does not keep the others from their turn.

    Args:
        work: what says whether it did anything.
        message: the log line if it fails, with a place for the subject and one for the cause.
        subject: what it is about.

    Raises:
        StorageError: storage fails, which concerns the others, too.
    """
    try:
        return await work
    except StorageError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever is wrong with this one, the others go on
        LOG.error(message, subject, type(error).__name__)
        return False
