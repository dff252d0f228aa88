"""Pipelines as tests run them: in memory, with the real engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.declarations import settings_of
from shared.domains.pipelines.catalogue import executors
from shared.domains.pipelines.checking import check
from shared.domains.pipelines.content import Content, content_id
from shared.domains.pipelines.crawling import reschedule
from shared.domains.pipelines.executions import Begin, Execution, Executions
from shared.domains.pipelines.kept import load
from shared.domains.pipelines.kinds import crawl_vault, process_content, watch_vaults
from shared.domains.pipelines.store import PipelineStore, StoredPipeline
from shared.domains.pipelines.vaults import Vault, VaultStore
from shared.domains.pipelines.workflows import EXECUTION
from shared.jobs import Job
from shared.jobs.kinds import Kind
from shared.jobs.testing import MemoryApp
from shared.workflows.keeping import Keeper
from shared.workflows.record import Record, StepState, name_of


class Pipes:
    """An app in memory with pipelines."""

    def __init__(self, *kinds: Kind[Any], environ: Mapping[str, str] | None = None) -> None:
        self.settings = settings_of(dict(environ or {}))
        self.app = MemoryApp(EXECUTION, process_content, crawl_vault, watch_vaults, *kinds, settings=self.settings)

    @property
    def store(self) -> PipelineStore:
        """The pipelines."""
        return PipelineStore(self.app.documents, self.settings)

    @property
    def executions(self) -> Executions:
        """The executions."""
        return Executions(self.app.documents, self.app.blobs, self.settings, self.app.engine.submit)

    async def pipeline(self, text: str, id: str = "p", name: str | None = None, **about: Any) -> StoredPipeline:
        """Make, or change, a pipeline."""
        checked = check(text, self.settings)
        assert not checked.errors, [each.line(id) for each in checked.errors]
        definition = checked.definition(name)
        first = definition.pipeline.first[0]
        if first.type in executors() and executors()[first.type].shape == "input":
            about.setdefault("input_executor", first.id)
        before = await self.store.get(id)
        now = self.app.clock.now()
        made = StoredPipeline(
            id=id, name=definition.main, text=text, main=definition.main, version=0, definition="", created_at=now, updated_at=now,
            **about,
        )  # fmt: skip
        return (await self.store.save(made, definition, before)).value

    @property
    def vaults(self) -> VaultStore:
        """The vaults."""
        return VaultStore(self.app.documents, self.settings)

    async def vault(self, id: str = "v", **about: Any) -> Vault:
        """Make a vault, or change it; it is looked at at once."""
        now, before = self.app.clock.now(), await self.vaults.get(id)
        known = before.value.model_dump() if before else {"name": id, "pipeline_id": "p", "created_at": now}
        await self.vaults.write(Vault.model_validate({**known, "id": id, "updated_at": now, **about}), before)
        await reschedule(self.app.engine.submit, self.vaults, [id], now)
        found = await self.vaults.get(id)
        assert found
        return found.value

    async def executed(self) -> list[str]:
        """The files of all executions that were begun, in alphabetical order."""
        page = await self.executions.page(10_000, None)
        return sorted(str(each["filename"]) for each in page.items)

    async def begin(self, pipeline: StoredPipeline, *items: Content, id: str = "e", **about: Any) -> Execution:
        """Begin an execution; nothing runs yet."""
        begun, _ = await self.executions.begin(
            Begin(id=id, pipeline=pipeline, items=items, **about), self.app.clock.now()
        )
        return begun

    async def execute(self, pipeline: StoredPipeline, *items: Content, id: str = "e", **about: Any) -> Job:
        """Execute a pipeline to the end."""
        begun = await self.begin(pipeline, *items, id=id, **about)
        return await self.app.ended(begun.job_id)

    async def steps(self, execution: str = "e") -> dict[str, StepState]:
        """The steps of an execution."""
        found = await self.executions.get(execution)
        assert found
        blob = await self.app.blobs.read(name_of(found.job_id))
        assert blob
        return Record.model_validate_json(blob.data).steps

    async def out(self, step: str, execution: str = "e") -> list[Content]:
        """The items that came out of a step."""
        state = (await self.steps(execution))[step]
        assert state.result, state
        result = await Keeper(self.app.blobs).load(state.result)
        return await load(self.app.blobs, result["items"])


def item(name: str = "a.txt", **data: Any) -> Content:
    """A content item."""
    return Content(id=content_id(f"test:{name}", filename=name), data=data)
