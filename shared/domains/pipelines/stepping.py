"""One executor's job: its items are fetched, the executor is run, and what comes out is kept."""

from __future__ import annotations

from collections import Counter
from typing import Any

from pydantic import ValidationError

from shared.domains.pipelines.content import Content
from shared.domains.pipelines.definition import Pipeline
from shared.domains.pipelines.executing import Run
from shared.domains.pipelines.inline import bound, let_through, run_node, together
from shared.domains.pipelines.kept import BlobFiles, keep, load
from shared.domains.pipelines.payloads import ExecutorJob
from shared.domains.pipelines.store import PipelineStore
from shared.jobs import FinalError, JobContext
from shared.jobs.kinds import problems_of


async def run_step(payload: ExecutorJob, job: JobContext) -> dict[str, Any]:
    """Run an executor, and return where its items are.

    Returns:
        `items` (a reference), `count`, `statuses` (how many items it completed, skipped, failed on), and `to`: of each executor behind a
        condition, how many items go there.

    Raises:
        FinalError: the definition or the items are gone, or settings do not fit.
        Exception: whatever the executor raised.
    """
    store = PipelineStore(job.documents, job.settings)
    definition = await store.definition(payload.pipeline_id, payload.version, payload.definition)
    pipeline = definition.pipeline
    if payload.left_out:
        pipeline = pipeline.without(payload.left_out)
    node = pipeline.by_id[payload.node]
    inputs = await _inputs(pipeline, payload, job)
    items = together(inputs) if pipeline.into(node.id) else await load(job.blobs, payload.items)  # type: ignore[arg-type]
    await job.progress(f"{node.id}: {len(items)} items", 0, max(1, len(items)))
    run = bound(run_of(payload.execution, pipeline.name, job), definition)
    try:
        made = await run_node(node, items, run, inputs)
    except ValidationError as error:
        wrong = "; ".join(f"{problem.field}: {problem.message}" for problem in problems_of(error))
        raise FinalError(f"the settings of {node.id} do not fit: {wrong}") from None
    return {
        "items": await keep(job.blobs, payload.execution, node.id, made),
        "count": len(made),
        "statuses": _statuses(made, node.id),
        "to": {edge.target: len(let_through(edge, made)) for edge in pipeline.out_of(node.id) if edge.condition},
    }


def run_of(execution: str, pipeline: str, job: JobContext) -> Run:
    """What the executors of an execution may use."""

    async def unbound(*_: Any) -> list[Content]:
        raise LookupError(pipeline)

    return Run(
        executor_id="", pipeline=pipeline, execution_id=execution, settings=job.settings, clock=job.clock,
        documents=job.documents, files=BlobFiles(job.blobs, execution), containers=job.containers,
        apply=unbound, subpipeline=unbound, log=job.log,
    )  # fmt: skip


async def _inputs(pipeline: Pipeline, payload: ExecutorJob, job: JobContext) -> dict[str, list[Content]]:
    """What comes in by each edge, in the order of the edges. A branch that was skipped brings nothing."""
    found = {}
    for edge in pipeline.into(payload.node):
        result = payload.inputs.get(edge.source)
        reference = result.get("items") if isinstance(result, dict) else None
        found[edge.source] = let_through(edge, await load(job.blobs, reference))  # type: ignore[arg-type]
    return found


def _statuses(items: list[Content], executor: str) -> dict[str, int]:
    """How many items an executor completed, skipped and failed on, as their logs say."""
    return dict(Counter(log.status for item in items for log in item.executor_logs[-1:] if log.executor_id == executor))
