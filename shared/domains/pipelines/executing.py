"""Executors: what a step of a pipeline does. A module of `shared.domains.pipelines.executors` declares them, and they are found.

    @executor("pass_through", settings=PassThroughSettings, category="control", example={})
    async def pass_through(item: Content, settings: PassThroughSettings, ctx: Context) -> Content:
        \"\"\"Hand items on as they are.\"\"\"
        return item

Three shapes: most take one item and make one of it, or several; some need all the items of the steps before them (`gathering`); and
inputs find items (`finding`). Each has typed settings, whose descriptions are its page of reference.
"""

from __future__ import annotations

import hashlib
import importlib
import inspect
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cache
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.domains.pipelines.content import Content
from shared.ports import AlreadyExistsError

if TYPE_CHECKING:
    import logging

    from pydantic import GetJsonSchemaHandler
    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema

    from shared.ports import BlobStore, Clock, DocumentStore
    from shared.settings import Settings

_PACKAGE = "shared.domains.pipelines.executors"


class ExecutorError(Exception):
    """A step cannot do its work on this item, and no retry changes that. The message is for the pipeline's author."""


class ExecutorUnavailableError(ExecutorError):
    """What a step needs does not answer now: a later try may succeed."""

    def __init__(self, detail: str = "", retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after = retry_after
        """Seconds that it asked to be left alone, if it said so."""


class ExecutorTwiceError(ValueError):
    """Two executors have one id."""


class Common(BaseModel):
    """The settings that every executor has."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    unused: ClassVar[frozenset[str]] = frozenset()
    """Settings that pipelines of the original write and nothing ever read: taken, and without effect."""

    enabled: bool = Field(default=True, description="Off: items pass by this step untouched.")
    condition: str | None = Field(
        default=None,
        description="Items for which it does not hold pass by untouched.",
        examples=["metadata['type'] == \"invoice\""],
    )
    fail_pipeline_on_error: bool = Field(
        default=True, description="Whether an item that fails here ends its execution; else it goes on as it came."
    )
    debug_mode: bool = Field(default=False, description="Log each item of this step.")

    @model_validator(mode="before")
    @classmethod
    def _without_unused(cls, given: Any) -> Any:
        if isinstance(given, Mapping):
            return {name: value for name, value in given.items() if name not in cls.unused or name in cls.model_fields}
        return given

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The schema for editors: what has no effect is taken, and marked as deprecated."""
        made = handler.resolve_ref_schema(handler(schema))
        without = {"deprecated": True, "description": "Taken, and without effect."}
        made["properties"] = {**made.get("properties", {}), **dict.fromkeys(sorted(cls.unused), without)}
        return made

    def lacks(self, settings: Settings) -> Iterable[str]:  # noqa: ARG002 - what most need not look at
        """What is missing for this step to run here, each in a line that names the setting or the service."""
        return ()

    def notes(self, settings: Settings) -> Iterable[str]:  # noqa: ARG002 - what most need not look at
        """What its author should know of how it runs here: that a built-in stands in for a service, say."""
        return ()


class Each(Common):
    """The settings of what works on several items at once."""

    max_concurrent: int = Field(default=3, ge=1, le=50, description="How many items are worked on at a time.")
    timeout_secs: float = Field(default=300, ge=1, description="Longest time for one item. Unit: seconds.")
    continue_on_error: bool = Field(
        default=True, description="Whether the other items go on where one fails, which is then marked as failed."
    )


class Shape(StrEnum):
    """What an executor is given, and what it makes of it."""

    ITEM = "item"
    """One item; makes one of it, or several."""
    SET = "set"
    """All the items of the steps before; makes others of them."""
    INPUT = "input"
    """Nothing, or one item that tells where to look; finds items."""


S = TypeVar("S", bound=Common)
C_contra = TypeVar("C_contra", bound=Common, contravariant=True)
ItemRun = Callable[[Content, S, "Context"], Awaitable[Content | list[Content]]]
SetRun = Callable[[list[Content], S, "Context"], Awaitable[list[Content]]]


class Finder(Protocol[C_contra]):
    """The function of an input."""

    def __call__(
        self, settings: C_contra, ctx: Context, since: datetime | None, item: Content | None = None
    ) -> AsyncIterator[Content]:
        """Find items.

        Args:
            settings: the step's settings. What filters goes before what limits.
            ctx: what it may use.
            since: only what changed at that moment or later, where the source knows; None for all.
            item: where the input stands in the middle of a pipeline, what came to it.
        """
        ...


@dataclass(frozen=True, eq=False)
class Executor:
    """A declared executor."""

    id: str
    settings: type[Common]
    category: str
    shape: Shape
    run: Callable[..., Any] = field(repr=False)
    example: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Settings as a pipeline may write them."""
    also: tuple[str, ...] = ()
    """Other ids that pipelines know it by."""

    @property
    def summary(self) -> str:
        """What it does, in a sentence."""
        return (inspect.getdoc(self.run) or "").partition("\n\n")[0].replace("\n", " ")

    @property
    def details(self) -> str:
        """The rest of what is said of it."""
        return (inspect.getdoc(self.run) or "").partition("\n\n")[2]


class Files(Protocol):
    """Where the bytes of items are while they flow: an item holds a reference."""

    async def put(self, data: bytes, name: str) -> str:
        """Keep bytes, and return their reference. The same bytes under the same name are kept once."""
        ...

    async def get(self, reference: str) -> bytes:
        """The bytes of a reference; ExecutorError where there are none, or where it is none of this execution's."""
        ...


@dataclass(frozen=True)
class Context:
    """What an executor may use."""

    executor_id: str
    """The step's id in its pipeline."""
    settings: Settings
    """The app's settings."""
    documents: DocumentStore
    clock: Clock
    files: Files
    log: logging.Logger | logging.LoggerAdapter[Any]
    execution_id: str = ""
    pipeline: str = ""
    last_attempt: bool = True
    """Whether nobody tries this step again if it fails."""
    dry_run: bool = False
    """Whether outputs write nothing, and say in the item's summary what they would have written."""


class BlobFiles:
    """Bytes beside an execution's records, in the app's container; they go with the artifacts' retention."""

    def __init__(self, blobs: BlobStore, prefix: str) -> None:
        self._blobs = blobs
        self._prefix = prefix

    async def put(self, data: bytes, name: str) -> str:
        """Keep bytes under a name that derives from them: put twice, by an attempt that is repeated, they are one blob."""
        safe = re.sub(r"[^\w.-]+", "_", name.rsplit("/", 1)[-1])[-80:] or "file"
        reference = f"{self._prefix}{hashlib.sha256(data).hexdigest()[:32]}/{safe}"
        with suppress(AlreadyExistsError):
            await self._blobs.create(reference, data)
        return reference

    async def get(self, reference: str) -> bytes:
        """The bytes; only of what this execution has put."""
        found = await self._blobs.read(reference) if reference.startswith(self._prefix) else None
        if found is None:
            raise ExecutorError("the file of this item is gone; retrieve its content again")
        return found.data


def executor(
    id: str, *, settings: type[S], category: str, example: Mapping[str, Any], also: Sequence[str] = ()
) -> Callable[[ItemRun[S]], Executor]:
    """Declare an executor that works on one item. Its docstring is its page of reference."""
    return lambda run: Executor(id, settings, category, Shape.ITEM, run, example, tuple(also))


def gathering(
    id: str, *, settings: type[S], category: str, example: Mapping[str, Any], also: Sequence[str] = ()
) -> Callable[[SetRun[S]], Executor]:
    """Declare an executor that needs all the items of the steps before it."""
    return lambda run: Executor(id, settings, category, Shape.SET, run, example, tuple(also))


def finding(
    id: str, *, settings: type[S], category: str, example: Mapping[str, Any], also: Sequence[str] = ()
) -> Callable[[Finder[S]], Executor]:
    """Declare an input: an async generator of what it finds."""
    return lambda run: Executor(id, settings, category, Shape.INPUT, run, example, tuple(also))


@cache
def executors() -> Mapping[str, Executor]:
    """All executors by their ids, other ids too.

    Raises:
        ExecutorTwiceError: two have one id.
    """
    package = importlib.import_module(_PACKAGE)
    modules = [importlib.import_module(f"{_PACKAGE}.{each.name}") for each in iter_modules(package.__path__)]
    declared = dict.fromkeys(each for module in modules for each in vars(module).values() if isinstance(each, Executor))
    found: dict[str, Executor] = {}
    for one in declared:
        for name in (one.id, *one.also):
            if found.setdefault(name, one) is not one:
                raise ExecutorTwiceError(f"two executors are called {name!r}")
    return found
