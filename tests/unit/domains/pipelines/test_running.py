"""What is common to all executors: condition, concurrency, time limits, errors, logs."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from shared.domains.pipelines.catalogue import executors
from shared.domains.pipelines.content import NAMES, Content, content_id
from shared.domains.pipelines.executing import (
    ContentError,
    Executor,
    ExecutorSettings,
    ItemSettings,
    Run,
    Step,
    executor,
    list_executor,
)
from shared.domains.pipelines.running import chain, perform
from shared.jobs import JobCancelledError
from shared.jobs.testing import MemoryApp
from shared.settings import load


def items(*names: str) -> list[Content]:
    return [Content(id=content_id(f"file:{name}", filename=name), data={"n": n}) for n, name in enumerate(names)]


def run(**about: Any) -> Run:
    app = MemoryApp()

    async def none(*_: Any) -> list[Content]:
        raise AssertionError

    return Run(
        executor_id="it", pipeline="p", execution_id="e", settings=load({}), clock=app.clock, documents=app.documents,
        files=about.pop("files", None), containers=app.containers, apply=none, subpipeline=none, **about,
    )  # fmt: skip


@executor("doubler", settings=ItemSettings, category="transform")
async def doubler(item: Content, settings: ItemSettings, run: Run) -> Content:
    """Double n."""
    if item.data["n"] == 1:
        raise ContentError("one cannot be doubled")
    item.data["n"] *= 2
    return item


@executor("splitter", settings=ItemSettings, category="transform")
async def splitter(item: Content, settings: ItemSettings, run: Run) -> list[Content]:
    """Make two of one."""
    return [item.child("a", {"n": 1}), item.child("b", {"n": 2}, page=3)]


@list_executor("joiner", settings=ExecutorSettings, category="output")
async def joiner(items: list[Content], settings: ExecutorSettings, run: Run) -> list[Content]:
    """Make one of all."""
    return [items[0].model_copy(update={"data": {"n": sum(item.data["n"] for item in items)}})]


def numbers(found: list[Content]) -> list[int]:
    return [item.data["n"] for item in found]


async def test_an_item_that_fails_fails_the_execution_or_passes_through_as_it_came() -> None:
    with pytest.raises(ContentError, match="one cannot be doubled"):
        await perform(doubler, ItemSettings(), items("a", "b", "c"), run())
    found = await perform(doubler, ItemSettings(fail_pipeline_on_error=False), items("a", "b", "c"), run())
    assert numbers(found) == [0, 1, 4]
    assert [item.failed for item in found] == [False, True, False]
    assert found[1].executor_logs[0].errors == ["one cannot be doubled"]


async def test_after_an_error_the_others_are_done_or_left() -> None:
    settings = ItemSettings(max_concurrent=1, continue_on_error=False, fail_pipeline_on_error=False)
    found = await perform(doubler, settings, items("a", "b", "c"), run())
    assert [item.executor_logs[0].status for item in found] == ["completed", "failed", "skipped"]
    assert numbers(found) == [0, 1, 2]


async def test_what_a_condition_does_not_hold_for_passes_through() -> None:
    settings = ItemSettings(condition="n > 1 and metadata.get('file_type') in ['pdf']")
    found = await perform(doubler, settings, items("a.pdf", "b.pdf", "c.txt", "d.pdf"), run())
    assert numbers(found) == [0, 1, 2, 6]
    assert [item.executor_logs[0].status for item in found] == ["skipped", "skipped", "skipped", "completed"]


async def test_a_disabled_executor_and_an_output_of_a_dry_run_do_nothing() -> None:
    assert numbers(await perform(doubler, ItemSettings(enabled=False), items("a", "b"), run())) == [0, 1]
    assert numbers(await perform(joiner, ExecutorSettings(), items("a", "b"), run(dry=True))) == [0, 1]
    assert numbers(await perform(joiner, ExecutorSettings(), items("a", "b"), run())) == [1]


async def test_a_list_executor_gets_what_its_condition_holds_for() -> None:
    found = await perform(joiner, ExecutorSettings(condition="n != 1"), items("a", "b", "c"), run())
    assert numbers(found) == [2, 1]
    assert numbers(await perform(joiner, ExecutorSettings(condition="n > 7"), items("a"), run())) == [0]


async def test_so_many_items_at_a_time_and_none_for_longer_than_it_may() -> None:
    most = at_work = 0

    async def slow(item: Content, settings: ItemSettings, run: Run) -> Content:
        nonlocal most, at_work
        at_work += 1
        most = max(most, at_work)
        await asyncio.sleep(30 if item.data["n"] == 4 else 0.001)
        at_work -= 1
        return item

    settings = ItemSettings(max_concurrent=2, timeout_secs=0.2, fail_pipeline_on_error=False)
    declared: Executor[ItemSettings] = Executor("slow", ItemSettings, slow, "item", "transform")
    found = await perform(declared, settings, items("a", "b", "c", "d", "e"), run())
    assert most == 2
    assert found[4].executor_logs[0].errors == ["took too long"]


async def test_a_cancelled_job_is_no_failed_item() -> None:
    async def cancelled(item: Content, settings: ItemSettings, run: Run) -> Content:
        raise JobCancelledError

    declared: Executor[ItemSettings] = Executor("cancelled", ItemSettings, cancelled, "item", "transform")
    with pytest.raises(JobCancelledError):
        await perform(declared, ItemSettings(fail_pipeline_on_error=False), items("a"), run())


async def test_other_errors_are_told_by_their_sort_alone() -> None:
    async def leaky(item: Content, settings: ItemSettings, run: Run) -> Content:
        raise KeyError("ann@example.com")

    declared: Executor[ItemSettings] = Executor("leaky", ItemSettings, leaky, "item", "transform")
    found = await perform(declared, ItemSettings(fail_pipeline_on_error=False), items("a"), run())
    assert found[0].executor_logs[0].errors == ["KeyError"]


async def test_children_keep_where_they_come_from() -> None:
    found = await perform(splitter, ItemSettings(), items("a", "b"), run())
    assert [item.id.canonical_id for item in found] == ["file:a#a", "file:a#b", "file:b#a", "file:b#b"]
    assert found[1].id.metadata == {"parent_id": "file:a", "page": 3}
    assert len({item.id.unique_id for item in found}) == 4


async def test_a_chain_runs_its_steps_and_refuses_what_is_none() -> None:
    through = [Step(id="one", type="pass_through"), Step(id="two", type="pass_through_executor")]
    found = await chain(through, items("a"), run())
    assert [log.executor_id for log in found[0].executor_logs] == ["it.one", "it.two"]
    with pytest.raises(ContentError, match="no executor 'nothing'"):
        await chain([Step(id="one", type="nothing")], items("a"), run())
    with pytest.raises(ContentError, match="one: speed: Extra inputs"):
        await chain([Step(id="one", type="pass_through", settings={"speed": 1})], items("a"), run())


def test_fields_by_path_and_the_names_of_conditions() -> None:
    item = items("Report.PDF")[0]
    item.put("out.sheets", [{"name": "x", "table": [1]}, {"name": "y"}])
    assert item.get("out.sheets.0.table") == [1]
    assert item.get("out.sheets.name") == ["x", "y"]
    assert item.get("out.sheets.7.name", "none") == "none"
    with pytest.raises(ValueError, match="no object"):
        item.put("out.sheets.name", 1)
    scope = item.scope()
    assert scope.keys() >= set(NAMES)
    assert scope["document"]["metadata"]["file_type"] == scope["file_type"] == "pdf"
    assert scope["document"]["n"] == scope["n"] == scope["data"]["n"] == 0


def test_every_executor_says_what_it_does_and_its_example_is_valid() -> None:
    for name, each in executors().items():
        assert each.summary, name
        each.settings.model_validate(dict(each.example))
