"""Crawls: each item is found once, whatever comes late, is edited, fails or is done by two at once."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.domains.pipelines.crawling import reschedule
from shared.domains.pipelines.executions import Begin, Executions
from shared.domains.pipelines.kinds import WatchVaults, crawl_vault, watch_vaults
from shared.domains.pipelines.settings import PipelineSettings
from shared.domains.pipelines.workflows import EXECUTION
from shared.jobs import FencedError, Job, Status
from shared.jobs.testing import crash_sweep
from shared.jobs.testing.faults import Died, Faults, Mode
from shared.jobs.testing.memory import MemoryBlobs
from shared.ports import StorageError
from support.pipelines import Pipes

PIPELINE = """
executors:
  - id: blob_input
    type: azure_blob_input
    settings: {blob_container_name: content, polling_interval_seconds: 60}
  - {id: done, type: pass_through}
"""


async def put(blobs: MemoryBlobs, *names: str, at: datetime | None = None) -> None:
    """Put blobs, whose time of change may be another than the present."""
    for name in names:
        await blobs.create(name, b"x")
        if at is not None:
            stored = blobs._blobs[name]
            blobs._blobs[name] = type(stored)(
                type(stored.blob)(stored.blob.data, stored.blob.etag, at), stored.metadata
            )


async def look(pipes: Pipes, seconds: float = 61) -> list[Job]:
    """Let time pass; the crawls of it."""
    await pipes.app.drain(timedelta(seconds=seconds))
    return await pipes.app.submitted(crawl_vault)


async def begun(text: str = PIPELINE, **environ: str) -> tuple[Pipes, MemoryBlobs]:
    pipes = Pipes(environ=environ)
    await pipes.pipeline(text)
    return pipes, pipes.app.containers("content")


async def test_what_is_new_is_executed_once_without_the_input_executor() -> None:
    pipes, blobs = await begun()
    await put(blobs, "a.txt", "b.txt")
    await pipes.vault()
    await look(pipes, 200)
    assert await pipes.executed() == ["a.txt", "b.txt"]
    await put(blobs, "c.txt")
    await look(pipes)
    assert await pipes.executed() == ["a.txt", "b.txt", "c.txt"]
    (page,) = [(await pipes.executions.page(1, None)).items]
    assert set(await pipes.steps(page[0]["id"])) == {"done"}


async def test_what_is_written_anew_is_another_item() -> None:
    pipes, blobs = await begun()
    await put(blobs, "a.txt")
    await pipes.vault()
    await look(pipes)
    there = await blobs.read("a.txt")
    assert there
    await blobs.replace("a.txt", b"y", there.etag)
    await look(pipes)
    assert await pipes.executed() == ["a.txt", "a.txt"]


async def test_blobs_that_become_visible_late_or_in_the_same_second_are_found() -> None:
    pipes, blobs = await begun(CRAWL_OVERLAP_SECONDS="300")
    start = pipes.app.clock.now()
    await put(blobs, "a.txt", at=start)
    await pipes.vault()
    await look(pipes)
    await put(blobs, "same.txt", at=start)
    await put(blobs, "late.txt", at=start - timedelta(seconds=299))
    await look(pipes)
    assert await pipes.executed() == ["a.txt", "late.txt", "same.txt"]
    await put(blobs, "new.txt")
    await look(pipes, 600)
    assert await pipes.executed() == ["a.txt", "late.txt", "new.txt", "same.txt"]


async def test_a_limit_leaves_the_others_to_the_next_looks_whatever_the_order() -> None:
    text = PIPELINE.replace(
        "polling_interval_seconds: 60",
        "polling_interval_seconds: 60, max_results: 2, sort_by: last_modified, sort_ascending: false, file_extensions: .txt",
    )
    pipes, blobs = await begun(text, CRAWL_OVERLAP_SECONDS="0")
    start = pipes.app.clock.now()
    for number in range(7):
        await put(blobs, f"{number}.txt", f"{number}.bin", at=start - timedelta(minutes=number))
    await pipes.vault()
    await look(pipes, 30)
    assert await pipes.executed() == ["0.txt", "1.txt"]
    await look(pipes, 300)
    assert await pipes.executed() == [f"{number}.txt" for number in range(7)]


async def test_two_vaults_on_one_pipeline_are_both_looked_at_each_at_its_own_pace() -> None:
    pipes, blobs = await begun()
    await put(blobs, "one/a.txt", "two/b.txt")
    await pipes.vault("v1", input={"prefix": "one/"})
    await pipes.vault("v2", input={"prefix": "two/", "polling_interval_seconds": 3600})
    await look(pipes)
    await put(blobs, "one/c.txt", "two/d.txt")
    await look(pipes, 130)
    assert await pipes.executed() == ["a.txt", "b.txt", "c.txt"]
    await look(pipes, 3600)
    assert await pipes.executed() == ["a.txt", "b.txt", "c.txt", "d.txt"]
    in_vault = (await pipes.executions.page(10, None, vault_id="v2")).items
    assert sorted(each["filename"] for each in in_vault) == ["b.txt", "d.txt"]


async def test_an_edited_interval_takes_effect_and_what_is_switched_off_is_not_looked_at() -> None:
    pipes, blobs = await begun()
    await pipes.vault(input={"polling_interval_seconds": 86_400})
    await look(pipes)
    await pipes.vault(input={"polling_interval_seconds": 5})
    await look(pipes, 1)
    await put(blobs, "a.txt")
    await look(pipes, 6)
    assert await pipes.executed() == ["a.txt"]
    await pipes.vault(enabled=False)
    await put(blobs, "b.txt")
    await look(pipes, 600)
    assert await pipes.executed() == ["a.txt"]
    await pipes.vault(enabled=True)
    await look(pipes, 1)
    assert await pipes.executed() == ["a.txt", "b.txt"]


async def test_an_item_is_executed_by_the_version_of_when_it_was_found() -> None:
    pipes, blobs = await begun()
    await put(blobs, "a.txt")
    vault = await pipes.vault()
    await look(pipes, 0)
    await pipes.pipeline(PIPELINE.replace("done", "other"))
    await put(blobs, "b.txt")
    await look(pipes)
    versions = {
        each["filename"]: each["version"] for each in (await pipes.executions.page(10, None, vault_id=vault.id)).items
    }
    assert versions == {"a.txt": 1, "b.txt": 2}


async def test_a_source_that_fails_is_told_and_looked_at_again() -> None:
    pipes, blobs = await begun()
    pipes.app.containers._opened[None, "content"] = _Broken(blobs)  # type: ignore[assignment]
    await put(blobs, "a.txt")
    await pipes.vault()
    await look(pipes, 300)
    found = await pipes.vaults.checkpoint("v")
    assert found
    assert found.value.failures >= 1
    assert found.value.error == "the source does not answer"
    pipes.app.containers._opened[None, "content"] = blobs
    await look(pipes, 300)
    assert await pipes.executed() == ["a.txt"]
    found = await pipes.vaults.checkpoint("v")
    assert found
    assert (found.value.failures, found.value.error) == (0, None)


class _Broken:
    """A container that does not answer."""

    def __init__(self, blobs: MemoryBlobs) -> None:
        self._blobs = blobs

    def list(self, prefix: str) -> Any:
        raise StorageError(prefix)


async def test_a_checkpoint_that_cannot_be_read_does_not_mean_everything_anew() -> None:
    pipes, blobs = await begun()
    await put(blobs, "a.txt")
    vault = await pipes.vault()
    await look(pipes, 1)
    own = pipes.settings.of(PipelineSettings)
    stored = await pipes.app.documents.read(own.checkpoints, "v", "v")
    assert stored
    await pipes.app.documents.replace(own.checkpoints, {**stored.value, "seen": 7}, stored.etag)
    await pipes.app.documents.delete(own.executions, f"{vault.id}", f"{vault.id}")
    before = len(await pipes.app.submitted())
    jobs = await look(pipes, 100)
    assert jobs[-1].status is Status.FAILED
    assert jobs[-1].error
    assert "cannot be read" in jobs[-1].error.message
    assert len(await pipes.app.submitted()) == before
    await pipes.vaults.forget("v")
    await pipes.app.drain(timedelta(minutes=10))
    await pipes.app.perform(watch_vaults, WatchVaults())
    await look(pipes, 1)
    assert await pipes.executed() == ["a.txt"]


async def test_a_crawl_that_was_lost_is_begun_anew() -> None:
    pipes, blobs = await begun()
    await pipes.vault()
    jobs = await look(pipes, 1)
    await pipes.app.engine.cancel(jobs[-1].job_id)
    await put(blobs, "a.txt")
    await look(pipes, 600)
    assert await pipes.executed() == []
    done = await pipes.app.perform(watch_vaults, WatchVaults())
    assert done.results == {"vaults": 1, "mended": 1}
    await look(pipes, 1)
    assert await pipes.executed() == ["a.txt"]
    assert (await pipes.app.perform(watch_vaults, WatchVaults())).results == {"vaults": 1, "mended": 0}


async def test_two_crawlers_at_once_take_each_item_once() -> None:
    pipes, blobs = await begun()
    await put(blobs, *(f"{number:03}.txt" for number in range(60)))
    vault = await pipes.vault()
    for _ in range(3):
        await reschedule(pipes.app.engine.submit, pipes.vaults, [vault.id], pipes.app.clock.now())
    await look(pipes, 400)
    assert await pipes.executed() == [f"{number:03}.txt" for number in range(60)]


async def test_a_crash_at_any_storage_call_loses_nothing_and_takes_nothing_twice() -> None:
    async def scenario(faults: Faults) -> Any:
        pipes, blobs = await begun()
        await put(blobs, "a.txt", "b.txt")
        await pipes.vault()
        pipes.app.restart(faults)
        with suppress(Died, StorageError):
            await pipes.app.drain(timedelta(seconds=1))
        pipes.app.restart()
        for _ in range(3):
            await pipes.app.drain(timedelta(seconds=400))
            await pipes.app.sweep()
        await pipes.app.perform(watch_vaults, WatchVaults())
        await put(blobs, "c.txt")
        await pipes.app.drain(timedelta(seconds=130))
        runs = await pipes.app.submitted(EXECUTION)
        return await pipes.executed(), [job.status for job in runs]

    report = await crash_sweep(scenario, (Mode.DIE_BEFORE, Mode.DIE_AFTER, Mode.FAIL_AFTER), every=7)
    report.check()
    assert report.plays > 20


async def test_what_could_not_be_sent_is_not_passed_over_by_the_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    pipes, blobs = await begun()
    await put(blobs, "a.txt", "b.txt", "c.txt")
    whole = Executions.begin
    failed: list[str] = []

    async def begin(self: Executions, asked: Begin, now: datetime) -> Any:
        if not failed and asked.items[0].id.filename == "b.txt":
            failed.append(asked.id)
            raise StorageError("no answer")
        return await whole(self, asked, now)

    monkeypatch.setattr(Executions, "begin", begin)
    await pipes.vault()
    await pipes.app.drain()
    assert failed
    assert await pipes.vaults.checkpoint("v") is None
    await look(pipes, 200)
    assert await pipes.executed() == ["a.txt", "b.txt", "c.txt"]


async def test_a_crawl_that_was_overtaken_writes_no_checkpoint() -> None:
    pipes, blobs = await begun()
    await put(blobs, "a.txt")
    await pipes.vault()
    await look(pipes, 1)
    current = await pipes.vaults.checkpoint("v")
    assert current
    overtaken = current.value.model_copy(update={"fence": current.value.fence - 1, "seen": {}})
    with pytest.raises(FencedError):
        await pipes.vaults.move("v", overtaken, current)
