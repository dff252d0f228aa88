"""Executions: pipelines run as workflows, each item by reference, pinned to their version."""

from __future__ import annotations

from typing import Any

import pytest

from shared.domains.pipelines.catalogue import executors
from shared.domains.pipelines.content import Content
from shared.domains.pipelines.executing import ContentError, Executor, ItemSettings, Run
from shared.domains.pipelines.kinds import process_content
from shared.domains.pipelines.tasks import ContentProcessingTask
from shared.jobs import Status
from shared.workflows.record import State
from support.pipelines import Pipes, item

CHAIN = """
executors:
  - {id: first, type: pass_through}
  - {id: second, type: probe}
  - {id: index, type: pass_through}
"""
FORKED = """
pipeline:
  name: forked
  executors:
    - {id: read, type: probe}
    - {id: process_pdf, type: probe}
    - {id: process-image, type: probe}
    - {id: process_text, type: probe}
    - {id: all, type: probe}
  edges:
    - from: read
      to:
        - {target: process_pdf, condition: "document.metadata.get('file_type') == 'pdf'"}
        - {target: process-image, condition: "document.metadata.get('file_type') in ['jpg', 'png']"}
        - {target: process_text, condition: "file_type == 'txt'"}
    - {from: [process_pdf, process-image, process_text], to: all, type: join, wait_strategy: all}
"""


