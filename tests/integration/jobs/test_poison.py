"""The poison trigger: what the host gave up is recorded, and its job settled."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from shared.jobs.dead_letters import recorder
from shared.jobs.dead_letters.recorder import MOST_MOVED
from shared.jobs.dead_letters.vault import Reason
from shared.jobs.engine import Engine
from shared.jobs.envelope import Delivery
from shared.jobs.kinds import Queues, Registry
from shared.jobs.model import Status
from shared.jobs.testing import Faults
from shared.ports import StorageError
from support.lab import Lab

RAW = "this is not Base64: ü"


async def conflict(lab: Lab) -> Delivery:
    """The message of the only job, as the poison trigger gets it."""
    (message,) = await lab.storage_queues.receive(lab.settings.queue_normal)
    await lab.storage_queues.delete(lab.settings.queue_normal, message)
    body = base64.b64decode(message.text)
    return Delivery(f"{lab.settings.queue_normal}-poison", "moved", body, message.inserted_at)


async def moved_as_often_as_may_be(lab: Lab) -> Delivery:
    """The message of a job that is queued, as often as it is sent again: each time the host moves it without a run."""
    delivery = await conflict(lab)
    for _ in range(MOST_MOVED):
        assert await lab.engine.record(delivery) == "sent again"
        lab.clock.advance(60 * MOST_MOVED)
        await lab.queues.release()
        delivery = await conflict(lab)
    return delivery


async def test_a_message_that_the_host_moved_without_a_run_is_sent_again(lab: Lab) -> None:
    ticket = await lab.submit()
    await lab.engine.record(await conflict(lab))
    assert await lab.letters() == []
    await lab.recover()
    job = await lab.settled(ticket.job.job_id, Status.COMPLETED)
    assert [entry.event for entry in job.history] == ["submitted", "moved by the host", "claimed", "completed"]
    assert (job.moved, job.attempt) == (0, 1)


async def test_one_that_died_after_it_was_counted_is_left_to_the_sweep(lab: Lab) -> None:
    ticket = await lab.submit()
    lab.start(Faults(only="queues.send".__eq__))
    await lab.engine.record(await conflict(lab))
    lab.start()
    await lab.recover()
    await lab.settled(ticket.job.job_id, Status.COMPLETED)


async def test_a_queued_job_fails_that_never_gets_a_run(lab: Lab) -> None:
    ticket = await lab.submit(n=2)
    delivery = await moved_as_often_as_may_be(lab)
    assert await lab.engine.record(delivery) == "recorded: job failed"
    job = await lab.settled(ticket.job.job_id, Status.FAILED)
    (letter,) = await lab.letters()
    assert (letter.reason, letter.id, letter.payload) == (
        Reason.HOST,
        job.dead_letter_id,
        {"n": 2, "key": "", "note": ""},
    )
    assert job.error is not None
    assert job.error.type == "HostGaveUpError"
    assert f"{MOST_MOVED + 1} times" in job.error.message


async def test_a_redelivery_changes_nothing(lab: Lab) -> None:
    ticket = await lab.submit()
    delivery = await moved_as_often_as_may_be(lab)
    await lab.engine.record(delivery)
    before = await lab.job(ticket.job.job_id)
    for _ in range(3):
        await lab.engine.record(delivery)
    await lab.recover()
    job = await lab.settled(ticket.job.job_id, Status.FAILED)
    assert job == before


async def test_a_live_lease_is_left_alone(lab: Lab) -> None:
    running, go_on = asyncio.Event(), asyncio.Event()

    async def slow(payload: Any, job: Any) -> None:
        running.set()
        await go_on.wait()

    lab.script = slow
    ticket = await lab.submit()
    delivery = await conflict(lab)
    worker = asyncio.create_task(
        lab.engine.process(Delivery(lab.settings.queue_normal, "m", delivery.body, delivery.inserted_at))
    )
    await running.wait()
    assert await lab.engine.record(delivery) == "dropped: the job is running"
    assert await lab.letters() == []
    go_on.set()
    assert await worker == "completed"
    await lab.settled(ticket.job.job_id, Status.COMPLETED)


async def test_a_lapsed_lease_is_settled(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "MOST_MOVED", 0)
    hanging, running = asyncio.Event(), asyncio.Event()

    async def hang(payload: Any, job: Any) -> None:
        running.set()
        await hanging.wait()

    lab.script = hang
    ticket = await lab.submit()
    delivery = await conflict(lab)
    worker = asyncio.create_task(
        lab.engine.process(Delivery(lab.settings.queue_normal, "m", delivery.body, delivery.inserted_at))
    )
    await running.wait()
    lab.clock.advance(61)
    assert await lab.engine.record(delivery) == "recorded: job failed"
    hanging.set()
    assert await worker == "superseded"
    await lab.settled(ticket.job.job_id, Status.FAILED)


async def test_it_raises_while_the_vault_is_down_and_the_message_stays(lab: Lab) -> None:
    ticket = await lab.submit()
    delivery = await moved_as_often_as_may_be(lab)
    lab.start(Faults(only=lambda name: name.startswith("dead-letters")))
    with pytest.raises(StorageError):
        await lab.engine.record(delivery)
    with pytest.raises(StorageError):
        await lab.engine.record(Delivery(delivery.queue, "x", b"garbage"))
    assert (await lab.job(ticket.job.job_id)).status is Status.QUEUED
    lab.start()
    await lab.engine.record(delivery)
    await lab.settled(ticket.job.job_id, Status.FAILED)


async def test_a_job_that_nobody_has_heard_of(lab: Lab) -> None:
    body = {
        "kind": "work", "job_id": "01a20266-6806-72a8-822d-9c048db10d4c", "payload_version": 1,
        "payload": {"n": 5}, "sent_at": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    delivery = Delivery(f"{lab.settings.queue_normal}-poison", "m", json.dumps(body).encode())
    assert await lab.engine.record(delivery) == "recorded: no such job"
    (letter,) = await lab.letters()
    assert letter.payload == {"n": 5}
    result = await lab.engine.replays.one(letter.id)
    await lab.pump()
    assert (await lab.settled(result.job_id or "", Status.COMPLETED)).results == {"n": 5}


async def test_text_that_is_not_base64_is_kept_too(lab: Lab) -> None:
    await lab.queues.send(lab.settings.queue_normal, RAW)
    await lab.pump()
    (letter,) = await lab.letters()
    assert (base64.b64decode(letter.body_base64 or "").decode(), letter.reason) == (RAW, Reason.UNREADABLE)
    assert letter.queue == lab.settings.queue_normal


async def test_what_cannot_be_recorded_goes_back_as_a_fresh_message(lab: Lab) -> None:
    poison = f"{lab.settings.queue_normal}-poison"
    lab.start(Faults(only="dead-letters.create".__eq__))
    assert await lab.engine.record_or_put_back(Delivery(poison, "", b"garbage")) == "put back"
    lab.start(Faults(only=lambda call: call in ("dead-letters.create", "queues.send")))
    with pytest.raises(StorageError):
        await lab.engine.record_or_put_back(Delivery(poison, "", b"garbage"))
    lab.start()
    await lab.recover()
    (letter,) = await lab.letters()
    assert letter.queue == lab.settings.queue_normal


async def test_while_the_vault_is_down_each_delivery_is_of_a_fresh_message(lab: Lab) -> None:
    """The host stops running a message after so many deliveries, even if it has nowhere to move it to."""
    lab.start(Faults(only=lambda name: name.startswith("dead-letters")))
    await lab.queues.send(f"{lab.settings.queue_normal}-poison", base64.b64encode(b"garbage").decode())
    for _ in range(10):
        await lab.pump()
        lab.clock.advance(61)
    assert [said for _, said in lab.host.deliveries] == ["put back"] * 10
    lab.start()
    await lab.recover()
    (letter,) = await lab.letters()
    assert base64.b64decode(letter.message_text) == b"garbage"


async def test_a_message_that_fails_at_every_delivery_is_sent_again(lab: Lab) -> None:
    lab.start(Faults(only="blobs.replace".__eq__))
    ticket = await lab.submit()
    await lab.pump()
    assert [delivery.dequeue_count for delivery, _ in lab.host.deliveries[:5]] == [1, 2, 3, 4, 5]
    lab.start()
    await lab.recover()
    await lab.settled(ticket.job.job_id, Status.COMPLETED)
    assert len(lab.runs) == 1


async def test_a_job_whose_kind_is_not_known_waits_for_newer_code(lab: Lab) -> None:
    ticket = await lab.submit(n=2)
    delivery = await conflict(lab)
    kinds = [kind for kind in lab.engine.deps.kinds if kind.name != "work"]
    older = Engine(replace(lab.engine.deps, kinds=Registry(kinds, Queues(), lab.settings)))
    await older.record(delivery)
    (letter,) = await lab.letters()
    assert (letter.job_id, letter.job_status, letter.kind) == (ticket.job.job_id, Status.QUEUED, "work")
    assert (await lab.job(ticket.job.job_id)).status is Status.QUEUED


async def test_a_message_whose_job_has_no_readable_record(lab: Lab) -> None:
    ticket = await lab.submit(n=2)
    delivery = await conflict(lab)
    await lab.blobs.replace(f"jobs/{ticket.job.job_id}/status.json", b"{}", ticket.etag)
    await lab.engine.record(delivery)
    (letter,) = await lab.letters()
    assert (letter.job_id, letter.payload) == (ticket.job.job_id, {"n": 2, "key": "", "note": ""})
