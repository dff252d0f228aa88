"""One executor over items: what is common to all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from shared.domains.pipelines.catalogue import executors
from shared.domains.pipelines.content import Content, ExecutorLog
from shared.domains.pipelines.executing import ContentError, Executor, ExecutorSettings, ItemSettings, Run, Step
from shared.expressions import Expression, parse
from shared.jobs import JobCancelledError, SupersededError
from shared.jobs.kinds import problems_of

_LONGEST = 500
"""Characters of an error's message that are kept."""


async def perform(executor: Executor[Any], settings: ExecutorSettings, items: list[Content], run: Run) -> list[Content]:
    """Run items through an executor that is no input: those that its condition does not hold for pass through.

    Returns:
        What comes out, in the order of what went in. Each item's log says what was done to it. One that failed passes through as
        it came, where the settings say that the pipeline goes on.

    Raises:
        Exception: what the executor raised, where the settings say that the pipeline fails.
    """
    if not settings.enabled or (run.dry and executor.category == "output"):
        why = "disabled" if not settings.enabled else "dry run"
        return [_logged(item, _log(run, "skipped", run.clock.now(), reason=why)) for item in items]
    chosen = _chosen(settings, items)
    if executor.shape == "list":
        return await _all_together(executor, settings, items, chosen, run)
    return await _one_by_one(executor, settings, items, chosen, run)


async def chain(steps: Sequence[Step], items: list[Content], run: Run) -> list[Content]:
    """Run items through the executors of a chain, one after the other.

    Raises:
        ContentError: a step is not valid.
        Exception: as `perform`.
    """
    for step in steps:
        executor = executors().get(step.type)
        if executor is None or executor.shape == "input":
            raise ContentError(f"{step.id}: no executor {step.type!r} can stand in a chain")
        try:
            settings = executor.settings.model_validate(step.settings)
        except ValidationError as error:
            raise ContentError(
                f"{step.id}: {'; '.join(f'{p.field}: {p.message}' for p in problems_of(error))}"
            ) from None
        items = await perform(executor, settings, items, replace(run, executor_id=f"{run.executor_id}.{step.id}"))
    return items


def condition_of(text: str | None) -> Expression | None:
    """A condition, None where there is none; ExpressionError where it cannot be read."""
    return parse(text) if text and text.strip() else None


def _chosen(settings: ExecutorSettings, items: list[Content]) -> list[bool]:
    condition = condition_of(settings.condition)
    return [condition is None or condition.holds(item.scope()) for item in items]


async def _all_together(
    executor: Executor[Any], settings: ExecutorSettings, items: list[Content], chosen: list[bool], run: Run
) -> list[Content]:
    taken = [item for item, one in zip(items, chosen, strict=True) if one]
    others = [
        _logged(item, _log(run, "skipped", run.clock.now(), reason="condition"))
        for item, one in zip(items, chosen, strict=True)
        if not one
    ]
    if items and not taken:
        return others
    started = run.clock.now()
    try:
        found = await executor.run([item.model_copy(deep=True) for item in taken], settings, run)
    except Exception as error:
        _tell(run, error)
        if _fatal(error, settings):
            raise
        failed = _log(run, "failed", started, error)
        return [*(_logged(item, failed) for item in taken), *others]
    done = _log(run, "completed", started)
    return [*(_logged(item, done) for item in found), *others]


async def _one_by_one(
    executor: Executor[Any], settings: ExecutorSettings, items: list[Content], chosen: list[bool], run: Run
) -> list[Content]:
    limits = settings if isinstance(settings, ItemSettings) else ItemSettings(max_concurrent=1)
    room = asyncio.Semaphore(limits.max_concurrent)
    errors: list[Exception] = []

    async def one(item: Content, taken: bool) -> list[Content]:
        started = run.clock.now()
        if not taken:
            return [_logged(item, _log(run, "skipped", started, reason="condition"))]
        async with room:
            if errors and not limits.continue_on_error:
                return [_logged(item, _log(run, "skipped", started, reason="an item before it failed"))]
            try:
                async with asyncio.timeout(limits.timeout_secs):
                    found = await executor.run(item.model_copy(deep=True), settings, run)
            except Exception as error:  # noqa: BLE001 - whatever it raises is of this item
                _tell(run, error)
                errors.append(error)
                return [_logged(item, _log(run, "failed", started, error))]
        if settings.debug_mode:
            run.log.info("item done: executor=%s item=%s", run.executor_id, item.id.unique_id)
        done = _log(run, "completed", started)
        return [_logged(each, done) for each in (found if isinstance(found, list) else [found])]

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(item, taken)) for item, taken in zip(items, chosen, strict=True)]
    for error in errors:
        if _fatal(error, settings):
            raise error
    return [each for task in tasks for each in task.result()]


def _fatal(error: Exception, settings: ExecutorSettings) -> bool:
    return settings.fail_pipeline_on_error or isinstance(error, (JobCancelledError, SupersededError))


def _logged(item: Content, log: ExecutorLog) -> Content:
    return item.model_copy(update={"executor_logs": [*item.executor_logs, log]})


def _log(run: Run, status: Any, started: datetime, error: Exception | None = None, **details: Any) -> ExecutorLog:
    return ExecutorLog(
        executor_id=run.executor_id, start_time=started, end_time=run.clock.now(), status=status,
        details=details, errors=[] if error is None else [words_of(error)],
    )  # fmt: skip


def words_of(error: Exception) -> str:
    """An error as users see it: its message where it was written for them, else its sort alone (it may quote anything)."""
    if isinstance(error, ContentError):
        return str(error)[:_LONGEST]
    return "took too long" if isinstance(error, TimeoutError) else type(error).__name__


def _tell(run: Run, error: Exception) -> None:
    run.log.warning("executor failed on an item: executor=%s cause=%s", run.executor_id, type(error).__name__)


def settings_of(executor: Executor[Any], given: Mapping[str, Any]) -> Any:
    """The settings of an executor as its model; pydantic's ValidationError where they do not fit."""
    return executor.settings.model_validate(dict(given))