class Probe:
    """An executor that notes what it does, and fails when it is told to."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.broken: dict[str, int] = {}
        self.error: Exception = ValueError("broken")

    async def __call__(self, item: Content, settings: ItemSettings, run: Run) -> Content:
        self.seen.append(f"{run.executor_id}:{item.id.filename}")
        if self.broken.get(run.executor_id, 0) > 0:
            self.broken[run.executor_id] -= 1
            raise self.error
        item.data["way"] = [*item.data.get("way", []), run.executor_id]
        return item


@pytest.fixture
def probe(monkeypatch: pytest.MonkeyPatch) -> Probe:
    made = Probe()
    declared: Executor[Any] = Executor("probe", ItemSettings, made, "item", "transform")
    monkeypatch.setattr("shared.domains.pipelines.catalogue.executors", lambda: {**executors(), "probe": declared})
    for module in ("entries", "inline", "running"):
        monkeypatch.setattr(f"shared.domains.pipelines.{module}.executors", lambda: {**executors(), "probe": declared})
    return made


async def test_an_item_goes_through_a_chain(probe: Probe) -> None:
    pipes = Pipes()
    job = await pipes.execute(await pipes.pipeline(CHAIN), item("a.pdf", text="x"))
    assert job.status is Status.COMPLETED
    (out,) = await pipes.out("index.2")
    assert [log.executor_id for log in out.executor_logs] == ["first", "second", "index"]
    assert out.data == {"text": "x", "way": ["second"]}


async def test_items_take_the_edges_whose_conditions_hold_and_meet_again(probe: Probe) -> None:
    pipes = Pipes()
    job = await pipes.execute(await pipes.pipeline(FORKED), item("a.pdf"), item("b.png"), item("c.jpg"))
    assert job.status is Status.COMPLETED
    steps = await pipes.steps()
    assert {name: step.state for name, step in steps.items()} == {
        "read": State.COMPLETED, "process_pdf": State.COMPLETED, "process-image": State.COMPLETED,
        "process_text": State.SKIPPED, "all": State.COMPLETED,
    }  # fmt: skip
    assert sorted(probe.seen) == [
        "all:a.pdf", "all:b.png", "all:c.jpg", "process-image:b.png", "process-image:c.jpg", "process_pdf:a.pdf",
        "read:a.pdf", "read:b.png", "read:c.jpg",
    ]  # fmt: skip


async def test_a_failed_executor_is_tried_again_so_often_as_the_task_says(probe: Probe) -> None:
    pipes = Pipes()
    pipeline = await pipes.pipeline(CHAIN)
    probe.broken["second"] = 2
    job = await pipes.execute(pipeline, item(), max_retries=2)
    assert (job.status, len(probe.seen)) == (Status.COMPLETED, 3)
    probe.seen.clear()
    probe.broken["second"] = 2
    job = await pipes.execute(pipeline, item(), id="e2", max_retries=1)
    assert (job.status, len(probe.seen)) == (Status.FAILED, 2)
    probe.seen.clear()
    probe.broken["second"] = 1
    job = await pipes.execute(pipeline, item(), id="e3", max_retries=0)
    assert (job.status, len(probe.seen)) == (Status.FAILED, 1)


async def test_what_no_retry_mends_is_not_tried_again_and_told_in_words(probe: Probe) -> None:
    pipes = Pipes()
    probe.broken["second"], probe.error = 5, ContentError("the file is encrypted")
    job = await pipes.execute(await pipes.pipeline(CHAIN), item())
    assert len(probe.seen) == 1
    assert job.error is not None
    assert "the file is encrypted" in job.error.message


async def test_an_execution_keeps_to_the_version_that_it_was_begun_with(probe: Probe) -> None:
    pipes = Pipes()
    begun = await pipes.begin(await pipes.pipeline(CHAIN), item())
    await pipes.pipeline(CHAIN.replace("probe", "pass_through"))
    assert (await pipes.app.ended(begun.job_id)).status is Status.COMPLETED
    assert probe.seen == ["second:a.txt"]
    current = await pipes.store.get("p")
    assert current
    assert current.value.version == 2
    assert [each["number"] for each in await pipes.store.versions("p")] == [2, 1]


async def test_large_items_go_by_reference(probe: Probe) -> None:
    pipes = Pipes()
    rows = [item(f"{n}.txt", text="x" * 1000) for n in range(300)]
    job = await pipes.execute(await pipes.pipeline(CHAIN), *rows)
    assert job.status is Status.COMPLETED
    assert len(await pipes.out("second")) == 300
    records = [name for name in pipes.app.blobs.names() if name.endswith("status.json")]
    for name in records:
        blob = await pipes.app.blobs.read(name)
        assert blob
        assert len(blob.data) < 16_384, name


TASK = {
    "task_id": "task_abc123", "task_type": "content_processing", "pipeline_id": "p", "pipeline_name": "Document Processing",
    "execution_id": "exec_123", "content_id": "content_456", "content_data": {"text": "Sample content"},
    "executed_input_executor": "first", "priority": "normal", "max_retries": 3,
}  # fmt: skip


@pytest.mark.parametrize("form", [TASK, {"task_type": "content_processing", "payload": TASK}])
async def test_a_task_is_one_execution_without_the_executor_that_ran(probe: Probe, form: dict[str, Any]) -> None:
    pipes = Pipes()
    await pipes.pipeline(CHAIN)
    task = ContentProcessingTask.model_validate(form)
    first = await pipes.app.perform(process_content, task)
    again = await pipes.app.perform(process_content, task)
    assert isinstance(first.results, dict)
    assert isinstance(again.results, dict)
    assert (first.results["new"], again.results["new"]) == (True, False)
    assert (await pipes.app.ended(str(first.results["job_id"]))).status is Status.COMPLETED
    assert set(await pipes.steps("exec_123")) == {"second", "index.2"}
    assert probe.seen == ["second:None"]


async def test_a_task_for_nothing_ends_in_the_vault_with_words(probe: Probe) -> None:
    pipes = Pipes()
    job = await pipes.app.perform(process_content, ContentProcessingTask.model_validate(TASK))
    assert (job.status, job.error and job.error.message) == (Status.FAILED, "there is no pipeline p")
    await pipes.pipeline(CHAIN, enabled=False)
    job = await pipes.app.perform(process_content, ContentProcessingTask.model_validate(TASK))
    assert job.error is not None
    assert "switched off" in job.error.message
