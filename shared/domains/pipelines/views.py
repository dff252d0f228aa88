"""How pipelines, vaults and executions look from outside."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from shared.api.schemas import Moment, Uuid
from shared.domains.pipelines.checked import Checked
from shared.domains.pipelines.definition import Pipeline
from shared.domains.pipelines.marked import Problem
from shared.domains.pipelines.store import StoredPipeline
from shared.domains.pipelines.vaults import Checkpoint, Vault
from shared.storage import iso

_CLOSED = ConfigDict(extra="forbid")


@with_config(_CLOSED)
class ProblemView(TypedDict):
    """Something about a file, and where."""

    line: int
    column: int
    path: str
    message: str


@with_config(_CLOSED)
class CheckView(TypedDict):
    """What became of a file that was checked."""

    valid: bool
    ready: bool
    """Whether nothing is lacking: it can run now."""
    pipelines: list[str]
    errors: list[ProblemView]
    lacks: list[ProblemView]
    warnings: list[ProblemView]
    lines: list[str]
    """All of these as compilers write them: `file:line:column path: message`."""


@with_config(_CLOSED)
class NodeView(TypedDict):
    """An executor of a pipeline."""

    id: str
    type: str
    description: str


@with_config(_CLOSED)
class EdgeView(TypedDict):
    """From one executor to another."""

    source: str
    target: str
    condition: str | None


@with_config(_CLOSED)
class PipelineSummary(TypedDict):
    """A pipeline in a list."""

    id: str
    name: str
    description: str
    pipeline: str
    enabled: bool
    version: int
    input_executor: str | None
    created_at: Moment
    updated_at: Moment


@with_config(_CLOSED)
class PipelineView(PipelineSummary):
    """A pipeline."""

    text: str
    executors: list[NodeView]
    edges: list[EdgeView]
    lacks: list[ProblemView]


@with_config(_CLOSED)
class PipelinePage(TypedDict):
    """Pipelines."""

    items: list[PipelineSummary]
    cursor: str | None


@with_config(_CLOSED)
class VersionSummary(TypedDict):
    """A version in a list."""

    number: int
    created_at: Moment


@with_config(_CLOSED)
class VersionView(VersionSummary):
    """A version of a pipeline."""

    text: str


@with_config(_CLOSED)
class VersionList(TypedDict):
    """The versions of a pipeline, the newest first."""

    items: list[VersionSummary]


@with_config(_CLOSED)
class ExecutorView(TypedDict):
    """An executor of the catalogue."""

    type: str
    aliases: list[str]
    category: str
    summary: str
    description: str
    example: dict[str, Any]
    settings: dict[str, Any]
    """The JSON schema of its settings."""


@with_config(_CLOSED)
class ExecutorList(TypedDict):
    """The catalogue."""

    items: list[ExecutorView]


@with_config(_CLOSED)
class VaultView(TypedDict):
    """A vault."""

    id: str
    name: str
    description: str
    pipeline_id: str
    enabled: bool
    input: dict[str, Any]
    created_at: Moment
    updated_at: Moment


@with_config(_CLOSED)
class VaultPage(TypedDict):
    """Vaults."""

    items: list[VaultView]
    cursor: str | None


@with_config(_CLOSED)
class CheckpointView(TypedDict):
    """How far the look for a vault's content has come."""

    looked_at: Moment | None
    next_at: Moment | None
    position: Moment | None
    """What changed before was found."""
    seen: int
    """Items that are remembered one by one."""
    found: int
    new: int
    failures: int
    error: str | None


@with_config(_CLOSED)
class CrawlView(TypedDict):
    """A crawl that was submitted."""

    job_id: Uuid | None


@with_config(_CLOSED)
class ExecutionSummary(TypedDict):
    """An execution in a list."""

    id: str
    job_id: Uuid
    status: Literal["queued", "running", "completed", "failed", "cancelled", "gone"]
    """`gone`: its job was purged."""
    pipeline_id: str
    pipeline_name: str
    version: int
    vault_id: str | None
    task_id: str | None
    retry_of: str | None
    content: str | None
    filename: str | None
    count: int
    created_at: Moment


