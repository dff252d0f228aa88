"""What is due is found from the records alone: at any age, without the index, and without making a long line longer."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from uuid_utils import uuid7

from shared.containers import JOBS
from shared.jobs.errors import FinalError, Snooze
from shared.jobs.model import Job, Status
from shared.jobs.testing import Died, Faults, Mode
from shared.jobs.ticket import Options
from shared.ports import BlobPage, StorageError
from support.lab import Broken, Lab, Work, close_lab, open_memory_lab, succeed

SWEEP = 300.0
STUCK_AT_MOST = timedelta(seconds=60 + 120 + SWEEP)
"""Lease, grace and one sweep."""
DOCUMENTS = ("jobs", "kinds", "dead-letters", "dedupe", "operations")


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    opened = open_memory_lab("due", tmp_path)
    yield opened
    await close_lab(opened)


@pytest.fixture(params=["tags", "listings"])
async def either_lab(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Lab]:
    opened = open_memory_lab("due", tmp_path)
    opened.blobs.takes_tags = request.param == "tags"
    yield opened
    await close_lab(opened)


async def ended(lab: Lab, job_id: str, within: timedelta = STUCK_AT_MOST) -> Job:
    """Let the host work and the sweep run on its schedule, and see that the job has ended in time."""
    until = lab.clock.now() + within
    while not (job := await lab.job(job_id)).status.final or job.watch_at is not None:
        assert lab.clock.now() <= until, f"stuck: {job}"
        lab.clock.advance(SWEEP)
        await lab.engine.sweep()
        await lab.pump()
    return job


class Once(Faults):
    """Strikes the first call of this name."""

    def __init__(self, name: str, mode: Mode) -> None:
        super().__init__(mode=mode)
        self._name = name

    def _strikes(self, name: str) -> bool:
        super()._strikes(name)
        return name == self._name


async def working(lab: Lab) -> None:
    for _ in range(10):
        await lab.pump()
        lab.clock.advance(20)


async def test_a_child_whose_parent_is_old_is_found(lab: Lab) -> None:
    async def script(payload: Work, job: Any) -> Any:
        if lab.clock.now() < start + timedelta(seconds=2400):
            raise Snooze(2400)
        return await succeed(payload, job)

    start, lab.script = lab.clock.now(), script
    parent = (await lab.submit("many", n=4)).job
    await lab.pump()
    lab.clock.advance(2500)
    lab.start(Once("blobs.create", Mode.DIE_AFTER))
    with pytest.raises(Died):
        await working(lab)
    lab.start()
    lab.clock.advance(600)  # the host's hold on the message that died ends
    await lab.pump()
    assert (await ended(lab, parent.job_id, timedelta(hours=1))).status is Status.COMPLETED


async def failed_long_ago(lab: Lab) -> tuple[Job, str]:
    async def boom(payload: Work, job: Any) -> Any:
        raise FinalError("on purpose")

    lab.script = boom
    job = await lab.run()
    lab.clock.advance(7200)
    await lab.pump()
    lab.script = succeed
    return job, (await lab.letters())[0].id


@pytest.mark.parametrize("fault", [Mode.DIE_AFTER, Mode.OUTAGE])
async def test_a_replay_of_an_old_job_that_got_no_message_is_found(either_lab: Lab, fault: Mode) -> None:
    lab = either_lab
    job, letter = await failed_long_ago(lab)
    if fault is Mode.OUTAGE:
        lab.start(Faults(only=lambda name: name in ("queues.send", "jobs.put")))
        await lab.engine.replays.one(letter)
    else:
        lab.start(Once("blobs.replace", fault))
        with pytest.raises(Died):
            await lab.engine.replays.one(letter)
    lab.start()
    assert (await ended(lab, job.job_id)).status is Status.COMPLETED


async def test_the_callback_of_an_old_job_that_was_cancelled_is_told(either_lab: Lab) -> None:
    lab = either_lab
    later = lab.clock.now() + timedelta(days=3)
    ticket = await lab.submit(options=Options(not_before=later, callback_url="https://client.example/told"))
    lab.clock.advance(7200)
    lab.start(Once("blobs.replace", Mode.DIE_AFTER))
    with pytest.raises(Died):
        await lab.engine.cancel(ticket.job.job_id)
    lab.start()
    await ended(lab, ticket.job.job_id)
    await lab.pump()
    assert len(lab.told) == 1


async def test_a_sweep_once_an_hour_finds_it_too(either_lab: Lab) -> None:
    lab = either_lab
    lab.start(Faults(only=lambda name: name in ("queues.send", "jobs.put")))
    ticket = await lab.submit()
    lab.start()
    lab.clock.advance(3600)
    assert (await lab.engine.sweep()).resent == 1
    await lab.pump()
    await lab.settled(ticket.job.job_id, Status.COMPLETED)


async def test_what_is_stuck_is_mended_while_the_document_store_is_down(either_lab: Lab) -> None:
    lab = either_lab

    def down(name: str) -> bool:
        return name.split(".", maxsplit=1)[0] in DOCUMENTS

    lab.start(Faults(only=lambda name: down(name) or name == "queues.send"))
    ticket = await lab.submit()
    lab.start(Faults(only=down))
    lab.clock.advance(7200)
    assert (await ended(lab, ticket.job.job_id)).status is Status.COMPLETED


async def test_a_sweep_looks_at_what_is_overdue_and_at_nothing_else(lab: Lab) -> None:
    for _ in range(30):
        await lab.run()
    lab.start(Faults(only="queues.send".__eq__))
    await lab.submit()
    faults = Faults()
    lab.start(faults)
    lab.clock.advance(7200)
    assert (await lab.engine.sweep()).looked == 1
    assert faults.calls.count("blobs.read") == 1
    assert "blobs.list" not in faults.calls


async def test_a_job_that_is_done_with_has_no_tag(lab: Lab) -> None:
    ticket = await lab.submit()
    assert [each.name for each in (await lab.blobs.find("watch", "9")).items]
    await lab.pump()
    await lab.settled(ticket.job.job_id, Status.COMPLETED)
    assert (await lab.blobs.find("watch", "9")).items == []


async def test_a_long_line_is_not_made_longer(lab: Lab) -> None:
    for n in range(100):
        await lab.submit(n=n)
    faults = Faults()
    lab.start(faults)
    for _ in range(12):
        lab.clock.advance(SWEEP)
        report = await lab.engine.sweep()
        assert (report.resent, report.waiting) == (0, 100)
    assert faults.calls.count("blobs.read") == 0, "each waiting job costs a look"
    assert await lab.pump() == 100


async def test_what_was_lost_is_sent_once_the_line_has_passed_its_place(lab: Lab) -> None:
    for n in range(40):
        await lab.submit(n=n)
    lab.clock.advance(10)
    lab.start(Faults(only="queues.send".__eq__))
    lost = (await lab.submit(n=1000)).job
    lab.start()
    lab.clock.advance(SWEEP)
    assert (await lab.engine.sweep()).resent == 0, "the line is behind"
    await lab.pump()
    assert (await ended(lab, lost.job_id)).status is Status.COMPLETED
    assert len(lab.runs) == 41


async def test_a_message_at_the_head_is_that_of_its_job(lab: Lab) -> None:
    waiting = (await lab.submit(n=1)).job
    lab.clock.advance(SWEEP)
    await lab.submit(n=2)
    assert (await lab.engine.sweep()).resent == 0
    assert (await lab.job(waiting.job_id)).version == 1


async def test_a_sweep_without_time_goes_on_where_it_stopped(either_lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the first of the line can never be mended."""
    lab = either_lab
    lab.start(Faults(only=lambda name: name == "queues.send"))
    for n in range(40):
        await lab.submit(n=n)
    lab.start()
    lab.clock.advance(7200)
    read = lab.blobs.read

    async def slowly(name: str) -> Any:
        lab.clock.advance(20)
        return await read(name)

    monkeypatch.setattr(lab.blobs, "read", slowly)
    sent, sweeps = 0, 0
    while sent < 40:
        report = await lab.engine.sweep()
        sent, sweeps = sent + report.resent, sweeps + 1
        assert report.resent, "it does not go on"
    assert sweeps > 1


