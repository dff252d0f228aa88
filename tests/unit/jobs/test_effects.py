"""Effects: done, not done, or unknown; and nothing is done again before it is known that it was not done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from pydantic import BaseModel

from shared.jobs import Done, FinalError, JobContext, NotDone, NotDoneError, Unknown, job
from shared.jobs.dead_letters.replay import ReplayOutcome
from shared.jobs.dead_letters.vault import Filter, Reason
from shared.jobs.effects import Answer, Resolution
from shared.jobs.kept import KeptStore, State
from shared.jobs.model import Job, Status
from shared.jobs.testing import Died, Faults, MemoryApp, crash_sweep
from shared.ports import StorageError


class Order(BaseModel):
    """A payload."""

    id: str = "o1"


class Bank:
    """The outside: what it was told to do, and what it answers."""

    def __init__(self) -> None:
        self.charged: list[str] = []
        self.asked = 0
        self.fails: Callable[[], BaseException] | None = None
        """What the first call ends with, after it took effect."""
        self.says: Callable[[], Resolution] | None = None

    async def charge(self, order: str) -> dict[str, int]:
        self.charged.append(order)
        if self.fails and len(self.charged) == 1:
            raise self.fails()
        return {"receipt": len(self.charged)}

    async def ask(self) -> Resolution:
        self.asked += 1
        return self.says() if self.says else (Done({"receipt": 1}) if self.charged else NotDone())


class Shop:
    """An app whose job charges an order."""

    def __init__(self, *, asks: bool = True) -> None:
        self.bank = Bank()
        self.attempts = 0

        @job("buy", max_attempts=3)
        async def buy(payload: Order, job: JobContext) -> Any:
            self.attempts += 1
            charge = lambda: self.bank.charge(payload.id)  # noqa: E731 - as people write it
            return await job.effect("charge", payload.id, charge, resolve=self.bank.ask if asks else None)

        self.buy = buy
        self.app = MemoryApp(buy)

    async def bought(self) -> Job:
        return await self.app.perform(self.buy, Order())

    async def kept(self, job: Job) -> dict[str, State]:
        return {info.name: info.state async for info in KeptStore(self.app.blobs, self.app.clock).of(job)}

    async def replay(self, job: Job, **answers: Answer) -> Job:
        effects = {name.replace("_", ":"): answer for name, answer in answers.items()}
        result = await self.app.engine.replays.one(job.dead_letter_id or "", effects=effects)
        assert result.outcome is ReplayOutcome.REPLAYED
        return await self.app.ended(job)


async def test_an_effect_costs_a_read_and_two_writes_and_is_kept() -> None:
    shop = Shop()
    bought = await shop.bought()
    assert (bought.results, shop.bank.charged, shop.bank.asked) == ({"receipt": 1}, ["o1"], 0)
    assert await shop.kept(bought) == {"charge:o1": State.DONE}
    calls = shop.app.called(bought)
    assert calls[calls.index("blobs.read") :][:3] == ["blobs.read", "blobs.create", "blobs.replace"]


async def test_a_call_that_was_lost_is_asked_about_before_it_is_made_again() -> None:
    shop = Shop()
    shop.bank.fails = TimeoutError
    bought = await shop.bought()
    assert (bought.results, shop.bank.charged, shop.bank.asked) == ({"receipt": 1}, ["o1"], 1)


async def test_what_is_said_not_to_be_done_is_done_by_the_next_attempt() -> None:
    shop = Shop()
    shop.bank.fails, shop.bank.says = TimeoutError, NotDone
    bought = await shop.bought()
    assert (bought.results, shop.bank.charged, shop.bank.asked) == ({"receipt": 2}, ["o1", "o1"], 1)


async def test_one_that_says_itself_that_nothing_was_done_is_not_asked_about() -> None:
    shop = Shop(asks=False)
    shop.bank.fails = NotDoneError
    bought = await shop.bought()
    assert (bought.results, shop.attempts, len(shop.bank.charged)) == ({"receipt": 2}, 2, 2)


@pytest.mark.parametrize("asks", [False, True])
async def test_where_nobody_knows_the_job_is_parked_with_the_question(*, asks: bool) -> None:
    shop = Shop(asks=asks)
    shop.bank.fails, shop.bank.says = TimeoutError, lambda: Unknown("the bank is closed")
    bought = await shop.bought()
    assert (bought.status, shop.attempts, shop.bank.charged) == (Status.FAILED, 2, ["o1"])
    ((letter,), _) = await shop.app.engine.vault.find(Filter(reason=Reason.UNCERTAIN), 10)
    assert letter.error.message.startswith(
        "was the effect 'charge:o1' done? Attempt 1 began it at 2026-01-05T12:00:00Z"
    )
    assert ("(the bank is closed)" in letter.error.message) == asks
    assert await shop.kept(bought) == {"charge:o1": State.BEGUN}


async def test_a_replay_answers_that_it_was_done() -> None:
    shop = Shop(asks=False)
    shop.bank.fails = TimeoutError
    bought = await shop.replay(await shop.bought(), charge_o1=Answer(outcome="done", result={"receipt": 7}))
    assert (bought.results, shop.bank.charged) == ({"receipt": 7}, ["o1"])


async def test_a_replay_answers_that_it_was_not_done() -> None:
    shop = Shop(asks=False)
    shop.bank.fails = TimeoutError
    bought = await shop.replay(await shop.bought(), charge_o1=Answer(outcome="not_done"))
    assert (bought.results, shop.bank.charged) == ({"receipt": 2}, ["o1", "o1"])


async def test_a_replay_without_an_answer_asks_again() -> None:
    shop = Shop(asks=False)
    shop.bank.fails = TimeoutError
    parked = await shop.replay(await shop.bought())
    assert (parked.status, parked.replays, shop.bank.charged) == (Status.FAILED, 1, ["o1"])
    assert (await shop.replay(parked, charge_o1=Answer(outcome="done"))).status is Status.COMPLETED


@pytest.mark.parametrize("dry_run", [False, True])
async def test_an_answer_to_what_nobody_asks_is_refused_and_nothing_is_replayed(*, dry_run: bool) -> None:
    shop = Shop(asks=False)
    shop.bank.fails = TimeoutError
    parked = await shop.bought()
    answers = {"charge:o1": Answer(outcome="done"), "charge:o2": Answer(outcome="done")}
    result = await shop.app.engine.replays.one(parked.dead_letter_id or "", effects=answers, dry_run=dry_run)
    assert result.outcome is ReplayOutcome.INVALID
    assert result.problems == (("effects.charge:o2", "nothing asks whether this was done"),)
    assert await shop.kept(parked) == {"charge:o1": State.BEGUN}


async def test_an_edited_replay_does_not_do_again_what_was_done() -> None:
    shop = Shop()

    @job("buy")
    async def buy(payload: Order, job: JobContext) -> Any:
        found = await job.effect("charge", "o1", lambda: shop.bank.charge("o1"))
        if job.job.replays == 0:
            raise FinalError("a mistake")
        return found

    app = MemoryApp(buy)
    failed = await app.perform(buy, Order())
    await app.engine.replays.one(failed.dead_letter_id or "", payload={"id": "o2"})
    assert (await app.ended(failed)).results == {"receipt": 1}
    assert shop.bank.charged == ["o1"]


async def test_a_worker_that_comes_back_finds_the_truth_written_by_whoever_knows_it() -> None:
    """Taken for dead in the middle of it: the next attempt is told that it is not done, and does it; both results stand."""
    gate, begun = asyncio.Event(), asyncio.Event()
    done: list[int] = []

    @job("buy")
    async def buy(payload: Order, job: JobContext) -> Any:
        async def do() -> int:
            if job.attempt == 1:
                begun.set()
                await gate.wait()
            done.append(job.attempt)
            return job.attempt

        return await job.effect("charge", "o1", do, resolve=NotDone)

    app = MemoryApp(buy)
    ticket = await app.submit(buy, Order())
    first = asyncio.create_task(app.drain())
    await begun.wait()
    app.restart()  # another process takes over
    app.clock.advance(3600)
    bought = await app.ended(ticket)
    gate.set()
    await first
    assert (bought.results, done) == (2, [2, 1])
    kept = await KeptStore(app.blobs, app.clock).read(f"jobs/{bought.job_id}/steps/effect.charge%3Ao1.json")
    assert kept
    assert (kept.value.state, kept.value.result) == (State.DONE, 2)


async def test_a_resolve_that_answers_something_else_is_an_error_that_says_so() -> None:
    shop = Shop()
    shop.bank.fails, shop.bank.says = TimeoutError, lambda: "yes"  # type: ignore[assignment]
    bought = await shop.bought()
    assert bought.error
    assert bought.error.message == "resolve of effect 'charge:o1' returned str"
    assert shop.bank.charged == ["o1"]


@pytest.mark.parametrize("asks", [False, True])
async def test_no_crash_at_any_call_has_it_done_twice_and_none_leaves_it_undone(*, asks: bool) -> None:
    """Also where nobody can be asked: then the job waits for an answer, which the outside's own books give here."""

    async def play(faults: Faults) -> object:
        shop = Shop(asks=asks)
        ticket = await shop.app.submit(shop.buy, Order())
        shop.app.restart(faults)
        with suppress(StorageError, Died):
            await shop.app.ended(ticket)
        shop.app.restart()
        await shop.app.recover()
        bought = await shop.app.job(ticket)
        if bought.status is Status.FAILED and not asks:
            assert bought.error
            assert bought.error.type == "UncertainError"
            bought = await shop.replay(bought, charge_o1=_by_the_books(shop.bank))
        return bought.status, bought.results, shop.bank.charged

    (await crash_sweep(play)).check()


def _by_the_books(bank: Bank) -> Answer:
    return Answer(outcome="done", result={"receipt": 1}) if bank.charged else Answer(outcome="not_done")


async def test_no_crash_of_a_replay_with_an_answer_loses_it() -> None:
    async def play(faults: Faults) -> object:
        shop = Shop(asks=False)
        shop.bank.fails = TimeoutError
        parked = await shop.bought()
        shop.app.restart(faults)
        with suppress(StorageError, Died, AssertionError):  # the sweep sends what was not sent
            await shop.replay(parked, charge_o1=Answer(outcome="done", result=5))
        shop.app.restart()
        await shop.app.recover()
        if (await shop.app.job(parked)).status is Status.FAILED:  # the operator, who got an error, insists
            await shop.replay(parked, charge_o1=Answer(outcome="done", result=5))
        bought = await shop.app.job(parked)
        return bought.status, bought.results, shop.bank.charged

    (await crash_sweep(play)).check()
