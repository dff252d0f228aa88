"""The index can be lost and late; the sweep mends what fell between two writes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from azure.cosmos.aio import CosmosClient

from shared.adapters import opening
from shared.containers import JOBS
from shared.jobs.engine import Engine
from shared.jobs.errors import UnreadableError
from shared.jobs.kinds import Queues, Registry
from shared.jobs.model import Status, summary
from shared.jobs.testing import Died, Faults, Mode
from shared.jobs.ticket import Options
from shared.ports import Query, Where
from shared.settings import load
from support.cosmos import KEY, CosmosProcess
from support.lab import Broken, Lab


async def wipe(lab: Lab) -> None:
    page = await lab.documents.query(JOBS, Query(limit=1000))
    for item in page.items:
        await lab.documents.delete(JOBS, item["pk"], item["id"])


async def test_the_index_is_only_written_by_a_higher_version(lab: Lab) -> None:
    job = await lab.run()
    old = job.model_copy(update={"version": 1, "status": Status.QUEUED})
    await lab.engine.deps.project(old)
    await lab.settled(job.job_id, Status.COMPLETED)


async def test_a_wiped_index_is_made_anew(lab: Lab) -> None:
    jobs = [await lab.run(n=n) for n in range(5)]
    await wipe(lab)
    lab.clock.advance(200)
    report = await lab.engine.repair()
    assert (report.looked, report.projected) == (5, 5)
    for job in jobs:
        await lab.settled(job.job_id, Status.COMPLETED)
    assert (await lab.engine.repair()).projected == 0


async def test_what_no_version_can_be_read_of_in_the_index_is_made_anew(
    lab: Lab, cosmos: CosmosProcess, unique: str
) -> None:
    """So it is with what an earlier version of the app wrote into Cosmos DB, each document as the item itself."""
    job = await lab.run()
    given = {"COSMOS_ENDPOINT": cosmos.endpoint, "COSMOS_KEY": KEY, "COSMOS_DATABASE": unique}
    documents = opening.open_documents(load(given))
    assert (await documents.query(JOBS, Query())).items == []  # it makes the container
    async with CosmosClient(cosmos.endpoint, KEY, enable_endpoint_discovery=False) as client:
        await client.get_database_client(unique).get_container_client(JOBS).create_item(summary(job))
    lab.clock.advance(200)
    engine = Engine(replace(lab.engine.deps, documents=documents))
    assert [(await engine.repair()).projected for _ in range(2)] == [1, 0]
    found = await documents.query(JOBS, Query((Where("status", "=", "completed"),)))
    assert [item["id"] for item in found.items] == [job.job_id]
    await documents.close()


async def test_a_repair_reaches_jobs_of_any_age(lab: Lab) -> None:
    job = await lab.run()
    await wipe(lab)
    lab.clock.advance(30 * 86400)
    assert (await lab.engine.sweep()).projected == 0
    assert (await lab.engine.repair()).projected == 1
    await lab.settled(job.job_id, Status.COMPLETED)


async def test_an_index_that_does_not_answer_fails_no_job(lab: Lab) -> None:
    lab.start(Faults(only=lambda name: name.startswith("jobs.")))

    async def twice(payload: Any, job: Any) -> None:
        await job.progress("on", 1, 2)
        if job.attempt == 1:
            raise Broken

    lab.script = twice
    ticket = await lab.submit()
    await lab.pump()
    lab.clock.advance(8)
    await lab.pump()
    assert (await lab.job(ticket.job.job_id)).status is Status.COMPLETED
    lab.start()
    lab.clock.advance(200)
    await lab.engine.repair()
    await lab.settled(ticket.job.job_id, Status.COMPLETED)


async def test_a_queue_that_is_down_at_submission(lab: Lab) -> None:
    lab.start(Faults(only="queues.send".__eq__))
    ticket = await lab.submit()
    assert ticket.job.status is Status.QUEUED
    assert await lab.pump() == 0
    lab.start()
    lab.clock.advance(119)
    assert (await lab.engine.sweep()).resent == 0
    lab.clock.advance(2)
    assert (await lab.engine.sweep()).resent == 1
    await lab.pump()
    job = await lab.settled(ticket.job.job_id, Status.COMPLETED)
    assert [entry.event for entry in job.history] == ["submitted", "resent", "claimed", "completed"]


async def test_the_sweep_waits_twice_as_long_each_time(lab: Lab) -> None:
    lab.start(Faults(only="queues.send".__eq__))
    ticket = await lab.submit()
    lab.start()
    resent_at: list[float] = []
    start = lab.clock.now()
    for _ in range(60):
        lab.clock.advance(50)
        if (await lab.engine.sweep()).resent:
            resent_at.append((lab.clock.now() - start).total_seconds())
            if len(resent_at) < 5:  # each is lost, but for the last
                (message,) = await lab.storage_queues.receive(lab.settings.queue_normal)
                await lab.storage_queues.delete(lab.settings.queue_normal, message)
    assert resent_at == [150, 400, 800, 1450, 2550]
    await lab.pump()
    await lab.settled(ticket.job.job_id, Status.COMPLETED)
    assert len(lab.runs) == 1


async def test_a_worker_that_died_with_its_message(lab: Lab) -> None:
    ticket = await lab.submit()
    lab.start(Faults(only="jobs.put".__eq__, mode=Mode.DIE_BEFORE))
    with pytest.raises(Died):
        await lab.pump()
    lab.queues.in_hand.clear()  # the message is lost as well
    lab.start()
    assert (await lab.job(ticket.job.job_id)).status is Status.RUNNING
    await lab.recover()
    job = await lab.settled(ticket.job.job_id, Status.COMPLETED)
    assert job.stalls == 1


async def test_a_job_that_waits_for_its_time_is_not_taken_for_stuck(lab: Lab) -> None:
    later = lab.clock.now() + timedelta(days=3)
    ticket = await lab.submit(options=Options(not_before=later))
    lab.clock.advance(86400)
    assert (await lab.engine.sweep()).resent == 0
    assert (await lab.engine.repair()).resent == 0
    assert (await lab.job(ticket.job.job_id)).version == 1


async def test_an_old_job_that_is_stuck_is_found(lab: Lab) -> None:
    ticket = await lab.submit(options=Options(not_before=lab.clock.now() + timedelta(days=3)))
    lab.queues.waiting.clear()
    lab.clock.advance(3 * 86400 + 200)
    report = await lab.engine.sweep()
    assert (report.looked, report.resent) == (1, 1)
    await lab.pump()
    job = await lab.settled(ticket.job.job_id, Status.COMPLETED)
    assert summary(job)["status"] == "completed"


@pytest.mark.parametrize("look", ["sweep", "repair"])
async def test_a_job_that_cannot_be_mended_does_not_keep_the_sweep_from_the_others(lab: Lab, look: str) -> None:
    """One is of a kind that this code does not know any more, another's record is none."""
    lab.start(Faults(only=lambda name: name == "queues.send"))
    unknown, broken, stuck = await lab.submit("grown"), await lab.submit(), await lab.submit()
    kinds = tuple(kind for kind in lab.engine.deps.kinds if kind.name != "grown")
    registry = Registry(kinds, Queues(normal=lab.settings.queue_normal), lab.settings)
    engine = Engine(replace(lab.engine.deps, queues=lab.queues, kinds=registry))
    name = f"jobs/{broken.job.job_id}/status.json"
    await lab.blobs.replace(name, b"{}", broken.etag, {"watch": "2000"}, {"watch": "2000"})
    lab.clock.advance(300)
    assert (await getattr(engine, look)()).resent == 1
    await lab.host.pump(engine)
    assert (await lab.job(stuck.job.job_id)).status is Status.COMPLETED
    assert (await lab.job(unknown.job.job_id)).status is Status.QUEUED


async def test_what_is_in_place_of_a_record_is_not_quoted(lab: Lab) -> None:
    ticket = await lab.submit()
    await lab.blobs.replace(f"jobs/{ticket.job.job_id}/status.json", b'{"user_id": "ann"}', ticket.etag)
    with pytest.raises(UnreadableError) as raised:
        await lab.job(ticket.job.job_id)
    assert "ann" not in str(raised.value)
    assert raised.value.__cause__ is None
