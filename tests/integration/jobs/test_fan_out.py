"""Fan-out over real storage: a job that is made of jobs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest

from shared.jobs.children import Children
from shared.jobs.dead_letters import recorder
from shared.jobs.envelope import Delivery, encode, envelope_of
from shared.jobs.errors import FinalError, RetryLater, Snooze
from shared.jobs.fanning import Child
from shared.jobs.model import Job, Status
from shared.ports import Query, Where
from support.lab import Lab, Work, succeed


async def _rest(lab: Lab, rounds: int = 60) -> None:
    """Let the host deliver until nothing is left; the parent snoozes meanwhile."""
    for _ in range(rounds):
        if not await lab.pump() and lab.queues.idle:
            return
        lab.clock.advance(20)
    raise AssertionError("no rest")


async def test_a_parent_counts_its_children(lab: Lab) -> None:
    ticket = await lab.submit("many", n=7)
    await _rest(lab)
    parent = await lab.settled(ticket.job.job_id, Status.COMPLETED)
    assert parent.results == {
        "outcome": "completed", "children": 7, "completed": 7, "failed": 0, "cancelled": 0, "tally": {"n": 21},
        "failures": [],
    }  # fmt: skip
    assert parent.progress is not None
    assert (parent.progress.completed, parent.progress.total) == (7, 7)
    children = await lab.children(parent.job_id)
    assert [(child.results, child.attempt) for child in children] == [({"n": n}, 1) for n in range(7)]


async def test_no_more_children_are_under_way_than_the_width(lab: Lab) -> None:
    ticket = await lab.submit("many", n=6)
    most = 0
    for _ in range(20):
        children = await lab.children(ticket.job.job_id)
        most = max(most, sum(not child.status.final for child in children))
        await lab.pump()
        lab.clock.advance(20)
    assert most <= 2
    assert (await lab.settled(ticket.job.job_id, Status.COMPLETED)).fan_out.next == 6  # type: ignore[union-attr]


async def test_children_that_fail_are_listed(lab: Lab) -> None:
    async def script(payload: Work, job: Any) -> Any:
        if payload.n % 2:
            raise FinalError(f"number {payload.n}")
        return await succeed(payload, job)

    lab.script = script
    ticket = await lab.submit("many", n=5)
    await _rest(lab)
    parent = await lab.settled(ticket.job.job_id, Status.COMPLETED)
    results: Any = parent.results
    assert results["outcome"] == "completed with failures"
    assert (results["completed"], results["failed"]) == (3, 2)
    told = {(lost["key"], lost["error"]) for lost in results["failures"]}
    assert told == {("child 1", "FinalError: number 1"), ("child 3", "FinalError: number 3")}


async def test_a_child_that_retries_is_waited_for(lab: Lab) -> None:
    async def script(payload: Work, job: Any) -> Any:
        if payload.n == 1 and job.job.failures < 2:
            raise RetryLater(40, "not yet")
        return await succeed(payload, job)

    lab.script = script
    ticket = await lab.submit("many", n=3)
    await _rest(lab)
    parent = await lab.settled(ticket.job.job_id, Status.COMPLETED)
    assert parent.failures == 0
    assert any(entry.event == "suspended" for entry in parent.history)


async def test_nothing_to_do_is_done_at_once(lab: Lab) -> None:
    job = await lab.run("many", n=0)
    assert isinstance(job.results, dict)
    assert (job.status, job.results["children"]) == (Status.COMPLETED, 0)


async def test_cancelling_a_parent_cancels_its_children(lab: Lab) -> None:
    async def script(payload: Work, job: Any) -> Any:
        raise Snooze(3600, "for ever and a day")

    lab.script = script
    ticket = await lab.submit("many", n=5)
    await lab.pump()
    parent = await lab.job(ticket.job.job_id)
    assert parent.status is Status.QUEUED, "it snoozes"
    current = await lab.engine.cancel(parent.job_id)
    assert current.value.cancel_requested
    await lab.pump()
    await lab.settled(parent.job_id, Status.CANCELLED)
    children = await lab.children(parent.job_id)
    assert [child.status for child in children] == [Status.CANCELLED] * 2


async def test_a_child_that_nothing_can_start_does_not_keep_its_parent_from_being_cancelled(lab: Lab) -> None:
    """Such as one whose kind this version of the app does not know any more, or whose payload does not fit now."""
    lab.script = _snooze_an_hour
    ticket = await lab.submit("many", n=5)
    await lab.pump()
    parent = await lab.job(ticket.job.job_id)
    assert parent.fan_out is not None
    plan = await lab.blobs.read(parent.fan_out.plan)
    await lab.blobs.replace(parent.fan_out.plan, plan.data.replace(b'"work", {"n": 0}', b'"gone", {}'), plan.etag)
    await lab.engine.cancel(parent.job_id)
    await lab.pump()
    await lab.settled(parent.job_id, Status.CANCELLED)
    assert sum(child.status is Status.CANCELLED for child in await lab.children(parent.job_id)) == 1


async def _snooze_an_hour(payload: Work, job: Any) -> Any:
    raise Snooze(3600)


async def test_a_parent_of_a_paused_kind_can_be_cancelled(lab: Lab) -> None:
    async def script(payload: Work, job: Any) -> Any:
        raise Snooze(3600)

    lab.script = script
    ticket = await lab.submit("many", n=5)
    await lab.pump()
    await lab.engine.pauses.set("many", paused=True)
    await lab.engine.cancel(ticket.job.job_id)
    await lab.pump()
    await lab.settled(ticket.job.job_id, Status.CANCELLED)


async def test_children_are_found_by_their_parent_in_the_index(lab: Lab) -> None:
    ticket = await lab.submit("many", n=3)
    await _rest(lab)
    page = await lab.documents.query("jobs", Query((Where("parent_id", "=", ticket.job.job_id),)))
    assert len(page.items) == 3
    assert all("fan_out" not in item for item in page.items)


async def test_the_plan_is_made_once(lab: Lab) -> None:
    """A parent that failed after it had planned goes on, when it is replayed, with the plan that it made."""
    lab.start()
    ticket = await lab.submit("many", n=4)
    await lab.pump()
    current = await lab.engine.get(ticket.job.job_id)
    assert current.value.fan_out is not None
    plan = await lab.blobs.read(current.value.fan_out.plan)
    await _rest(lab)
    assert (await lab.blobs.read(current.value.fan_out.plan)).data == plan.data
    assert plan.data.count(b"\n") == 3


async def test_two_children_of_one_key_are_refused(lab: Lab) -> None:
    async def doubled() -> AsyncIterator[Child]:
        yield Child("a", "work", {})
        yield Child("a", "work", {})

    ticket = await lab.submit("work")
    current = await lab.engine.get(ticket.job.job_id)
    with pytest.raises(FinalError, match="same key"):
        await lab.engine.children.plan(current.value, doubled())


async def test_a_busy_parent_lets_go_of_its_worker_in_time(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where some child has ended whenever the parent looks, it never waits; its attempts have an end all the same."""
    look = lab.engine.children.read

    async def busy(parent: Job, children: Iterable[Child]) -> list[Job | None]:
        children = list(children)
        lab.clock.advance(1)
        for child in await look(parent, children):
            if child and not child.status.final:
                text = encode(envelope_of(child, None, lab.clock.now()))
                await lab.engine.process(Delivery(lab.settings.queue_normal, child.job_id, text.encode()))
        return await look(parent, children)

    monkeypatch.setattr(lab.engine.children, "read", busy)
    ticket = await lab.submit("many", n=60)
    await lab.pump()
    parent = await lab.settled(ticket.job.job_id, Status.COMPLETED)
    assert (parent.attempt, parent.failures) == (3, 0), "an attempt of its kind may take 30 seconds"


