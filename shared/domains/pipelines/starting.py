"""Beginning, cancelling and retrying executions over HTTP."""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING

from shared.domains.pipelines.executions import Begin, Execution, content_of
from shared.domains.pipelines.showing import executions_of, items_of, summary
from shared.domains.pipelines.store import PipelineStore, StoredPipeline
from shared.jobs import FinalError, Status
from shared.web.answers import Problem
from shared.web.requests import validating

if TYPE_CHECKING:
    from shared.app import App
    from shared.domains.pipelines.requests import ExecutionRequest, Retry
    from shared.domains.pipelines.views import ExecutionSummary
    from shared.web.routes import Call

_ID = r"[A-Za-z0-9][A-Za-z0-9_.:~-]{0,249}"


async def known(app: App, call: Call) -> Execution:
    """The execution that a request is about.

    Raises:
        Problem: 404, there is none.
    """
    asked = call.path["execution_id"]
    found = await executions_of(app).get(asked) if re.fullmatch(_ID, asked) else None
    if found is None:
        raise Problem(404, "Not found", "there is no such execution")
    return found


async def execute(app: App, pipeline: StoredPipeline, asked: ExecutionRequest) -> ExecutionSummary:
    """Begin an execution.

    Raises:
        Problem: 409, the pipeline is switched off; 422, an item is none.
    """
    if not pipeline.enabled:
        raise Problem(409, "Conflict", "the pipeline is switched off")
    name = asked.execution_id or f"exec_{uuid.uuid4().hex}"
    with validating():
        items = content_of(asked.items, None, name) if asked.items else []
    begin = Begin(
        id=name, pipeline=pipeline, items=items, vault_id=asked.vault_id, max_retries=asked.max_retries,
        priority=asked.priority,
    )  # fmt: skip
    return await _begun(app, begin)


async def cancel(app: App, execution: Execution, by: str) -> ExecutionSummary:
    """Cancel an execution; InvalidTransitionError where it has ended."""
    return summary(execution, (await app.engine.cancel(execution.job_id, by=by or "api")).value)


async def retry(app: App, execution: Execution, asked: Retry, by: str) -> ExecutionSummary:
    """Retry an execution.

    Raises:
        Problem: 409, it has not failed, or its pipeline is gone; 404, the item is none of it.
        JobNotFoundError: its job was purged.
    """
    if asked.definition == "pinned" and asked.item is None:
        return await _taken_up(app, execution, by)
    pipeline = await _pipeline(app, execution, asked.definition)
    items = await items_of(app, execution, None)
    if asked.item is not None:
        items = [item for item in items if item.id.unique_id == asked.item]
        if not items:
            raise Problem(404, "Not found", "the execution was not begun with such an item")
    begin = Begin(
        id=f"{execution.id}~{uuid.uuid4().hex[:8]}", pipeline=pipeline, items=items, vault_id=execution.vault_id,
        left_out=execution.left_out, retry_of=execution.id, max_retries=execution.max_retries,
    )  # fmt: skip
    return await _begun(app, begin)


async def _taken_up(app: App, execution: Execution, by: str) -> ExecutionSummary:
    """Have a failed execution go on from the executors that failed."""
    job = (await app.engine.get(execution.job_id)).value
    if job.status is not Status.FAILED or job.dead_letter_id is None:
        raise Problem(409, "Conflict", f"the execution is {job.status}: only one that failed is taken up again")
    await app.engine.replays.one(job.dead_letter_id, by=by or "api")
    return summary(execution, (await app.engine.get(execution.job_id)).value)


async def _pipeline(app: App, execution: Execution, which: str) -> StoredPipeline:
    current = await PipelineStore(app.documents, app.settings).get(execution.pipeline_id)
    if current is None:
        raise Problem(409, "Conflict", "its pipeline was deleted")
    if which == "fixed":
        return current.value
    return current.value.model_copy(update={"version": execution.version, "definition": execution.definition})


async def _begun(app: App, begin: Begin) -> ExecutionSummary:
    try:
        execution, _ = await executions_of(app).begin(begin, app.clock.now())
    except FinalError as error:
        raise Problem(409, "Conflict", str(error)) from None
    return summary(execution, (await app.engine.get(execution.job_id)).value)
