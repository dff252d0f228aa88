"""Executors that run others: chains over each item, and other pipelines of the same file."""

from __future__ import annotations

import asyncio
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from shared.domains.pipelines.content import Content
from shared.domains.pipelines.executing import (
    ContentError,
    ExecutorSettings,
    ItemSettings,
    PipelineName,
    Run,
    Step,
    executor,
    list_executor,
)
from shared.domains.pipelines.executors.chunking import pages_of
from shared.domains.pipelines.executors.fields import put, text_at, whole_text
from shared.expressions import ExpressionError, parse


class ForEachSettings(ExecutorSettings):
    """What is done to each item."""

    steps: list[Step] = Field(
        min_length=1, description="Executors, one after the other: `id`, `type` and `settings` of each.",
        examples=[[{"id": "extract", "type": "pdf_extractor"}]],
    )  # fmt: skip
    max_concurrent: int = Field(default=5, ge=1, le=100, description="Most items at a time.")
    timeout_per_item_secs: float = Field(
        default=300, ge=1, description="Longest time for one item in all steps. Unit: seconds."
    )
    continue_on_error: bool = Field(
        default=True, description="Whether the others go on where one fails, which then passes as it came."
    )
    fail_pipeline_on_error: bool = Field(
        default=False, description="Whether the execution fails where the step as a whole does."
    )
    preserve_order: bool = Field(default=True, description="Taken: the order is always that of the items.")


@list_executor(
    "for_each_content",
    settings=ForEachSettings,
    category="control",
    example={"steps": [{"id": "extract", "type": "pdf_extractor"}, {"id": "chunk", "type": "recursive_text_chunker"}]},
)
async def for_each_content(items: list[Content], settings: ForEachSettings, run: Run) -> list[Content]:
    """Run a chain of executors over each item by itself.

    For what is too small for a pipeline of its own. An item that fails passes as it came, and its log says so, unless `continue_on_error` is off.
    """
    made = await over(items, settings, lambda item: run.apply(settings.steps, [item]))
    return [each for several in made for each in several]


async def over(items: list[Content], settings: Any, work: Any) -> list[list[Content]]:
    """Do something to each item, so many at a time; what fails passes as it came, or raises, as the settings say."""
    turns = asyncio.Semaphore(settings.max_concurrent)

    async def one(item: Content) -> list[Content] | ContentError:
        async with turns:
            try:
                async with asyncio.timeout(settings.timeout_per_item_secs):
                    return list(await work(item))
            except ContentError as error:
                return error
            except TimeoutError:
                return ContentError("took longer than timeout_per_item_secs")

    done = await asyncio.gather(*(one(item) for item in items))
    failures = [each for each in done if isinstance(each, ContentError)]
    if failures and not settings.continue_on_error:
        raise failures[0]
    return [
        _marked(item, each) if isinstance(each, ContentError) else each for item, each in zip(items, done, strict=True)
    ]


def _marked(item: Content, error: ContentError) -> list[Content]:
    """The item as it came; its summary says what went wrong, since its log has a line for the whole of the step alone."""
    made = item.model_copy(deep=True)
    made.summary_data["error"] = str(error)
    return [made]


class SubpipelineSettings(ExecutorSettings):
    """Which pipeline, and over what."""

    ignored: ClassVar[frozenset[str]] = frozenset(
        {"allow_direct_output", "max_iterations", "input_field", "output_field"}
    )

    pipeline: PipelineName = Field(
        description="Name of another pipeline, or subworkflow, of the same file.", examples=["process_document"]
    )
    split_by: Literal["pages", "chunks"] | None = Field(
        default=None, description="Run it over each page, or each chunk, of an item; unset: over the item."
    )
    chunk_size: int = Field(
        default=1000, ge=100, le=10_000, description="Longest chunk, where the item has no chunks yet."
    )
    max_concurrent: int = Field(default=3, ge=1, le=100, description="Most items at a time.")
    timeout_per_item_secs: float = Field(default=300, ge=1, description="Longest time for one item. Unit: seconds.")
    continue_on_error: bool = Field(
        default=True, description="Whether the others go on where one fails, which then passes as it came."
    )

    @model_validator(mode="before")
    @classmethod
    def _known_as(cls, given: Any) -> Any:
        """The names that older pipelines have for the same."""
        return _renamed(given, {"subworkflow_name": "pipeline", "subworkflow": "pipeline", "pipeline_name": "pipeline"})


@list_executor(
    "subpipeline",
    settings=SubpipelineSettings,
    category="control",
    aliases=("sub-pipeline", "subworkflow"),
    example={"pipeline": "process_document"},
)
async def subpipeline(items: list[Content], settings: SubpipelineSettings, run: Run) -> list[Content]:
    """Run items through another pipeline of the same file.

    With `split_by` each part of an item is an item of its own there, and `batch_aggregator` puts them together again.
    """
    if settings.split_by is None:
        return await run.subpipeline(settings.pipeline, items)
    parts = [part for item in items for part in _parts(item, settings.split_by, settings.chunk_size)]
    made = await over(parts, settings, lambda part: run.subpipeline(settings.pipeline, [part]))
    return [each for several in made for each in several]


def _parts(item: Content, split_by: str, size: int) -> list[Content]:
    if split_by == "pages":
        pages = pages_of(item)
        if not pages:
            return [item]
        return [
            item.child(
                f"page_{each['page_number']}",
                {"text": each["text"], "page_number": each["page_number"]},
                page=each["page_number"],
            )
            for each in pages
        ]
    chunks = item.data.get("chunks")
    if not isinstance(chunks, list):
        text = text_at(item, "text")
        chunks = [{"text": text[at : at + size]} for at in range(0, len(text), size)]
    return [_chunk(item, each, number, "chunk_id") for number, each in enumerate(chunks)]