@with_config(_CLOSED)
class StepView(TypedDict):
    """How an executor fares in an execution."""

    id: str
    type: str
    state: str
    reason: str | None
    job_id: Uuid | None
    count: int | None
    """Items that came out."""
    statuses: dict[str, int]
    """Items by what it did with them: `completed`, `skipped`, `failed`."""
    started_at: Moment | None
    ended_at: Moment | None


@with_config(_CLOSED)
class ExecutionView(ExecutionSummary):
    """An execution."""

    left_out: str | None
    error: str | None
    executors: list[StepView]
    edges: list[EdgeView]


@with_config(_CLOSED)
class ExecutionPage(TypedDict):
    """Executions, the newest first."""

    items: list[ExecutionSummary]
    cursor: str | None


@with_config(_CLOSED)
class ItemPage(TypedDict):
    """Content items as they came out of an executor, or went in."""

    executor: str | None
    total: int
    items: list[dict[str, Any]]


@with_config(_CLOSED)
class DryStepView(TypedDict):
    """What came out of an executor in a dry run."""

    id: str
    type: str
    count: int
    items: list[dict[str, Any]]
    """Long texts are cut."""


@with_config(_CLOSED)
class DryRunView(TypedDict):
    """A dry run: nothing was written."""

    completed: bool
    error: str | None
    executors: list[DryStepView]


def check_view(checked: Checked, file: str) -> CheckView:
    """What became of a file."""
    told = [*checked.errors, *checked.lacks, *checked.warnings]
    return {
        "valid": not checked.errors,
        "ready": not checked.errors and not checked.lacks,
        "pipelines": list(checked.main),
        "errors": [problem_view(each) for each in checked.errors],
        "lacks": [problem_view(each) for each in checked.lacks],
        "warnings": [problem_view(each) for each in checked.warnings],
        "lines": [each.line(file) for each in told],
    }


def problem_view(problem: Problem) -> ProblemView:
    """One thing about a file."""
    return {
        "line": problem.place.line, "column": problem.place.column, "path": problem.path, "message": problem.message,
    }  # fmt: skip


def pipeline_summary(pipeline: StoredPipeline) -> PipelineSummary:
    """A pipeline in a list."""
    return {
        "id": pipeline.id, "name": pipeline.name, "description": pipeline.description, "pipeline": pipeline.main,
        "enabled": pipeline.enabled, "version": pipeline.version, "input_executor": pipeline.input_executor,
        "created_at": iso(pipeline.created_at), "updated_at": iso(pipeline.updated_at),
    }  # fmt: skip


def pipeline_view(pipeline: StoredPipeline, graph: Pipeline, lacks: list[Problem]) -> PipelineView:
    """A pipeline."""
    return {
        **pipeline_summary(pipeline), "text": pipeline.text, "executors": node_views(graph), "edges": edge_views(graph),
        "lacks": [problem_view(each) for each in lacks],
    }  # fmt: skip


def node_views(graph: Pipeline) -> list[NodeView]:
    """The executors of a pipeline."""
    return [{"id": each.id, "type": each.type, "description": each.description} for each in graph.nodes]


def edge_views(graph: Pipeline) -> list[EdgeView]:
    """The edges of a pipeline."""
    return [{"source": each.source, "target": each.target, "condition": each.condition} for each in graph.edges]


def vault_view(vault: Vault) -> VaultView:
    """A vault."""
    return {
        "id": vault.id, "name": vault.name, "description": vault.description, "pipeline_id": vault.pipeline_id,
        "enabled": vault.enabled, "input": vault.input, "created_at": iso(vault.created_at), "updated_at": iso(vault.updated_at),
    }  # fmt: skip


def checkpoint_view(checkpoint: Checkpoint) -> CheckpointView:
    """How far crawls have come."""
    return {
        "looked_at": iso(checkpoint.looked_at) if checkpoint.looked_at else None,
        "next_at": iso(checkpoint.next_at) if checkpoint.next_at else None,
        "position": iso(checkpoint.position) if checkpoint.position else None,
        "seen": len(checkpoint.seen), "found": checkpoint.found, "new": checkpoint.new,
        "failures": checkpoint.failures, "error": checkpoint.error,
    }  # fmt: skip