async def test_a_long_pause_costs_one_delivery_a_job(either_lab: Lab) -> None:
    lab = either_lab
    tickets = [await lab.submit(n=n) for n in range(50)]
    await lab.engine.pauses.set("work", paused=True)
    lab.clock.advance(10)
    assert await lab.pump() == 50
    faults = Faults()
    lab.start(faults)
    for _ in range(12):
        lab.clock.advance(SWEEP)
        assert (await lab.engine.sweep()).resent == 0
        assert await lab.pump() == 0
    assert faults.calls.count("blobs.read") == 0, "each job costs a look"
    assert lab.queues.idle
    await lab.engine.resume("work")
    if lab.blobs.takes_tags:
        lab.clock.advance(6)
    else:
        await lab.engine.sweep()
    await lab.pump()
    for ticket in tickets:
        await lab.settled(ticket.job.job_id, Status.COMPLETED)
    assert len(lab.runs) == 50


async def test_a_resume_of_which_only_the_record_tells_is_seen_by_the_sweep(either_lab: Lab) -> None:
    lab = either_lab
    ticket = await lab.submit()
    await lab.engine.pauses.set("work", paused=True)
    await lab.pump()
    await lab.engine.pauses.set("work", paused=False)  # and died
    assert (await ended(lab, ticket.job.job_id)).status is Status.COMPLETED