def _chunk(item: Content, chunk: Any, number: int, id_field: str) -> Content:
    fields = chunk if isinstance(chunk, dict) else {"text": str(chunk)}
    name = fields.get(id_field) or number
    return item.child(f"chunk_{name}", {"text": "", **fields}, chunk=number)


class ChunkProcessorSettings(ExecutorSettings):
    """Which pipeline, over which chunks."""

    subworkflow: PipelineName = Field(
        description="Name of another pipeline of the same file.", examples=["process_chunk"]
    )
    chunk_field: str = Field(default="chunks", description="Field of the chunks.")
    chunk_id_field: str = Field(default="chunk_id", description="What tells a chunk from the others.")
    max_concurrent: int = Field(
        default=5, ge=1, le=100, description="Most chunks at a time; older pipelines say max_parallel."
    )
    timeout_per_item_secs: float = Field(
        default=300, ge=1, description="Longest time for one chunk; older: timeout_seconds."
    )
    continue_on_error: bool = Field(
        default=True, description="Whether the others go on where one fails, which then passes as it came."
    )

    @model_validator(mode="before")
    @classmethod
    def _known_as(cls, given: Any) -> Any:
        """The names that older pipelines have for the same."""
        return _renamed(given, {"max_parallel": "max_concurrent", "timeout_seconds": "timeout_per_item_secs"})


@list_executor(
    "chunk_processor", settings=ChunkProcessorSettings, category="control", example={"subworkflow": "process_chunk"}
)
async def chunk_processor(items: list[Content], settings: ChunkProcessorSettings, run: Run) -> list[Content]:
    """Run each chunk of the items through another pipeline, as an item of its own.

    `result_aggregator` puts them together again. An item without chunks goes through whole.
    """
    parts = [
        _chunk(item, chunk, number, settings.chunk_id_field)
        for item in items
        for number, chunk in enumerate(item.get(settings.chunk_field) or [{"text": whole_text(item) or ""}])
    ]
    made = await over(parts, settings, lambda part: run.subpipeline(settings.subworkflow, [part]))
    return [each for several in made for each in several]


class ParallelSettings(ForEachSettings):
    """What is done to each item."""

    steps: list[Step] = Field(default=[], description="Executors, one after the other; or `pipeline`.")
    pipeline: PipelineName | None = Field(
        default=None, description="Name of another pipeline of the same file; or `steps`."
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> ParallelSettings:
        if bool(self.steps) == bool(self.pipeline):
            raise ValueError("either steps or pipeline is needed")
        return self


@list_executor(
    "parallel_document_processor",
    settings=ParallelSettings,
    category="control",
    example={"pipeline": "process_document", "max_concurrent": 4},
)
async def parallel_document_processor(items: list[Content], settings: ParallelSettings, run: Run) -> list[Content]:
    """Run several items at a time through a chain, or through another pipeline."""
    name = settings.pipeline
    made = await over(
        items, settings, lambda item: run.subpipeline(name, [item]) if name else run.apply(settings.steps, [item])
    )
    return [each for several in made for each in several]


class Route(BaseModel):
    """Where items go of which a condition holds."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    condition: str = Field(description="A condition, or `default`.", examples=["document_type == 'pdf'"])
    subworkflow: PipelineName = Field(description="Name of another pipeline of the same file.")
    description: str | None = Field(default=None, description="For people.")

    @field_validator("condition")
    @classmethod
    def _readable(cls, text: str) -> str:
        if text != "default":
            try:
                parse(text)
            except ExpressionError as error:
                raise ValueError(str(error)) from None
        return text


class RouterSettings(ItemSettings):
    """Which pipeline is for which items."""

    classification_field: str | None = Field(
        default=None,
        description="Field that the conditions look at; where a model's answer is JSON with `type`, that is put there.",
    )
    routes: list[Route] = Field(
        min_length=1, description="The first whose condition holds; `default` for what none is for. Without that, items pass as they are.",
        examples=[[{"condition": "document_type == 'pdf'", "subworkflow": "process_pdf"}]],
    )  # fmt: skip


@executor(
    "conditional_router",
    settings=RouterSettings,
    category="control",
    example={
        "routes": [
            {"condition": "file_type == 'pdf'", "subworkflow": "process_pdf"},
            {"condition": "default", "subworkflow": "process_text"},
        ]
    },
)
async def conditional_router(item: Content, settings: RouterSettings, run: Run) -> list[Content]:
    """Run each item through the pipeline that is for it."""
    field = settings.classification_field
    if field and item.get(field) is None and (found := _classified(item)):
        put(item.data, field, found)
    names = item.scope()
    chosen = next(
        (each for each in settings.routes if each.condition == "default" or parse(each.condition).holds(names)), None
    )
    if chosen is None:
        return [item]
    item.summary_data["route"] = chosen.subworkflow
    return await run.subpipeline(chosen.subworkflow, [item])


def _classified(item: Content) -> str | None:
    """What a step before has said that the item is: by a model's answer, or a classifier's, else the suffix of the file's name."""
    for value in reversed(list(item.data.values())):
        if isinstance(value, dict):
            for name in ("type", "category"):
                if isinstance(value.get(name), str):
                    return str(value[name])
    return _SORTS.get(str(item.scope()["file_type"]))


_SORTS = {
    "pdf": "pdf", "jpg": "image", "jpeg": "image", "png": "image", "tif": "image", "tiff": "image", "bmp": "image", "gif": "image",
    "txt": "text", "md": "text", "html": "text", "docx": "text", "csv": "text",
}  # fmt: skip


def _renamed(given: Any, names: dict[str, str]) -> Any:
    return {names.get(name, name): value for name, value in given.items()} if isinstance(given, dict) else given
