"""Executors: what a pipeline is made of. Declared by one decorated function, found where `executors/*.py` defines them.

Three sorts, by what a function takes and gives::

    @executor("pdf_extractor", settings=PdfSettings, category="extract", example={"max_pages": 10})
    async def pdf_extractor(item: Content, settings: PdfSettings, run: Run) -> Content | list[Content]:
        ...one item: it is changed and given back, or made into others

    @list_executor("batch_aggregator", settings=BatchSettings, category="transform")
    async def batch_aggregator(items: list[Content], settings: BatchSettings, run: Run) -> list[Content]:
        ...all items that come in together

    @input_executor("rss_input", settings=RssSettings)
    async def rss_input(settings: RssSettings, run: Run) -> AsyncIterator[Found]:
        ...yields all that is there; what is new of it the crawl finds out, and so `max_results` counts

The first line of a function's docstring is what the reference says of it. What an executor raises fails its item; a `FinalError` (as
`ContentError` is) says that trying again does not help, and its message is shown to users. Everything else is common to all and done once, by
`shared.domains.pipelines.running`: `enabled`, `condition`, concurrency, time limits, errors.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, ClassVar, Generic, Literal, NamedTuple, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, model_validator

from shared.domains.pipelines.content import Content
from shared.jobs import FinalError
from shared.ports import Clock, Containers, DocumentStore
from shared.settings import Settings

LOG = logging.getLogger("nightshift.pipelines")
Category = Literal["input", "extract", "transform", "analyse", "control", "document_set", "output"]
Shape = Literal["item", "list", "input"]


class ContentError(FinalError):
    """This content cannot be processed, however often one tries."""


class ExecutorSettings(BaseModel):
    """The settings that every executor has."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    ignored: ClassVar[frozenset[str]] = frozenset()
    """Settings that pipelines of the original write and nothing ever read: taken, and without effect."""

    enabled: bool = Field(True, description="Whether the executor does anything; where not, items pass through it.")
    condition: str | None = Field(
        None,
        description="Only items for which this holds are processed; others pass through.",
        examples=["metadata['type'] == 'invoice'"],
    )
    fail_pipeline_on_error: bool = Field(
        True,
        description="Whether the execution fails where an item does; where not, the item passes through as it came.",
    )
    debug_mode: bool = Field(False, description="Whether a line is logged for each item.")

    @model_validator(mode="before")
    @classmethod
    def _without_ignored(cls, given: Any) -> Any:
        if isinstance(given, dict) and cls.ignored:
            return {name: value for name, value in given.items() if name not in cls.ignored}
        return given

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """The schema for editors: what has no effect is taken, and marked as deprecated."""
        made = handler.resolve_ref_schema(handler(schema))
        without = {"deprecated": True, "description": "Taken, and without effect."}
        made["properties"] = {**made.get("properties", {}), **dict.fromkeys(sorted(cls.ignored), without)}
        return made


class ItemSettings(ExecutorSettings):
    """The settings of executors that take one item at a time."""

    max_concurrent: int = Field(3, ge=1, le=100, description="Most items at a time.")
    timeout_secs: float = Field(300, gt=0, description="Seconds after which an item has failed.")
    continue_on_error: bool = Field(
        True,
        description="Whether the other items are still processed when one fails. Whether the execution then fails, `fail_pipeline_on_error` says.",
    )


class InputSettings(ExecutorSettings):
    """The settings of executors that find content."""

    polling_interval_seconds: int | None = Field(
        None, ge=1, le=86_400, description="Seconds between two looks; unset: `DEFAULT_POLLING_INTERVAL_SECONDS`."
    )
    max_results: int = Field(
        0, ge=0, description="Most new items of one look; the others are found by the next ones. 0: no limit."
    )


