"""Running one step over items: whom it is for, how many at a time, and what becomes of one that fails."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from shared import expressions
from shared.domains.pipelines.content import Content, Data, LogEntry
from shared.domains.pipelines.executing import (
    Common,
    Context,
    Each,
    Executor,
    ExecutorError,
    ExecutorUnavailableError,
    Shape,
)

if TYPE_CHECKING:
    from datetime import datetime


async def apply(step: Executor, items: Sequence[Content], settings: Common, ctx: Context) -> list[Content]:
    """Have a step work on items, and return what it makes of them, in their order.

    Each item's log says what became of it here. Items that are passed by go on untouched.

    Raises:
        ExecutorError: an item failed, or all did together, and the settings do not let that pass.
        ExecutorUnavailableError: the same, and a later try may succeed.
    """
    begun = ctx.clock.now()
    if step.shape is Shape.INPUT and not items and settings.enabled:
        return [_logged(each, ctx, begun, "completed") async for each in step.run(settings, ctx, None)]
    chosen = {index for index, item in enumerate(items) if concerns(settings, item)}
    if step.shape is Shape.SET:
        return await _together(step, items, chosen, settings, ctx)
    turns = asyncio.Semaphore(settings.max_concurrent if isinstance(settings, Each) else 1)

    async def one(index: int, item: Content) -> list[Content]:
        if index not in chosen:
            return [_logged(item, ctx, ctx.clock.now(), "skipped")]
        async with turns:
            return await _one(step, item, settings, ctx)

    made = await _all([one(index, item) for index, item in enumerate(items)])
    return [each for several in made for each in several]


def concerns(settings: Common, item: Content) -> bool:
    """Whether a step is for an item."""
    if not settings.enabled:
        return False
    return settings.condition is None or expressions.parse(settings.condition).holds(item.names())


async def _all(work: Sequence[Coroutine[Any, Any, list[Content]]]) -> list[list[Content]]:
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each) for each in work]
    except* ExecutorError as failures:
        raise _first(failures) from None
    return [task.result() for task in tasks]


def _first(group: BaseExceptionGroup[ExecutorError]) -> ExecutorError:
    """What is retried goes before what is not: the others have another chance then."""
    flat = [each for each in group.exceptions if isinstance(each, ExecutorError)]
    return next((each for each in flat if isinstance(each, ExecutorUnavailableError)), flat[0])


async def _together(
    step: Executor, items: Sequence[Content], chosen: set[int], settings: Common, ctx: Context
) -> list[Content]:
    begun = ctx.clock.now()
    beside = [_logged(item, ctx, begun, "skipped") for index, item in enumerate(items) if index not in chosen]
    concerned = [item for index, item in enumerate(items) if index in chosen]
    if not concerned:
        return beside
    try:
        made = await step.run([each.model_copy(deep=True) for each in concerned], settings, ctx)
    except ExecutorError as error:
        if not _lets_pass(error, settings, ctx):
            raise
        return [*(_failed(each, ctx, begun, error) for each in concerned), *beside]
    return [*(_logged(each, ctx, begun, "completed") for each in made), *beside]


async def _one(step: Executor, item: Content, settings: Common, ctx: Context) -> list[Content]:
    begun = ctx.clock.now()
    try:
        async with asyncio.timeout(settings.timeout_secs if isinstance(settings, Each) else None):
            made = await _made(step, item.model_copy(deep=True), settings, ctx)
    except TimeoutError:
        error: ExecutorError = ExecutorUnavailableError("the step took longer than its timeout_secs")
    except ExecutorError as failure:
        error = failure
    else:
        return [_logged(each, ctx, begun, "completed") for each in made]
    if _lets_pass(error, settings, ctx):
        return [_failed(item, ctx, begun, error)]
    raise error


def _lets_pass(error: ExecutorError, settings: Common, ctx: Context) -> bool:
    """Whether a failed item is marked and goes on. What a later try may mend is tried again before that."""
    if isinstance(error, ExecutorUnavailableError) and not ctx.last_attempt:
        return False
    return (isinstance(settings, Each) and settings.continue_on_error) or not settings.fail_pipeline_on_error


async def _made(step: Executor, item: Content, settings: Common, ctx: Context) -> list[Content]:
    if step.shape is Shape.INPUT:
        return [each async for each in step.run(settings, ctx, None, item)]
    made = await step.run(item, settings, ctx)
    return made if isinstance(made, list) else [made]


def _failed(item: Content, ctx: Context, begun: datetime, error: ExecutorError) -> Content:
    ctx.log.warning("item failed in step %s: %s", ctx.executor_id, type(error).__name__)
    return _logged(item, ctx, begun, "failed", errors=[str(error)])


def _logged(item: Content, ctx: Context, begun: datetime, status: str, **more: Data | list[str]) -> Content:
    """The item with a line more in its log; the item that was given stays as it is."""
    entry = LogEntry.model_validate(
        {"executor_id": ctx.executor_id, "start_time": begun, "end_time": ctx.clock.now(), "status": status, **more}
    )
    return item.model_copy(update={"executor_logs": [*item.executor_logs, entry]})
