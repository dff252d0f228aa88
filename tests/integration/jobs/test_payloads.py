"""Payloads: big ones travel as blobs, old ones are upgraded, newer ones wait."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from uuid_utils import uuid7

from shared.jobs.dead_letters.replay import ReplayOutcome
from shared.jobs.dead_letters.vault import Reason
from shared.jobs.envelope import Envelope, decode, encode, text_of
from shared.jobs.errors import FinalError
from shared.jobs.model import Status
from shared.jobs.testing import Faults
from shared.ports import StorageError
from support.lab import Lab

BIG = "ü" * 30_000


def envelope(lab: Lab, job_id: str | None = None, **changes: Any) -> Envelope:
    content = {
        "kind": "grown", "job_id": job_id or str(uuid7()), "payload_version": 1, "payload": {"number": 5},
        "sent_at": lab.clock.now(), **changes,
    }  # fmt: skip
    return Envelope.model_validate(content)


async def test_a_big_payload_goes_through_a_blob(lab: Lab) -> None:
    seen = []

    async def look(payload: Any, job: Any) -> None:
        seen.append(payload.note)

    lab.script = look
    ticket = await lab.submit(note=BIG)
    (message,) = await lab.queues.peek(lab.settings.queue_normal)
    assert len(message.text) < 4096
    blob = await lab.blobs.read(ticket.job.payload_blob or "")
    assert blob is not None
    assert json.loads(blob.data)["note"] == BIG
    await lab.pump()
    await lab.settled(ticket.job.job_id, Status.COMPLETED)
    assert seen == [BIG]


async def test_a_big_payload_survives_failure_and_replay_with_a_bigger_one(lab: Lab) -> None:
    seen = []

    async def fails(payload: Any, job: Any) -> None:
        seen.append(payload.note)
        if not payload.note.endswith("mended"):
            raise FinalError

    lab.script = fails
    job = await lab.run(note=BIG)
    (letter,) = await lab.letters(job_id=job.job_id)
    assert letter.payload is None
    result = await lab.engine.replays.one(letter.id, payload={"note": BIG + BIG + "mended"})
    assert result.outcome is ReplayOutcome.REPLAYED
    await lab.pump()
    job = await lab.settled(job.job_id, Status.COMPLETED)
    assert seen == [BIG, BIG + BIG + "mended"]


async def test_a_small_payload_replaced_by_a_big_one_and_back(lab: Lab) -> None:
    seen = []

    async def fails(payload: Any, job: Any) -> None:
        seen.append(len(payload.note))
        if len(seen) < 3:
            raise FinalError

    lab.script = fails
    job = await lab.run(note="small")
    for note in (BIG, "small again"):
        job = await lab.job(job.job_id)
        await lab.engine.replays.one(job.dead_letter_id or "", payload={"note": note})
        await lab.pump()
    job = await lab.settled(job.job_id, Status.COMPLETED)
    assert seen == [5, 30_000, 11]
    assert job.payload_blob is None


async def test_a_payload_blob_that_is_gone_fails_the_job_for_good(lab: Lab) -> None:
    ticket = await lab.submit(note=BIG)
    await lab.blobs.delete(ticket.job.payload_blob)
    await lab.pump()
    job = await lab.settled(ticket.job.job_id, Status.FAILED)
    assert job.error is not None
    assert job.error.type == "UnreadableError"
    assert lab.runs == []


async def test_an_old_payload_is_upgraded_step_by_step(lab: Lab) -> None:
    seen = []

    async def look(payload: Any, job: Any) -> None:
        seen.append((payload.n, payload.note))

    lab.script = look
    old = envelope(lab)
    await lab.queues.send(lab.settings.queue_normal, encode(old))
    await lab.pump()
    job = await lab.settled(old.job_id, Status.COMPLETED)
    assert seen == [(5, "upgraded")]
    assert job.history[0].event == "adopted from a message"


async def test_a_newer_payload_waits_without_spending_an_attempt(lab: Lab) -> None:
    ticket = await lab.submit("grown")
    newer = envelope(lab, ticket.job.job_id, payload_version=4)
    (message,) = await lab.queues.peek(lab.settings.queue_normal)
    await drain(lab)
    await lab.queues.send(lab.settings.queue_normal, encode(newer))
    await lab.pump()
    job = await lab.job(ticket.job.job_id)
    assert (job.status, job.attempt, lab.runs) == (Status.QUEUED, 0, [])
    (waiting,) = lab.queues.waiting
    assert decode_text(waiting.text) == newer
    assert (waiting.visible_at - lab.clock.now()).total_seconds() == 60
    assert await lab.letters() == []
    assert decode_text(message.text).payload_version == 3


async def test_a_newer_payload_without_a_job_goes_to_the_vault(lab: Lab) -> None:
    newer = envelope(lab, payload_version=4, payload={"of": "tomorrow"})
    text = encode(newer)
    await lab.queues.send(lab.settings.queue_normal, text)
    await lab.pump()
    (letter,) = await lab.letters()
    assert (letter.reason, letter.message_text, letter.payload) == (Reason.UNKNOWN, text, {"of": "tomorrow"})
    assert (await lab.engine.replays.one(letter.id)).outcome is ReplayOutcome.INVALID
    assert lab.runs == []


async def test_a_message_of_another_kind_than_its_job(lab: Lab) -> None:
    ticket = await lab.submit("work")
    await drain(lab)
    await lab.queues.send(lab.settings.queue_normal, encode(envelope(lab, ticket.job.job_id)))
    await lab.pump()
    assert [letter.reason for letter in await lab.letters()] == [Reason.UNKNOWN]
    assert lab.runs == []
    await lab.recover()
    await lab.settled(ticket.job.job_id, Status.COMPLETED)


async def test_a_record_that_an_envelope_made_up_is_not_believed(lab: Lab) -> None:
    """A claim rests on the ETag; whatever else a message says of its job is checked against the blob."""
    ticket = await lab.submit()
    await drain(lab)
    forged = ticket.job.model_copy(update={"status": Status.COMPLETED, "version": 9})
    forged_envelope = envelope(
        lab, ticket.job.job_id, kind="work", payload={"n": 1}, payload_version=1, etag='"0x1"', record=forged
    )
    await lab.queues.send(lab.settings.queue_normal, encode(forged_envelope))
    await lab.pump()
    await lab.recover()
    await lab.settled(ticket.job.job_id, Status.COMPLETED)
    assert len(lab.runs) == 1


async def drain(lab: Lab) -> None:
    """Take away what the app has sent."""
    for message in await lab.storage_queues.receive(lab.settings.queue_normal):
        await lab.storage_queues.delete(lab.settings.queue_normal, message)


def decode_text(text: str) -> Envelope:
    assert text == text_of(base64.b64decode(text))
    return decode(base64.b64decode(text))


async def test_an_edited_payload_whose_replay_failed_is_not_run_by_the_next(lab: Lab) -> None:
    seen = []

    async def look(payload: Any, job: Any) -> None:
        seen.append(payload.note)
        if not payload.note:
            raise FinalError

    lab.script = look
    job = await lab.run()
    letter_id = (await lab.job(job.job_id)).dead_letter_id or ""
    lab.start(Faults(only=lambda name: name == "blobs.replace"))
    with pytest.raises(StorageError):
        await lab.engine.replays.one(letter_id, payload={"note": BIG})
    lab.start()
    await lab.engine.replays.one(letter_id, payload={"note": BIG + "!"})
    await lab.pump()
    await lab.settled(job.job_id, Status.COMPLETED)
    assert seen == ["", BIG + "!"]


async def test_a_message_outlives_the_record_that_it_carries(lab: Lab) -> None:
    ticket = await lab.submit(n=3)
    await lab.blobs.delete(f"jobs/{ticket.job.job_id}/status.json")
    assert await lab.pump() == 1
    job = await lab.job(ticket.job.job_id)
    assert (job.status, job.results) == (Status.COMPLETED, {"n": 3})
    assert [entry.event for entry in job.history] == ["adopted from a message", "claimed", "completed"]
