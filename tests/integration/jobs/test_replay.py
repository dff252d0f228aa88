"""Dead letters come back: through the API, by the vault's text on the queue, by the host's own text moved."""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest

from shared.jobs.dead_letters import recorder
from shared.jobs.dead_letters.replay import ReplayOutcome
from shared.jobs.dead_letters.vault import DeadLetter, Filter
from shared.jobs.envelope import Delivery
from shared.jobs.errors import DeadLetterNotFoundError, FinalError
from shared.jobs.model import Job, Status
from support.lab import Lab, Work, succeed


async def picky(payload: Work, job: Any) -> Any:
    """Fail unless the note says otherwise."""
    if payload.note != "mended":
        raise FinalError("not mended")
    return await succeed(payload, job)


async def failed(lab: Lab, **payload: Any) -> tuple[Job, DeadLetter]:
    lab.script = picky
    job = await lab.run(**payload)
    return await lab.settled(job.job_id, Status.FAILED), (await lab.letters(job_id=job.job_id))[0]


async def test_one_through_the_api(lab: Lab) -> None:
    job, letter = await failed(lab, n=4)
    lab.script = succeed
    result = await lab.engine.replays.one(letter.id, by="ann")
    assert (result.outcome, result.job_id) == (ReplayOutcome.REPLAYED, job.job_id)
    await lab.pump()
    job = await lab.settled(job.job_id, Status.COMPLETED)
    assert (job.results, job.replays, job.failures) == ({"n": 4}, 1, 0)
    (entry,) = [entry for entry in job.history if entry.event == "replayed"]
    assert entry.detail == "ann"
    (replay,) = (await lab.engine.vault.get(letter.id)).replays
    assert (replay.by, replay.job_id, replay.edited) == ("ann", job.job_id, False)


async def test_with_an_edited_payload(lab: Lab) -> None:
    job, letter = await failed(lab)
    result = await lab.engine.replays.one(letter.id, payload={"n": 2, "note": "mended"})
    assert result.outcome is ReplayOutcome.REPLAYED
    await lab.pump()
    job = await lab.settled(job.job_id, Status.COMPLETED)
    assert job.results == {"n": 2}
    assert (await lab.engine.vault.get(letter.id)).replays[0].edited


async def test_an_edit_that_does_not_fit_names_the_field(lab: Lab) -> None:
    job, letter = await failed(lab)
    result = await lab.engine.replays.one(letter.id, payload={"n": "two", "colour": "red"})
    assert result.outcome is ReplayOutcome.INVALID
    assert {field for field, _ in result.problems} == {"n", "colour"}
    assert (await lab.job(job.job_id)).version == job.version


@pytest.mark.parametrize("payload", [None, {"note": "mended"}])
async def test_a_dry_run_changes_nothing(lab: Lab, payload: dict[str, Any] | None) -> None:
    job, letter = await failed(lab)
    result = await lab.engine.replays.one(letter.id, payload=payload, dry_run=True)
    assert result.outcome is ReplayOutcome.WOULD_REPLAY
    assert await lab.pump() == 0
    assert await lab.job(job.job_id) == job
    assert await lab.engine.vault.get(letter.id) == letter


async def test_twice_is_not_failed(lab: Lab) -> None:
    _, letter = await failed(lab)
    lab.script = succeed
    results = await asyncio.gather(*(lab.engine.replays.one(letter.id) for _ in range(5)))
    assert sorted(result.outcome for result in results) == [ReplayOutcome.NOT_FAILED] * 4 + [ReplayOutcome.REPLAYED]
    await lab.pump()
    assert (await lab.engine.replays.one(letter.id)).outcome is ReplayOutcome.NOT_FAILED
    assert len(lab.runs) == 2


async def test_an_unknown_dead_letter(lab: Lab) -> None:
    with pytest.raises(DeadLetterNotFoundError):
        await lab.engine.replays.one("a5d4cd1d-0000-0000-0000-000000000000")


