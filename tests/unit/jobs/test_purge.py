"""The purge does not starve: what stays does not hold up what goes, in one run or in several."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from shared.containers import JOBS
from shared.jobs import purge
from shared.jobs.dead_letters.vault import Reason, letter_of_job
from shared.jobs.model import Failure, Job, Status, summary
from shared.jobs.store import name_of
from shared.jobs.testing import Faults
from shared.ports import Query, StorageError, Where
from support.lab import Lab, close_lab, open_memory_lab

DAY = 86400.0


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    opened = open_memory_lab("purge", tmp_path)
    yield opened
    await close_lab(opened)


async def family(lab: Lab, children: int) -> tuple[Job, list[Job]]:
    """A job made of jobs, all of them completed."""
    parent = (await lab.submit("many", n=children)).job
    for _ in range(2 * children):
        await lab.pump()
        lab.clock.advance(60)
    rows = await lab.documents.query(JOBS, Query((Where("parent_id", "=", parent.job_id),), limit=1000))
    return await lab.settled(parent.job_id, Status.COMPLETED), [await lab.job(row["id"]) for row in rows.items]


async def test_a_parent_goes_before_its_children_and_they_with_it(lab: Lab) -> None:
    parent, children = await family(lab, 4)
    lab.clock.advance(31 * DAY)
    assert (await lab.engine.purge()).jobs == 1 + len(children)
    assert lab.blobs.names() == ()
    assert (await lab.documents.query(JOBS, Query())).items == [], parent


async def test_children_that_stay_cost_no_look_each(lab: Lab) -> None:
    parent, children = await family(lab, 8)
    stays = parent.model_copy(update={"status": Status.FAILED, "version": parent.version + 1})
    await lab.blobs.delete(name_of(parent.job_id))
    await lab.blobs.create(name_of(parent.job_id), stays.to_json())
    await lab.documents.put_newer(JOBS, summary(stays))
    lab.clock.advance(31 * DAY)
    faults = Faults()
    lab.start(faults)
    report = await lab.engine.purge()
    assert (report.jobs, report.kept) == (0, len(children))
    assert faults.calls.count("blobs.read") <= 2, "each child costs a look"


async def test_what_stays_does_not_starve_what_comes_after_it(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time is up after a page, and the first pages are full of what stays."""
    monkeypatch.setattr(purge, "_BATCH", 4)
    for n in range(8):
        job = await lab.run(n=n)
        spoilt = job.model_copy(update={"callback_url": "https://client.example/never"})
        await lab.blobs.delete(name_of(job.job_id))
        await lab.blobs.create(name_of(job.job_id), spoilt.to_json())
    goes = [await lab.run(n=n) for n in range(8)]
    lab.clock.advance(31 * DAY)
    pages = lab.documents.query

    async def slowly(container: str, query: Query) -> Any:
        lab.clock.advance(200)
        return await pages(container, query)

    monkeypatch.setattr(lab.documents, "query", slowly)
    gone = 0
    for _ in range(12):
        gone += (await lab.engine.purge()).jobs
    assert gone == len(goes)


async def test_artifacts_have_a_time_of_their_own(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    await lab.run()
    for number in range(3):
        await lab.blobs.create(f"digests/{number}", b"{}")
    lab.clock.advance(401 * DAY)
    pages = lab.documents.query

    async def slowly(container: str, query: Query) -> Any:
        lab.clock.advance(400)
        return await pages(container, query)

    monkeypatch.setattr(lab.documents, "query", slowly)
    report = await lab.engine.purge(("20", "digests/"))
    assert (report.artifacts, report.more) == (3, True)


async def test_artifacts_that_stay_do_not_starve_the_others(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    await lab.blobs.create("news/old", b"{}")
    lab.clock.advance(401 * DAY)
    for number in range(6):
        await lab.blobs.create(f"digests/{number}", b"{}")
    whole = lab.blobs.list_page

    async def slowly(prefix: str, cursor: str | None = None, limit: int = 5000) -> Any:
        lab.clock.advance(100)
        return await whole(prefix, cursor, 2)

    monkeypatch.setattr(lab.blobs, "list_page", slowly)
    gone = 0
    for _ in range(4):
        gone += (await lab.engine.purge(("digests/", "news/"))).artifacts
    assert gone == 1


async def test_a_dead_letter_of_a_job_that_completed_after_all_does_not_keep_it_for_ever(lab: Lab) -> None:
    """The letter was kept, and its attempt then kept from writing the failure down: another was made, and ended well."""
    ticket = await lab.submit()
    error = Failure(type="FinalError", message="on purpose", attempt=1, at=lab.clock.now())
    await lab.engine.vault.keep(letter_of_job(ticket.job, Reason.FINAL, error, "jobs", lab.clock.now()))
    await lab.pump()
    lab.clock.advance(31 * DAY)
    assert [(await lab.engine.purge()).jobs for _ in range(2)] == [0, 1]
    assert not any(letter.open for letter in await lab.letters())
    assert lab.blobs.names() == ()


async def test_a_purge_that_storage_interrupts_is_taken_up(lab: Lab) -> None:
    for n in range(3):
        await lab.run(n=n)
    lab.clock.advance(31 * DAY)
    lab.start(Faults(only="blobs.list".__eq__))
    with pytest.raises(StorageError):
        await lab.engine.purge()
    lab.start()
    await lab.engine.purge()
    assert lab.blobs.names() == ()
