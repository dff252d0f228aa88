"""Executors as tests run them: over items, with everything in memory but what they are to show."""

from __future__ import annotations

import logging
from typing import Any

from shared.declarations import settings_of
from shared.domains.pipelines.content import Content, content_id
from shared.domains.pipelines.executing import BlobFiles, Context, executors
from shared.domains.pipelines.running import apply
from shared.jobs.testing import FakeClock
from shared.jobs.testing.memory import MemoryBlobs, MemoryDocuments


class Bench:
    """What executors work with; its files, documents and clock can be looked at."""

    def __init__(self, environ: dict[str, str] | None = None, **more: Any) -> None:
        self.clock = FakeClock()
        self.blobs = MemoryBlobs(self.clock)
        self.documents = MemoryDocuments(self.clock)
        self.context = Context(
            executor_id="step",
            settings=settings_of(environ or {}),
            documents=self.documents,
            clock=self.clock,
            files=BlobFiles(self.blobs, "pipelines/x1/files/"),
            log=logging.getLogger("nightshift.pipelines"),
            execution_id="x1",
            **{"pipeline": "p", **more},
        )

    async def run(self, id: str, settings: dict[str, Any] | None = None, *items: Content) -> list[Content]:
        """Run a step over items."""
        step = executors()[id]
        return await apply(step, items, step.settings.model_validate(settings or {}), self.context)

    async def file(self, name: str, data: bytes, **metadata: Any) -> Content:
        """An item as a retriever leaves it."""
        made = item(name, **({"metadata": metadata} if metadata else {}))
        made.data["temp_file_path"] = await self.context.files.put(data, name)
        return made


def item(name: str = "a.txt", **data: Any) -> Content:
    """An item with these fields."""
    known = {"source_name": "test", "source_type": "local_file", "path": f"in/{name}", "filename": name}
    return Content(id=content_id(f"test://{name}", **known), data=data)


def strict(id: str, settings: dict[str, Any] | None = None) -> dict[str, Any]:
    """Settings under which a failure is raised."""
    more = {"continue_on_error": False} if "continue_on_error" in executors()[id].settings.model_fields else {}
    return {**more, **(settings or {})}