async def test_by_filter(lab: Lab) -> None:
    jobs = [(await failed(lab, n=n))[0] for n in range(3)]
    lab.script = picky
    other = await lab.run("own")
    results, cursor = await lab.engine.replays.some(Filter(kind="work"), limit=2, dry_run=True)
    assert [result.outcome for result in results] == [ReplayOutcome.WOULD_REPLAY] * 2
    assert cursor
    lab.script = succeed
    results, cursor = await lab.engine.replays.some(Filter(kind="work"))
    assert ({result.job_id for result in results}, cursor) == ({job.job_id for job in jobs}, None)
    await lab.pump()
    for job in jobs:
        await lab.settled(job.job_id, Status.COMPLETED)
    await lab.settled(other.job_id, Status.FAILED)
    assert await lab.engine.replays.some(Filter(kind="work")) == ([], None)


@pytest.mark.parametrize("encode", [lambda text: text, lambda text: base64.b64encode(text.encode()).decode()])
async def test_the_vaults_text_pasted_on_the_queue(lab: Lab, encode: Any) -> None:
    job, letter = await failed(lab, n=6)
    lab.script = succeed
    await lab.queues.send(letter.queue, encode(letter.message_text))
    await lab.pump()
    job = await lab.settled(job.job_id, Status.COMPLETED)
    assert (job.results, job.replays) == ({"n": 6}, 1)
    assert [replay.by for replay in (await lab.engine.vault.get(letter.id)).replays] == ["queue"]


async def test_a_text_pasted_twice_runs_once(lab: Lab) -> None:
    job, letter = await failed(lab)
    lab.script = succeed
    for _ in range(3):
        await lab.queues.send(letter.queue, letter.message_text)
    await lab.pump()
    assert (await lab.settled(job.job_id, Status.COMPLETED)).replays == 1
    assert len(lab.runs) == 2


async def test_a_text_edited_by_hand(lab: Lab) -> None:
    job, letter = await failed(lab)
    edited = base64.b64decode(letter.message_text).replace(b'"note":""', b'"note":"mended"')
    await lab.queues.send(letter.queue, base64.b64encode(edited).decode())
    await lab.pump()
    job = await lab.settled(job.job_id, Status.COMPLETED)
    assert job.payload == {"n": 1, "key": "", "note": "mended"}


async def test_a_failed_replay_has_a_dead_letter_of_its_own(lab: Lab) -> None:
    job, first = await failed(lab)
    await lab.queues.send(first.queue, first.message_text)
    await lab.pump()
    await lab.recover()
    job = await lab.settled(job.job_id, Status.FAILED)
    assert job.dead_letter_id != first.id
    assert (await lab.engine.replays.one(first.id)).outcome is ReplayOutcome.NOT_FAILED
    lab.script = succeed
    assert (await lab.engine.replays.one(job.dead_letter_id or "")).outcome is ReplayOutcome.REPLAYED
    await lab.pump()
    assert (await lab.settled(job.job_id, Status.COMPLETED)).replays == 2