async def test_an_edited_payload_has_children_of_its_own(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """What became of those of the payload before counts for nothing, though they are called the same."""
    monkeypatch.setattr(recorder, "MOST_MOVED", 0)

    async def script(payload: Work, job: Any) -> Any:
        raise FinalError if payload.n == 0 else Snooze(30)

    lab.script = script
    ticket = await lab.submit("many", n=2)
    await lab.pump()
    parent = await lab.job(ticket.job.job_id)
    text = encode(envelope_of(parent, None, lab.clock.now()))
    await lab.engine.record(Delivery(f"{lab.settings.queue_normal}-poison", "", text.encode()))
    failed = await lab.job(parent.job_id)
    assert failed.dead_letter_id is not None
    lab.script = succeed
    await lab.engine.replays.one(failed.dead_letter_id, payload={"n": 3})
    await _rest(lab)
    replayed = await lab.settled(parent.job_id, Status.COMPLETED)
    assert isinstance(replayed.results, dict)
    assert replayed.results["completed"] == 3


async def test_a_parent_that_fails_while_it_is_being_cancelled_takes_its_children_along(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody cancels it between its last look and the error that would have ended it."""

    async def script(payload: Work, job: Any) -> Any:
        raise Snooze(3600)

    lab.script = script
    ticket = await lab.submit("many", n=5)
    await lab.pump()
    lab.clock.advance(60)
    parent_id = ticket.job.job_id

    async def broken(self: Any, parent: Job, children: Any) -> Any:
        if parent.job_id == parent_id and not (await lab.job(parent_id)).cancel_requested:
            await lab.engine.cancel(parent_id)
        raise FinalError("on purpose")

    await lab.engine.children.wake(parent_id, "a child")
    with monkeypatch.context() as patch:
        patch.setattr(Children, "read", broken)
        await lab.pump()
    await lab.settled(parent_id, Status.CANCELLED)
    assert [child.status for child in await lab.children(parent_id)] == [Status.CANCELLED] * 2
