"""Executors as tests run them: over items, with everything in memory but what they are to show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from shared.declarations import settings_of
from shared.domains.pipelines.catalogue import executors
from shared.domains.pipelines.content import Content, content_id
from shared.domains.pipelines.executing import ContentError, Found, Run, Step
from shared.domains.pipelines.running import chain, perform
from shared.jobs.testing import MemoryApp


class MemoryFiles:
    """The bytes of items (`shared.domains.pipelines.executing.Files`)."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def save(self, data: bytes, name: str) -> str:
        reference = f"files/{len(self.kept)}/{name}"
        self.kept[reference] = data
        return reference

    async def load(self, reference: str) -> bytes:
        if reference not in self.kept:
            raise ContentError("no such file")
        return self.kept[reference]


class Bench:
    """What executors work with; its files, documents, containers and clock can be looked at."""

    def __init__(self, environ: dict[str, str] | None = None, **more: Any) -> None:
        app = MemoryApp()
        self.clock, self.documents, self.containers, self.files = (
            app.clock,
            app.documents,
            app.containers,
            MemoryFiles(),
        )
        self.run = Run(
            executor_id="step", pipeline="p", execution_id="x1", settings=settings_of(environ or {}), clock=self.clock,
            documents=self.documents, files=self.files, containers=self.containers, apply=self._apply, subpipeline=self._sub,
        )  # fmt: skip
        self.run = replace(self.run, **more)
        self.pipelines: dict[str, list[Step]] = {}

    async def do(self, name: str, settings: dict[str, Any] | None = None, *items: Content) -> list[Content]:
        """Run items through an executor. What fails raises."""
        step = executors()[name]
        return await perform(step, step.settings.model_validate(settings or {}), list(items), self.run)

    async def data(self, name: str, settings: dict[str, Any] | None = None, /, **data: Any) -> dict[str, Any]:
        """What an executor makes of the fields of one item."""
        (made,) = await self.do(name, settings, item(**data))
        return made.data

    async def find(self, name: str, settings: dict[str, Any] | None = None) -> list[Found]:
        """All that an input finds."""
        step = executors()[name]
        return [each async for each in step.run(step.settings.model_validate(settings or {}), self.run)]

    async def file(self, name: str, data: bytes, **metadata: Any) -> Content:
        """An item as a retriever leaves it."""
        made = item(name, **({"metadata": metadata} if metadata else {}))
        made.data["temp_file_path"] = await self.files.save(data, name)
        return made

    def needs(self, name: str, settings: dict[str, Any] | None = None) -> list[str]:
        """What an executor lacks here."""
        step = executors()[name]
        return list(step.needs(step.settings.model_validate(settings or {}), self.run.settings))

    async def _apply(self, steps: Sequence[Step], items: list[Content]) -> list[Content]:
        return await chain(steps, items, self.run)

    async def _sub(self, name: str, items: list[Content]) -> list[Content]:
        return await chain(self.pipelines[name], items, self.run)


def item(name: str = "a.txt", /, **data: Any) -> Content:
    """An item with these fields."""
    about = {"source_name": "test", "source_type": "local_file", "path": f"in/{name}", "filename": name}
    return Content(id=content_id(f"test://{name}", **about), data=data)
