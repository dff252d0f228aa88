"""Running a step over items: whom it is for, and what becomes of what fails."""

from __future__ import annotations

import asyncio

import pytest

from shared.domains.pipelines.content import Content
from shared.domains.pipelines.executing import (
    BlobFiles,
    Common,
    Context,
    Each,
    Executor,
    ExecutorError,
    ExecutorUnavailableError,
    executor,
    executors,
    gathering,
)
from shared.domains.pipelines.running import apply
from support.executors import Bench, item


class Picky(Each):
    """Settings of what refuses some items."""

    passing: bool = True


@executor("picky", settings=Picky, category="control", example={})
async def picky(item: Content, settings: Picky, ctx: Context) -> Content:
    """Refuse what is bad, and wait for what is slow."""
    if item.data.get("bad"):
        raise ExecutorError("bad")
    if item.data.get("away"):
        raise ExecutorUnavailableError("away", 5)
    if item.data.get("slow"):
        await asyncio.Event().wait()
    item.data["seen"] = True
    return item


@gathering("pair", settings=Common, category="control", example={})
async def pair(items: list[Content], settings: Common, ctx: Context) -> list[Content]:
    """Only pairs."""
    if len(items) != 2:
        raise ExecutorError(f"{len(items)} items")
    return items[:1]


async def run(step: Executor, settings: Common, *items: Content, last: bool = True) -> list[Content]:
    return await apply(step, items, settings, Bench(last_attempt=last).context)


async def test_an_item_that_fails_is_marked_and_the_others_go_on() -> None:
    made = await run(picky, Picky(), item("a"), item("b", bad=True), item("c"))
    assert [each.executor_logs[-1].status for each in made] == ["completed", "failed", "completed"]
    assert made[1].executor_logs[-1].errors == ["bad"]
    assert [each.data.get("seen") for each in made] == [True, None, True]


@pytest.mark.parametrize("fails", [True, False])
async def test_where_it_does_not_go_on_the_pipeline_fails_unless_that_is_off(fails: bool) -> None:
    settings = Picky(continue_on_error=False, fail_pipeline_on_error=fails)
    if fails:
        with pytest.raises(ExecutorError, match="bad"):
            await run(picky, settings, item("a"), item("b", bad=True))
    else:
        assert len(await run(picky, settings, item("a"), item("b", bad=True))) == 2


async def test_what_may_pass_is_raised_as_long_as_it_is_tried_again() -> None:
    items = item("a", bad=True), item("b", away=True)
    with pytest.raises(ExecutorUnavailableError) as raised:
        await run(picky, Picky(), *items, last=False)
    assert raised.value.retry_after == 5
    assert [each.executor_logs[-1].status for each in await run(picky, Picky(), *items)] == ["failed", "failed"]


async def test_an_item_that_takes_too_long_fails_alone() -> None:
    made = await run(picky, Picky(timeout_secs=1), item("a", slow=True), item("b"))
    assert [each.executor_logs[-1].status for each in made] == ["failed", "completed"]


async def test_items_that_the_condition_is_not_for_pass_by_untouched() -> None:
    settings = Picky(condition="metadata['file_type'] in ['jpg', 'png'] or seen_before")
    items = item("a.jpg"), item("b.txt"), item("c.txt", seen_before=True)
    made = await run(picky, settings, *items)
    assert [each.data.get("seen") for each in made] == [True, None, True]
    assert made[1].executor_logs[-1].status == "skipped"
    off = await run(picky, Picky(enabled=False), item("a"))
    assert off[0].executor_logs[-1].status == "skipped"


async def test_what_was_given_stays_as_it_is() -> None:
    given = item("a")
    await run(picky, Picky(), given)
    assert given == item("a")


async def test_a_step_that_gathers_has_all_that_its_condition_is_for() -> None:
    settings = Common(condition="paired")
    made = await run(pair, settings, item("a", paired=1), item("b"), item("c", paired=1))
    assert [(each.id.filename, each.executor_logs[-1].status) for each in made] == [
        ("a", "completed"),
        ("b", "skipped"),
    ]
    with pytest.raises(ExecutorError, match="1 items"):
        await run(pair, settings, item("a", paired=1), item("b"))
    marked = await run(pair, Common(fail_pipeline_on_error=False), item("a"))
    assert marked[0].executor_logs[-1].errors == ["1 items"]


async def test_files_are_kept_once_and_only_an_execution_s_own_are_read() -> None:
    bench = Bench()
    first = await bench.context.files.put(b"x", "../../etc/pass wd")
    assert await bench.context.files.put(b"x", "../../etc/pass wd") == first
    assert first.startswith("pipelines/x1/files/")
    assert first.endswith("/pass_wd")
    assert await bench.context.files.get(first) == b"x"
    other = BlobFiles(bench.blobs, "pipelines/x2/files/")
    for reference in (first, "jobs/1/status.json", ""):
        with pytest.raises(ExecutorError):
            await other.get(reference)


def test_every_executor_says_what_it_does_and_its_example_fits() -> None:
    for found in executors().values():
        assert found.summary.endswith("."), found.id
        found.settings.model_validate(dict(found.example))
        described = {name for name, field in found.settings.model_fields.items() if field.description}
        assert described == set(found.settings.model_fields), found.id


def test_conditions_see_the_item_as_the_samples_write_it() -> None:
    names = item("scan.PDF", document_type="pdf").names()
    assert names["document"]["metadata"]["file_type"] == "pdf"
    assert names["document_type"] == "pdf"
    assert names["content"]["id"]["filename"] == "scan.PDF"