async def test_what_the_host_moved_to_the_poison_queue_moved_back(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """The host's copy carries no word of its dead letter: its time, later than the failure, says what it is."""
    monkeypatch.setattr(recorder, "MOST_MOVED", 0)
    ticket = await lab.submit(n=8)
    (message,) = await lab.storage_queues.receive(lab.settings.queue_normal)
    await lab.storage_queues.delete(lab.settings.queue_normal, message)
    await lab.queues.send(f"{lab.settings.queue_normal}-poison", message.text)
    await lab.pump()
    job = await lab.settled(ticket.job.job_id, Status.FAILED)
    await lab.queues.send(lab.settings.queue_normal, message.text)
    await asyncio.sleep(1.2)  # the service tells times in whole seconds
    await lab.queues.send(lab.settings.queue_normal, message.text)
    await lab.pump()
    job = await lab.settled(ticket.job.job_id, Status.COMPLETED)
    assert (job.results, job.replays) == ({"n": 8}, 1)
    assert len(lab.runs) == 1


async def test_a_dead_letter_whose_job_is_gone_makes_a_new_one(lab: Lab) -> None:
    job, letter = await failed(lab, n=9)
    await lab.blobs.delete(f"jobs/{job.job_id}/status.json")
    lab.script = succeed
    result = await lab.engine.replays.one(letter.id)
    assert result.job_id not in (None, job.job_id)
    await lab.pump()
    assert (await lab.settled(result.job_id or "", Status.COMPLETED)).results == {"n": 9}


async def test_a_late_copy_of_a_message_is_no_replay(lab: Lab) -> None:
    """A send whose answer was lost is made again, and a message put back is a new one: both may come after the failure."""
    ticket = await lab.submit()
    (message,) = await lab.queues.peek(lab.settings.queue_normal)
    lab.script = picky
    await lab.pump()
    failed = await lab.settled(ticket.job.job_id, Status.FAILED)
    await asyncio.sleep(1.2)  # the service tells times in whole seconds
    await lab.queues.send(lab.settings.queue_normal, message.text)
    await lab.pump()
    assert await lab.settled(ticket.job.job_id, Status.FAILED) == failed
    assert len(lab.runs) == 1


async def test_all_of_them_are_each_job_once_though_what_failed_again_comes_back(lab: Lab) -> None:
    jobs = [(await failed(lab, n=n))[0] for n in range(5)]
    ran, cursor, replayed = len(lab.runs), None, []
    while True:
        lab.clock.advance(1)
        results, cursor = await lab.engine.replays.some(Filter(), limit=2, cursor=cursor)
        replayed += [result.job_id for result in results if result.outcome is ReplayOutcome.REPLAYED]
        await lab.pump()  # each fails again at once, as the newest dead letter of all
        if cursor is None:
            break
    assert sorted(map(str, replayed)) == sorted(job.job_id for job in jobs)
    assert len(lab.runs) - ran == len(jobs)
    again = await lab.letters(replayed=False)
    assert sorted(str(letter.job_id) for letter in again) == sorted(job.job_id for job in jobs)


async def test_what_cannot_be_replayed_does_not_stand_before_what_can(lab: Lab) -> None:
    job, letter = await failed(lab)
    lab.script = succeed
    lab.clock.advance(10)
    for n in range(3):
        await lab.engine.process(Delivery(lab.settings.queue_normal, str(n), b"garbage"))
    refused, cursor = await lab.engine.replays.some(Filter(), limit=2)
    results, cursor = await lab.engine.replays.some(Filter(), limit=2, cursor=cursor)
    assert [result.outcome for result in (*refused, *results)] == [ReplayOutcome.INVALID] * 3 + [ReplayOutcome.REPLAYED]
    assert cursor is None
    assert results[-1].dead_letter_id == letter.id
    await lab.pump()
    await lab.settled(job.job_id, Status.COMPLETED)


async def test_a_dead_letter_without_a_job_replayed_twice_at_once_makes_one(lab: Lab) -> None:
    job, letter = await failed(lab)
    await lab.blobs.delete(f"jobs/{job.job_id}/status.json")
    lab.script = succeed
    results = await asyncio.gather(*(lab.engine.replays.one(letter.id) for _ in range(4)))
    assert ReplayOutcome.REPLAYED in {result.outcome for result in results}
    assert len({result.job_id for result in results if result.job_id}) == 1
    await lab.pump()
    assert len(lab.runs) == 2
    again = await lab.engine.replays.one(letter.id)
    assert again.outcome is ReplayOutcome.REPLAYED
    assert again.job_id not in {result.job_id for result in results}


async def test_the_vaults_text_pasted_when_the_job_is_gone(lab: Lab) -> None:
    job, letter = await failed(lab, n=6)
    await lab.blobs.delete(f"jobs/{job.job_id}/status.json")
    lab.script = succeed
    await lab.queues.send(letter.queue, letter.message_text)
    await lab.pump()
    again = await lab.job(job.job_id)
    assert (again.status, again.results) == (Status.COMPLETED, {"n": 6})
    (replay,) = (await lab.engine.vault.get(letter.id)).replays
    assert (replay.by, replay.job_id) == ("queue", job.job_id)
