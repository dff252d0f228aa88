"""A host that dies again and again, in virtual time: receives that are aborted cost deliveries, and no job ends in the vault for it."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from shared.jobs.model import Status
from shared.jobs.testing import MAX_DEQUEUE_COUNT, MESSAGE_LEASE, POISON, Died, Faults, Mode
from support.lab import Lab, Work, close_lab, open_memory_lab, succeed

LIFE, HOUR = 20.0, 3600.0
RECEIVED = 16
"""Messages that a receive takes, and that are hidden for ten minutes where it is aborted."""


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    opened = open_memory_lab("dying", tmp_path)
    yield opened
    await close_lab(opened)


async def abort_a_receive(lab: Lab, moved: list[str]) -> None:
    """Take what a receive takes, as a host that is killed before it runs any of it; move what was delivered too often."""
    for queue, message_id in (await lab.queues.due())[:RECEIVED]:
        message = lab.queues.take(queue, message_id, MESSAGE_LEASE)
        if message.dequeue_count > MAX_DEQUEUE_COUNT:
            moved.append(message_id)
            await lab.queues.send(queue.removesuffix(POISON) + POISON, message.text)
            await lab.queues.delete(queue, message)


async def die_in_the_middle(lab: Lab, dice: random.Random) -> None:
    """Run some of what is due; the process dies at one of its storage calls."""
    lab.start(Faults(dice.randint(1, 30), Mode.DIE_BEFORE))
    with suppress(Died):
        await lab.pump()
    lab.start()


@pytest.mark.parametrize(("jobs", "seed"), [(150, 0), pytest.param(500, 1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("runs", [0.0, 0.2], ids=["nothing_ever_runs", "some_run"])
async def test_an_hour_of_deaths_sends_nothing_to_the_vault(lab: Lab, jobs: int, seed: int, runs: float) -> None:
    dice, moved = random.Random(seed), list[str]()

    async def script(payload: Work, job: Any) -> Any:
        return await succeed(payload, job)

    lab.script = script
    tickets = [(await lab.submit(n=n)).job.job_id for n in range(jobs)]
    until = lab.clock.time.timestamp() + HOUR
    swept = lab.clock.time.timestamp()
    while lab.clock.time.timestamp() < until:
        if dice.random() < runs:
            await die_in_the_middle(lab, dice)
        await abort_a_receive(lab, moved)
        lab.clock.advance(LIFE)
        if lab.clock.time.timestamp() - swept >= 300:
            swept = lab.clock.time.timestamp()
            await lab.engine.sweep()
    assert await lab.letters() == []
    await lab.recover()
    assert await lab.letters() == []
    for job_id in tickets:
        await lab.settled(job_id, Status.COMPLETED)
    assert runs or moved or lab.host.gave_up, "the host moved nothing: the hour was none"