async def test_a_replay_by_the_queue_of_a_paused_kind_is_not_lost(lab: Lab) -> None:
    job, letter = await failed_long_ago(lab)
    await lab.engine.pauses.set("work", paused=True)
    found = await lab.engine.vault.get(letter)
    await lab.queues.send(found.queue, found.message_text)
    await lab.pump()
    assert (await lab.job(job.job_id)).status is Status.QUEUED
    await lab.engine.resume("work")
    lab.clock.advance(6)
    await lab.pump()
    await lab.settled(job.job_id, Status.COMPLETED)


async def test_the_payload_of_a_job_that_was_never_made_goes(lab: Lab) -> None:
    calls = iter(range(9))
    lab.start(Faults(only=lambda name: name == "blobs.create" and next(calls) > 0))
    with pytest.raises(StorageError):
        await lab.submit(note="x" * 60_000)
    lab.start()
    kept = await lab.run(note="x" * 60_000)
    lab.clock.advance(3600)
    assert (await lab.engine.repair()).orphans == 0
    lab.clock.advance(86400)
    assert (await lab.engine.repair()).orphans == 1
    assert {name.split("/")[1] for name in lab.blobs.names()} == {kept.job_id}


async def test_a_repair_goes_on_where_the_last_one_stopped(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = [await lab.run(n=n) for n in range(6)]
    for job in jobs:
        await lab.documents.delete(JOBS, job.job_id, job.job_id)
    lab.clock.advance(7200)
    whole = lab.blobs.list_page

    async def slowly(prefix: str, cursor: str | None = None, limit: int = 5000) -> BlobPage:
        lab.clock.advance(200)
        page: BlobPage = await whole(prefix, cursor, 2)
        return page

    monkeypatch.setattr(lab.blobs, "list_page", slowly)
    assert [(report.projected, report.more) for report in (await lab.engine.repair(), await lab.engine.repair())] == [
        (4, True),
        (2, False),
    ]
    for job in jobs:
        await lab.settled(job.job_id, Status.COMPLETED)


class Putting:
    """Runs messages as the app does."""

    def __init__(self, lab: Lab) -> None:
        self.process = lab.engine.process_or_put_back
        self.record_or_put_back = lab.engine.record_or_put_back


async def test_a_payload_put_on_a_queue_by_hand_that_no_message_of_ours_can_carry(lab: Lab) -> None:
    """Plain JSON of up to 64 KiB comes through; in Base64, as this app sends its own, it would not."""

    async def once_more(payload: Work, job: Any) -> Any:
        if job.attempt == 1:
            raise Broken("try it again")
        return {"note": len(payload.note)}

    lab.script, job_id = once_more, str(uuid7())
    payload = {"n": 1, "note": "x" * 50_000}
    text = {
        "kind": "work",
        "job_id": job_id,
        "payload_version": 1,
        "payload": payload,
        "sent_at": "2026-01-05T12:00:00Z",
    }
    await lab.queues.send(lab.settings.queue_normal, json.dumps(text))
    await lab.host.pump(Putting(lab))
    lab.clock.advance(9)
    await lab.host.pump(Putting(lab))
    job = await lab.settled(job_id, Status.COMPLETED)
    assert (job.results, job.payload, bool(job.payload_blob)) == ({"note": 50_000}, None, True)


async def test_a_replay_by_the_queue_with_such_a_payload(lab: Lab) -> None:
    job, letter = await failed_long_ago(lab)
    text = json.loads(base64.b64decode((await lab.engine.vault.get(letter)).message_text))
    text["payload"]["note"] = "x" * 50_000
    lab.start(Faults())
    await lab.queues.send(lab.settings.queue_normal, json.dumps(text))
    await lab.host.pump(Putting(lab))
    replayed = await lab.settled(job.job_id, Status.COMPLETED)
    assert (replayed.payload, bool(replayed.payload_blob)) == (None, True)


async def test_what_is_too_large_to_be_sent_does_not_end_a_sweep(lab: Lab) -> None:
    """A job from before its payload was kept apart."""
    lab.start(Faults(only="queues.send".__eq__))
    large, other = (await lab.submit(n=1)).job, (await lab.submit(n=2)).job
    lab.start()
    current = await lab.engine.get(large.job_id)
    grown = current.value.model_copy(update={"payload": {"note": "x" * 60_000}, "version": 2})
    await lab.engine.deps.status.write(current, grown)
    assert (await ended(lab, other.job_id)).status is Status.COMPLETED


async def test_a_dead_letter_that_the_vault_does_not_show_yet_is_not_kept_twice(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one client of Cosmos DB has written another may see a moment later; the record names the letter."""
    read = lab.documents.read

    async def behind(container: str, pk: str, id: str) -> Any:
        return None if container == "dead-letters" else await read(container, pk, id)

    async def boom(payload: Work, job: Any) -> Any:
        raise FinalError("on purpose")

    monkeypatch.setattr(lab.documents, "read", behind)
    lab.script = boom
    job = await lab.run()
    assert [letter.id for letter in await lab.letters()] == [job.dead_letter_id]
