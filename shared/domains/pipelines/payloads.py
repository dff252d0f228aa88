"""What the jobs of pipelines are given: the payloads that handlers share with what submits them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, JsonValue

EXECUTOR, CRAWL = "pipeline-executor", "crawl-vault"
"""The kinds of the jobs of executors, and of crawls."""


class ExecutorJob(BaseModel):
    """The payload of one executor's job in an execution."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    execution: str
    pipeline_id: str
    version: int
    definition: str
    """The hash of the pipeline's definition."""
    left_out: str | None = None
    """The executor that ran before, when the content was found."""
    node: str
    """The executor's id in the pipeline."""
    inputs: dict[str, JsonValue] = {}
    """The results of the executors that lead to it."""
    items: JsonValue = None
    """Where the items are, of one that none leads to."""


class Crawl(BaseModel):
    """The payload of a crawl."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    vault_id: str
    generation: int
    sequence: int
