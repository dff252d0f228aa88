"""Executions and dry runs as they are shown: how each executor fares, and its items."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationError

from shared.domains.pipelines.compiling import step_of
from shared.domains.pipelines.content import Content
from shared.domains.pipelines.executing import Run
from shared.domains.pipelines.executions import Execution, Executions, content_of
from shared.domains.pipelines.inline import Passage, bound, run_through
from shared.domains.pipelines.kept import MemoryFiles, load
from shared.domains.pipelines.running import words_of
from shared.domains.pipelines.store import PipelineStore, StoredPipeline
from shared.domains.pipelines.views import (
    DryRunView,
    ExecutionSummary,
    ExecutionView,
    StepView,
    edge_views,
)
from shared.jobs import FinalError, Job
from shared.jobs.concurrently import run_all
from shared.jobs.errors import JobNotFoundError
from shared.storage import iso, isos
from shared.web.answers import Problem
from shared.workflows.keeping import Keeper
from shared.workflows.record import Part, Record, State, StepState, name_of

if TYPE_CHECKING:
    from shared.app import App
    from shared.domains.pipelines.definition import Definition, Pipeline

_DRY_SECONDS = 100.0
"""How long a dry run may take: the caller waits for it."""
_LONGEST_TEXT = 500
_BEGINNING = timedelta(minutes=1)


def executions_of(app: App) -> Executions:
    """The executions of an app."""
    return Executions(app.documents, app.blobs, app.settings, app.engine.submit)


async def summaries(app: App, documents: list[dict[str, Any]]) -> list[ExecutionSummary]:
    """Executions in a list, each with the state of its job. A storage call for each."""
    found = [Execution.model_validate(each) for each in documents]
    jobs = await run_all([_job(app, each) for each in found])
    return [summary(execution, job) for execution, job in zip(found, jobs, strict=True)]


def summary(execution: Execution, job: Job | None) -> ExecutionSummary:
    """An execution in a list. Its document is written a moment before its job."""
    status: Literal["queued", "gone"] = "queued" if datetime.now(UTC) - execution.created_at < _BEGINNING else "gone"
    return {
        "id": execution.id, "job_id": execution.job_id, "status": job.status.value if job else status,
        "pipeline_id": execution.pipeline_id, "pipeline_name": execution.pipeline_name, "version": execution.version,
        "vault_id": execution.vault_id, "task_id": execution.task_id, "retry_of": execution.retry_of,
        "content": execution.content, "filename": execution.filename, "count": execution.count,
        "created_at": iso(execution.created_at),
    }  # fmt: skip


async def execution_view(app: App, execution: Execution) -> ExecutionView:
    """An execution, executor by executor."""
    job = await _job(app, execution)
    pipeline = await _pipeline(app, execution)
    record = await _record(app, execution)
    steps = [await _step_view(app, pipeline, node.id, node.type, record) for node in pipeline.nodes]
    return {
        **summary(execution, job), "left_out": execution.left_out,
        "error": job.error.message if job and job.error else None,
        "executors": steps, "edges": edge_views(pipeline),
    }  # fmt: skip


async def items_of(app: App, execution: Execution, executor: str | None) -> list[Content]:
    """The items that came out of an executor; None: those that went in.

    Raises:
        Problem: 404, there is no such executor, or nothing has come out of it.
    """
    try:
        if executor is None:
            return await load(app.blobs, execution.items)
        pipeline, record = await _pipeline(app, execution), await _record(app, execution)
        state = record.steps.get(step_of(pipeline, executor)) if record and executor in pipeline.by_id else None
        result = await Keeper(app.blobs).load(state.result) if state and state.result else None
        if not isinstance(result, dict):
            raise Problem(404, "Not found", f"nothing has come out of an executor {executor!r}")
        return await load(app.blobs, result["items"])
    except FinalError as error:
        raise Problem(404, "Not found", str(error)) from None


async def dry_run(app: App, pipeline: StoredPipeline, given: list[dict[str, Any]], limit: int) -> DryRunView:
    """Run some items through a pipeline here and now; what writes is left out, and nothing is kept."""
    definition = await PipelineStore(app.documents, app.settings).definition(
        pipeline.id, pipeline.version, pipeline.definition
    )
    items = content_of(given, None, "dry-run")[:limit] if given else []
    passage, error = Passage(), None
    try:
        async with asyncio.timeout(_DRY_SECONDS):
            await run_through(definition.pipeline, items, _dry(app, definition), limit, passage)
    except ValidationError as problem:
        error = f"settings do not fit: {', '.join('.'.join(map(str, each['loc'])) for each in problem.errors())}"
    except Exception as failure:  # noqa: BLE001 - whatever an executor raises is what the dry run is for
        error = words_of(failure)
    done = [node for node in definition.pipeline.nodes if node.id in passage.out]
    return {
        "completed": error is None,
        "error": error,
        "executors": [
            {
                "id": node.id, "type": node.type, "count": len(passage.out[node.id]),
                "items": [_cut(item.model_dump(mode="json")) for item in passage.out[node.id][:limit]],
            }
            for node in done
        ],
    }  # fmt: skip


def _dry(app: App, definition: Definition) -> Run:
    async def unbound(*_: Any) -> list[Content]:
        raise LookupError

    run = Run(
        executor_id="", pipeline=definition.main, execution_id="dry-run", settings=app.settings, clock=app.clock,
        documents=app.documents, files=MemoryFiles(), containers=app.engine.deps.containers,
        apply=unbound, subpipeline=unbound, dry=True,
    )  # fmt: skip
    return bound(run, definition)


def _cut(value: Any) -> Any:
    """A value for a look at it: long texts and lists are cut."""
    if isinstance(value, str):
        return value if len(value) <= _LONGEST_TEXT else f"{value[:_LONGEST_TEXT]}…"
    if isinstance(value, list):
        return [_cut(each) for each in value[:20]]
    return {name: _cut(each) for name, each in value.items()} if isinstance(value, dict) else value


async def _step_view(app: App, pipeline: Pipeline, executor: str, type_: str, record: Record | None) -> StepView:
    name = step_of(pipeline, executor)
    state = record.steps.get(name) if record else None
    result = await Keeper(app.blobs).load(state.result) if state and state.result else None
    told = result if isinstance(result, dict) else {}
    moments = isos(started_at=state.started_at, ended_at=state.ended_at) if state else {}
    return {
        "id": executor, "type": type_, "state": state.state.value if state else "pending",
        "reason": _reason(state) if state else None,
        "job_id": record.child_id(Part(name)) if record and state and state.job else None,
        "count": told.get("count"), "statuses": told.get("statuses", {}),
        "started_at": moments.get("started_at"), "ended_at": moments.get("ended_at"),
    }  # fmt: skip


def _reason(state: StepState) -> str | None:
    """Why an executor has nothing to show, in words of pipelines."""
    if state.state is State.SKIPPED and (state.reason or "").startswith("its condition"):
        return "no item came here"
    return state.reason


async def _pipeline(app: App, execution: Execution) -> Pipeline:
    store = PipelineStore(app.documents, app.settings)
    try:
        definition = await store.definition(execution.pipeline_id, execution.version, execution.definition)
    except FinalError as error:
        raise Problem(404, "Not found", str(error)) from None
    whole = definition.pipeline
    return whole.without(execution.left_out) if execution.left_out else whole


async def _record(app: App, execution: Execution) -> Record | None:
    blob = await app.blobs.read(name_of(execution.job_id))
    return Record.model_validate_json(blob.data) if blob else None


async def _job(app: App, execution: Execution) -> Job | None:
    try:
        return (await app.engine.get(execution.job_id)).value
    except JobNotFoundError:
        return None
