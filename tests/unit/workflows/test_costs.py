"""What a run costs: storage calls, and seconds beyond the work itself, in virtual time."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import Any

import pytest
from pydantic import BaseModel

from shared.jobs import JobContext, Status, job
from shared.jobs.envelope import Delivery
from shared.jobs.testing import MESSAGE_LEASE, Faults, MemoryApp
from shared.workflows import Flow, workflow
from shared.workflows.record import name_of


class Seconds(BaseModel):
    seconds: float = 0


class Item(BaseModel):
    number: int


class Many(BaseModel):
    count: int


@job("work", timeout_seconds=280)
async def work(payload: Seconds, job: JobContext) -> dict[str, float]:
    await job.clock.sleep(payload.seconds)
    return {"seconds": payload.seconds}


@job("one")
async def one(payload: Item, job: JobContext) -> dict[str, int]:
    return {"number": payload.number, "square": payload.number**2}


@job("sum")
async def add_up(payload: Seconds, job: JobContext) -> float:
    return payload.seconds


@workflow("chain", payload=Seconds)
def chain(flow: Flow[Seconds]) -> None:
    before = flow.step("a", work, lambda run: run.payload)
    for name in "bcd":
        before = flow.step(name, work, lambda run: run.payload, after=before)


@workflow("many", payload=Many)
def many(flow: Flow[Many]) -> None:
    squares = flow.each("squares", one, items=lambda p: [{"number": n} for n in range(p.count)], width=64)
    flow.step("sum", add_up, lambda run: Seconds(seconds=sum(r["square"] for r in run.result(squares))), after=squares)


class Counted(Faults):
    """Calls that may be under way at the same time: each lets others go first."""

    async def around(self, name: str, call: Any) -> Any:
        await asyncio.sleep(0)
        return await super().around(name, call)


@pytest.mark.parametrize("seconds", [5, 30, 90])
async def test_a_chain_costs_little_beyond_its_work(seconds: float) -> None:
    app, calls = MemoryApp(chain), Faults()
    app.restart(calls)
    begun = app.clock.now()
    run = await app.perform(chain, Seconds(seconds=seconds))
    assert run.status is Status.COMPLETED
    beyond = (app.clock.now() - begun).total_seconds() - 4 * seconds
    names = Counter(calls.calls)
    storage = names["blobs.read"] + names["blobs.create"] + names["blobs.replace"] + names["queues.send"]
    assert beyond <= 3
    assert storage / 4 <= 10, names
    assert sum(names.values()) / 4 <= 14, names


async def run_many(count: int) -> tuple[float, int, Counter[str]]:
    """Run so many items, 32 messages at a time, as a host does; calls an item, the largest record, and the calls."""
    app, calls = MemoryApp(many), Counted()
    app.restart(calls)
    ticket = await app.submit(many, Many(count=count))
    largest = 0

    async def take(queue: str, message_id: str) -> None:
        await app.host._deliver(queue, app.queues.take(queue, message_id, MESSAGE_LEASE), app)

    while due := await app.queues.due():
        await asyncio.gather(*(take(*each) for each in due[:32]))
        blob = await app.blobs.read(name_of(ticket.job.job_id))
        largest = max(largest, len(blob.data) if blob else 0)
    run = await app.job(ticket)
    assert run.status is Status.COMPLETED, run
    (total,) = await app.submitted(add_up)
    assert total.results == sum(n * n for n in range(count))
    return len(calls.calls) / count, largest, Counter(calls.calls)


async def test_an_item_costs_eight_calls_at_most_and_the_record_stays_small() -> None:
    each, largest, calls = await run_many(400)
    assert each <= 8, (each, calls)
    assert largest <= 64 * 1024


class Slow(Faults):
    """Calls that take their turns at random, so that those of two processes meet in every order."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._random = random.Random(seed)

    async def around(self, name: str, call: Any) -> Any:
        for _ in range(self._random.randrange(4)):
            await asyncio.sleep(0)
        found = await super().around(name, call)
        for _ in range(self._random.randrange(4)):
            await asyncio.sleep(0)
        return found


@pytest.mark.parametrize("seed", range(5))
async def test_two_workers_advance_one_run(seed: int) -> None:
    """Both have engines of their own over the same stores: what one remembers of a run, the other has changed."""
    app = MemoryApp(many)
    engines = [app.restart(Slow(seed + 100 * number)) for number in range(2)]
    ticket = await app.submit(many, Many(count=60))
    turn = 0

    async def take(queue: str, message_id: str) -> None:
        nonlocal turn
        turn += 1
        message = app.queues.take(queue, message_id, MESSAGE_LEASE)
        body = message.text.encode()
        delivery = Delivery(queue, message.message_id, body, message.inserted_at, message.dequeue_count)
        await engines[turn % 2].process(delivery)
        await app.queues.delete(queue, message)

    while due := await app.queues.due():
        await asyncio.gather(*(take(*each) for each in due[:32]))
    assert (await app.job(ticket)).status is Status.COMPLETED
    items = await app.submitted(one)
    assert Counter(item.child_key for item in items) == {f"squares/{number}": 1 for number in range(60)}
    assert all(item.attempt == 1 and item.told_at for item in items)
    (total,) = await app.submitted(add_up)
    assert total.results == sum(n * n for n in range(60))


@pytest.mark.slow
@pytest.mark.faults
async def test_five_thousand_items() -> None:
    each, largest, calls = await run_many(5000)
    assert each <= 8, (each, calls)
    assert largest <= 64 * 1024
