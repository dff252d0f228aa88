"""Doing several things at once, so that none of them goes on once one has failed."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


async def together(tasks: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Run all at once and return what they return, in order. The first error cancels the others, and is raised itself.

    `asyncio.gather` would leave the others running: they would write for an attempt that has ended.
    """
    try:
        async with asyncio.TaskGroup() as group:
            running = [group.create_task(task) for task in tasks]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in running]
