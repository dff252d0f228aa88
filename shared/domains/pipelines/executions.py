"""Executions: begun once for each task or content item, pinned to a version of their pipeline, and listed by vault and pipeline.

How an execution fares its job knows, which is a run of a workflow; its document says what it is of, and makes it be found.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol, Unpack

from pydantic import BaseModel, ConfigDict

from shared.domains.pipelines.compiling import graph_of
from shared.domains.pipelines.content import Content, ContentId, content_id
from shared.domains.pipelines.kept import keep, load
from shared.domains.pipelines.settings import PipelineSettings
from shared.domains.pipelines.store import PipelineStore, StoredPipeline
from shared.domains.pipelines.tasks import ContentProcessingTask
from shared.jobs import FinalError, JobContext, Options, Priority, Ticket
from shared.jobs.ids import derived_id
from shared.ports import AlreadyExistsError, BlobStore, DocumentStore, Page, Query, Where
from shared.settings import Settings
from shared.storage import iso
from shared.workflows.definitions import name_of
from shared.workflows.graph import Graph

EXECUTION = "pipeline-execution"
"""The kind of the job that an execution is."""
_SETTLED = timedelta(days=8)
"""After so long no crash lies between an execution's document and its job: a job that is missing was purged."""


class Execution(BaseModel):
    """What is known of an execution beside how it fares."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    job_id: str
    pipeline_id: str
    pipeline_name: str
    version: int
    definition: str
    vault_id: str | None = None
    task_id: str | None = None
    left_out: str | None = None
    retry_of: str | None = None
    content: str | None = None
    """The canonical id of the content, of the first of several."""
    filename: str | None = None
    items: dict[str, Any]
    """Where its items are."""
    count: int
    max_retries: int | None = None
    created_at: datetime


class Submit(Protocol):
    """Takes a job in by the name of its kind: `Engine.submit`, or `submit_of` a job."""

    async def __call__(self, kind: str, payload: Mapping[str, Any], /, **options: Unpack[Options]) -> Ticket:
        """See `shared.jobs.submit.Submitter.submit`."""
        ...


def submit_of(job: JobContext) -> Submit:
    """Takes jobs in on behalf of a job, in whose trace they are."""
    return partial(job.children.start_one, trace=job.trace)


@dataclass(frozen=True)
class Begin:
    """What to execute."""

    id: str
    pipeline: StoredPipeline
    items: Sequence[Content]
    vault_id: str | None = None
    task_id: str | None = None
    left_out: str | None = None
    retry_of: str | None = None
    max_retries: int | None = None
    priority: Priority | None = None


class Executions:
    """Begins executions, and finds them."""

    def __init__(self, documents: DocumentStore, blobs: BlobStore, settings: Settings, submit: Submit) -> None:
        self._documents = documents
        self._blobs = blobs
        self._settings = settings
        self._submit = submit
        self._own = settings.of(PipelineSettings)
        self._kept: set[str] = set()

    async def begin(self, begin: Begin, now: datetime) -> tuple[Execution, bool]:
        """Begin an execution, once.

        Document, then job: the first document of an id says which version and which job it is, for good. Where a crash falls between
        the two, the same again submits the job; one that is there already stays as it is.

        Returns:
            The execution, and whether it is a new one.

        Raises:
            FinalError: the pipeline's version is gone.
            StorageError: it was begun, or not; the same again is safe.
        """
        pipeline = begin.pipeline
        execution = Execution(
            id=begin.id, job_id=derived_id(now, f"pipeline-execution\n{begin.id}"), max_retries=begin.max_retries,
            pipeline_id=pipeline.id, pipeline_name=pipeline.name, version=pipeline.version, definition=pipeline.definition,
            vault_id=begin.vault_id, task_id=begin.task_id, left_out=begin.left_out, retry_of=begin.retry_of,
            content=begin.items[0].id.canonical_id if begin.items else None,
            filename=begin.items[0].id.filename if begin.items else None,
            items=await keep(self._blobs, begin.id, "items", begin.items), count=len(begin.items), created_at=now,
        )  # fmt: skip
        graph = await self._graph(execution)
        new = await self._record(execution)
        if not new:
            known = await self.get(begin.id)
            if known is None or now - known.created_at > _SETTLED:
                return known or execution, False
            if known.job_id != execution.job_id:
                execution = known
                graph = await self._graph(known)
        given: dict[str, Any] = {
            "execution": execution.id, "pipeline_id": execution.pipeline_id, "version": execution.version,
            "definition": execution.definition, "left_out": execution.left_out, "items": execution.items,
        }  # fmt: skip
        options = Options(job_id=execution.job_id, priority=begin.priority)
        await self._submit(EXECUTION, {"definition": await self._keep(graph), "input": given}, **options)
        return execution, new

    async def get(self, id: str) -> Execution | None:
        """An execution, or None."""
        found = await self._documents.read(self._own.executions, id, id)
        return Execution.model_validate(found.value) if found else None

    async def page(self, limit: int, cursor: str | None, **where: str | None) -> Page:
        """Executions, the newest first: all, or those of a vault (`vault_id`) or a pipeline (`pipeline_id`)."""
        asked = tuple(Where(name, "=", value) for name, value in where.items() if value)
        query = Query(asked, "order", descending=True, limit=limit, after=cursor)
        return await self._documents.query(self._own.executions, query)

    async def items(self, execution: Execution) -> list[Content]:
        """What it was begun with."""
        return await load(self._blobs, execution.items)

    async def _graph(self, execution: Execution) -> Graph:
        store = PipelineStore(self._documents, self._settings)
        definition = await store.definition(execution.pipeline_id, execution.version, execution.definition)
        whole = definition.pipeline
        left = whole.without(execution.left_out) if execution.left_out else whole
        if not left.nodes:
            raise FinalError("nothing is left of the pipeline without the executor that ran before")
        return graph_of(left, _attempts(execution.max_retries))

    async def _keep(self, graph: Graph) -> str:
        """Keep the graph, once in this process."""
        if graph.hash not in self._kept:
            with suppress(AlreadyExistsError):
                await self._blobs.create(name_of(graph.hash), graph.to_json())
            self._kept.add(graph.hash)
        return graph.hash

    async def _record(self, execution: Execution) -> bool:
        """Write what an execution is; False where there is one of its id."""
        seconds = self._own.execution_days * 86_400
        document = {
            "pk": execution.id, "order": f"{iso(execution.created_at)} {execution.id}", "ttl": seconds,
            **execution.model_dump(mode="json", exclude_none=True),
        }  # fmt: skip
        try:
            await self._documents.create(self._own.executions, document)
        except AlreadyExistsError:
            return False
        return True


def content_of(given: Any, name: Any, execution: str) -> list[Content]:
    """The items of a task: whole items, as an input executor made them, or the fields of one.

    Args:
        given: `content_data`: an item, a list of items, or fields.
        name: `content_id`: what the content is called, or its whole identifier.
        execution: names the content where nothing else does.
    """
    if isinstance(given, list):
        return [item for index, each in enumerate(given) for item in content_of(each, None, f"{execution}-{index}")]
    fields = dict(given or {})
    if isinstance(fields.get("id"), dict) and "canonical_id" in fields["id"]:
        return [Content.model_validate({key: value for key, value in fields.items() if key in Content.model_fields})]
    if isinstance(name, dict):
        return [Content(id=ContentId.model_validate(name), data=fields)]
    return [Content(id=content_id(f"task:{name or execution}", filename=fields.get("filename")), data=fields)]


async def begin_for_task(task: ContentProcessingTask, job: JobContext) -> dict[str, Any]:
    """Begin the execution of a task.

    Raises:
        FinalError: there is no such pipeline, or it is switched off; or the content is none.
    """
    current = await PipelineStore(job.documents, job.settings).get(task.pipeline_id)
    if current is None:
        raise FinalError(f"there is no pipeline {task.pipeline_id}")
    if not current.value.enabled:
        raise FinalError(f"the pipeline {task.pipeline_id} is switched off")
    try:
        items = content_of(task.content_data, task.content_id, task.execution)
    except ValueError:
        raise FinalError("content_data is no content item") from None
    begin = Begin(
        id=task.execution, pipeline=current.value, items=items, vault_id=task.vault_id, task_id=task.task_id,
        left_out=task.executed_input_executor, max_retries=task.max_retries, priority=Priority(task.priority),
    )  # fmt: skip
    execution, new = await Executions(job.documents, job.blobs, job.settings, submit_of(job)).begin(
        begin, job.clock.now()
    )
    return {"execution_id": execution.id, "job_id": execution.job_id, "new": new}


def _attempts(max_retries: int | None) -> int | None:
    return None if max_retries is None else max_retries + 1