class Step(BaseModel):
    """An executor inside of another's settings: `for_each_content` has a chain of them."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    id: str = Field(min_length=1, max_length=100)
    type: str
    settings: dict[str, Any] = Field(default_factory=dict)


class NamesPipeline:
    """Marks a setting that names a pipeline."""


PipelineName = Annotated[str, Field(min_length=1, max_length=200), NamesPipeline()]
"""A setting that names another pipeline of the same file: validation sees that it is there."""

S = TypeVar("S", bound=ExecutorSettings)
S_contra = TypeVar("S_contra", bound=ExecutorSettings, contravariant=True)


class Found(NamedTuple):
    """An item that an input executor found. `content.id` tells versions apart: `unique_id` is another one for each."""

    content: Content
    changed_at: datetime | None = None
    """When the source says that it changed; None where it does not say."""


class Files(Protocol):
    """The bytes of content, kept beside the items until the execution's record goes.

    One executor may run in another process than the next: the path of a temporary file would name nothing there.
    """

    async def save(self, data: bytes, name: str) -> str:
        """Keep bytes, and return the reference that a field may hold."""
        ...

    async def load(self, reference: str) -> bytes:
        """Return the bytes; ContentError where there are none by this reference."""
        ...


@dataclass(frozen=True)
class Run:
    """What an executor may use beside its items and settings."""

    executor_id: str
    """The id that it has in its pipeline."""
    pipeline: str
    """The pipeline's name."""
    execution_id: str
    settings: Settings
    clock: Clock
    documents: DocumentStore
    files: Files
    containers: Containers
    apply: Callable[[Sequence[Step], list[Content]], Awaitable[list[Content]]]
    """Runs items through a chain of executors, here and now."""
    subpipeline: Callable[[str, list[Content]], Awaitable[list[Content]]]
    """Runs items through another pipeline of the same file, here and now."""
    inputs: Mapping[str, list[Content]] = field(default_factory=dict)
    """The items by the executor that they came from, for those that join branches."""
    since: datetime | None = None
    """For input executors: what did not change since is known, and may be left out. None: everything is asked for."""
    dry: bool = False
    """Whether this is a dry run, in which nothing may be written. Executors of the category `output` are left out of one."""
    log: logging.Logger | logging.LoggerAdapter[logging.Logger] = LOG


@dataclass(frozen=True)
class Executor(Generic[S]):
    """An executor as it is declared."""

    name: str
    """What pipelines have as its `type`."""
    settings: type[S]
    run: Callable[..., Any]
    shape: Shape
    category: Category
    aliases: tuple[str, ...] = ()
    """Other names for the same."""
    example: Mapping[str, Any] = field(default_factory=dict)
    """Settings that show what it is for; they validate."""
    needs: Callable[[S, Settings], Sequence[str]] = lambda _, __: ()
    """What is missing for it to work, a sentence each, naming the setting: told at validation."""

    @property
    def summary(self) -> str:
        """What it does, in a line."""
        return (self.run.__doc__ or "").strip().partition("\n")[0]

    @property
    def description(self) -> str:
        """What it does, whole."""
        return (self.run.__doc__ or "").strip()


class _ItemFunction(Protocol[S_contra]):
    async def __call__(self, item: Content, settings: S_contra, run: Run, /) -> Content | list[Content]: ...


class _ListFunction(Protocol[S_contra]):
    async def __call__(self, items: list[Content], settings: S_contra, run: Run, /) -> list[Content]: ...


class _InputFunction(Protocol[S_contra]):
    def __call__(self, settings: S_contra, run: Run, /) -> AsyncIterator[Found]: ...


def executor(
    name: str,
    *,
    settings: type[S],
    category: Category,
    aliases: tuple[str, ...] = (),
    example: Mapping[str, Any] | None = None,
    needs: Callable[[S, Settings], Sequence[str]] = lambda _, __: (),
) -> Callable[[_ItemFunction[S]], Executor[S]]:
    """Declare an executor that takes one item at a time; its settings extend `ItemSettings` where it may take many at once."""
    return lambda run: Executor(name, settings, run, "item", category, aliases, example or {}, needs)


def list_executor(
    name: str,
    *,
    settings: type[S],
    category: Category,
    aliases: tuple[str, ...] = (),
    example: Mapping[str, Any] | None = None,
    needs: Callable[[S, Settings], Sequence[str]] = lambda _, __: (),
) -> Callable[[_ListFunction[S]], Executor[S]]:
    """Declare an executor that takes all items that come in together."""
    return lambda run: Executor(name, settings, run, "list", category, aliases, example or {}, needs)


def input_executor(
    name: str,
    *,
    settings: type[S],
    aliases: tuple[str, ...] = (),
    example: Mapping[str, Any] | None = None,
    needs: Callable[[S, Settings], Sequence[str]] = lambda _, __: (),
) -> Callable[[_InputFunction[S]], Executor[S]]:
    """Declare an executor that finds content; its settings extend `InputSettings`."""
    return lambda run: Executor(name, settings, run, "input", "input", aliases, example or {}, needs)
