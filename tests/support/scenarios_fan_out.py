"""Scenarios of fan-out for the crash sweep: a job made of jobs loses none of them and doubles none."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from shared.jobs.envelope import Delivery
from shared.jobs.errors import FinalError, InvalidTransitionError
from shared.jobs.model import Job, Status
from support.lab import Work, succeed
from support.scenarios import Scenario, Trial

_CHILDREN = 3


async def _submitted(trial: Trial) -> None:
    await trial.take("many", n=_CHILDREN)


async def _half_done(trial: Trial) -> None:
    """Two children have ended, and were not counted yet."""
    await _submitted(trial)
    assert await _turn(trial) == ["suspended"]
    await _turn(trial)


async def _one_fails(trial: Trial) -> None:
    async def script(payload: Work, job: Any) -> Any:
        if payload.n == 1:
            raise FinalError("on purpose")
        return await succeed(payload, job)

    trial.lab.script = script
    await _half_done(trial)


async def _run(trial: Trial) -> None:
    await trial.lab.pump()


async def _cancel(trial: Trial) -> None:
    await trial.lab.engine.cancel(trial.ticket)
    await trial.lab.pump()


async def _waiting(trial: Trial) -> None:
    """Its children are started and wait."""
    await _submitted(trial)
    assert await _turn(trial) == ["suspended"]


async def _turn(trial: Trial) -> list[str]:
    """Deliver each message that can be seen, and none that comes of it."""
    lab, queue = trial.lab, trial.lab.settings.queue_normal
    messages = await lab.storage_queues.receive(queue)
    for message in messages:
        await lab.storage_queues.delete(queue, message)
    return [await lab.engine.process(Delivery(queue, each.message_id, each.text.encode())) for each in messages]


async def _stop_while_it_starts(trial: Trial) -> None:
    """Cancelled by another process while its children are being started."""

    async def script(payload: Work, job: Any) -> Any:
        with suppress(InvalidTransitionError):
            await trial.lab.start().engine.cancel(trial.ticket)
        return await succeed(payload, job)

    trial.lab.script = script
    await _submitted(trial)


async def _parent_and_children(trial: Trial, status: Status) -> tuple[Job, list[Job]]:
    parent = await trial.lab.settled(trial.ticket, status)
    children = await trial.lab.children(parent.job_id)
    for child in children:
        await trial.lab.settled(child.job_id)
    return parent, children


async def _whole(trial: Trial) -> None:
    parent, children = await _parent_and_children(trial, Status.COMPLETED)
    assert [child.results for child in children] == [{"n": n} for n in range(_CHILDREN)]
    results: Any = parent.results
    assert (results["outcome"], results["completed"], results["tally"]) == ("completed", _CHILDREN, {"n": 3})


async def _with_a_failure(trial: Trial) -> None:
    parent, children = await _parent_and_children(trial, Status.COMPLETED)
    results: Any = parent.results
    assert (results["outcome"], results["completed"], results["failed"]) == ("completed with failures", 2, 1)
    assert [lost["job_id"] for lost in results["failures"]] == [children[1].job_id]


async def _stopped(trial: Trial) -> None:
    """Those that were started have ended, and no other was started afterwards."""
    parent, children = await _parent_and_children(trial, Status.CANCELLED)
    assert {child.status for child in children} <= {Status.CANCELLED, Status.COMPLETED}
    assert parent.fan_out is None or len(children) == parent.fan_out.next < _CHILDREN


SCENARIOS = (
    Scenario("fan out", _run, _whole, arrange=_submitted),
    Scenario("fan out, go on", _run, _whole, arrange=_half_done),
    Scenario("fan out with a failure", _run, _with_a_failure, arrange=_one_fails),
    Scenario("cancel a fan-out", _cancel, _stopped, arrange=_waiting, insist=True),
    Scenario("cancel a fan-out that starts", _run, _stopped, arrange=_stop_while_it_starts),
)
