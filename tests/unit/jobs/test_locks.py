"""Locks: at most one holder, and fences that only grow, whatever comes between two storage calls."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devtools.virtual_time import VirtualClock, run
from shared.containers import LOCKS
from shared.jobs.locks import Lock, LockedError, Locks, LostLockError
from shared.jobs.testing import FakeClock, Faults, FaultyDocuments, MemoryDocuments, Mode
from shared.ports import StorageError
from support.examples import examples

T = TypeVar("T")


@pytest.fixture
def documents(clock: FakeClock) -> MemoryDocuments:
    return MemoryDocuments(clock)


@pytest.fixture
def locks(documents: MemoryDocuments, clock: FakeClock) -> Locks:
    return Locks(documents, clock)


async def test_one_holds_it_and_others_are_told_for_how_long(locks: Locks, clock: FakeClock) -> None:
    lock = await locks.acquire("a", 60)
    clock.advance(20)
    with pytest.raises(LockedError) as refused:
        await locks.acquire("a", 60)
    assert refused.value.seconds == 40
    assert lock.fence == 1
    assert (await locks.acquire("b", 60)).fence == 1


async def test_it_can_be_had_when_the_lease_has_ended(locks: Locks, clock: FakeClock) -> None:
    first = await locks.acquire("a", 60)
    clock.advance(60)
    second = await locks.acquire("a", 60)
    assert second.fence == first.fence + 1
    with pytest.raises(LostLockError):
        await locks.renew(first, 60)
    assert first.lost
    assert not await locks.release(first)
    await locks.renew(second, 60)


async def test_it_can_be_had_at_once_when_it_was_given_back(locks: Locks) -> None:
    assert await locks.release(await locks.acquire("a", 60))
    assert (await locks.acquire("a", 60)).fence == 2


async def test_a_renewed_lock_is_held_on(locks: Locks, clock: FakeClock) -> None:
    lock = await locks.acquire("a", 60)
    clock.advance(50)
    await locks.renew(lock, 60)
    clock.advance(50)
    locks.check(lock)
    with pytest.raises(LockedError):
        await locks.acquire("a", 60)
    clock.advance(10)
    with pytest.raises(LostLockError):
        locks.check(lock)


async def test_an_owner_supersedes_itself(locks: Locks) -> None:
    dead = await locks.acquire("a", 60, owner="job 1")
    with pytest.raises(LockedError):
        await locks.acquire("a", 60, owner="job 2")
    alive = await locks.acquire("a", 60, owner="job 1")
    assert alive.fence == dead.fence + 1
    with pytest.raises(LostLockError):
        await locks.renew(dead, 60)
    assert not await locks.release(dead)
    locks.check(alive)


async def test_its_own_write_whose_answer_was_lost_is_no_loss(documents: MemoryDocuments, clock: FakeClock) -> None:
    lock = await Locks(documents, clock).acquire("a", 60)
    faults = Faults(at=1, mode=Mode.FAIL_AFTER)
    shaky = Locks(FaultyDocuments(documents, faults), clock)
    with pytest.raises(StorageError):
        await shaky.renew(lock, 60)
    await shaky.renew(lock, 60)
    assert not lock.lost
    assert await shaky.release(lock)


async def test_held_for_a_block(locks: Locks, documents: MemoryDocuments) -> None:
    async with locks.hold("a", 60) as lock:
        with pytest.raises(LockedError):
            await locks.acquire("a", 60)
    assert (await locks.acquire("a", 60)).fence == lock.fence + 1
    with pytest.raises(ZeroDivisionError):
        async with locks.hold("b", 60):
            raise ZeroDivisionError
    assert (await locks.acquire("b", 60)).fence == 2
    assert await documents.read(LOCKS, "a", "a")


async def test_a_lock_that_cannot_be_given_back_is_left_to_its_lease(
    documents: MemoryDocuments, clock: FakeClock
) -> None:
    faults = Faults(only=f"{LOCKS}.replace".__eq__)
    async with Locks(FaultyDocuments(documents, faults), clock).hold("a", 60):
        pass
    with pytest.raises(LockedError):
        await Locks(documents, clock).acquire("a", 60)
    clock.advance(60)
    await Locks(documents, clock).acquire("a", 60)


def test_it_is_renewed_while_it_is_held() -> None:
    async def main() -> None:
        clock = VirtualClock()
        locks = Locks(MemoryDocuments(clock), clock)
        async with locks.hold("a", 30) as lock:
            await asyncio.sleep(300)
            locks.check(lock)
            with pytest.raises(LockedError):
                await locks.acquire("a", 30)

    run(main())


def test_a_holder_learns_that_it_was_superseded() -> None:
    async def main() -> None:
        clock = VirtualClock()
        documents = MemoryDocuments(clock)
        locks = Locks(documents, clock)
        async with locks.hold("a", 30, owner="job") as dead, locks.hold("a", 30, owner="job") as alive:
            await asyncio.sleep(31)
            locks.check(alive)
            with pytest.raises(LostLockError):
                locks.check(dead)

    run(main())


@dataclass
class Slow:
    """A store that takes its time before and after each call: whatever can come between two calls, does."""

    dice: random.Random
    longest: float

    async def around(self, _: str, call: Callable[[], Awaitable[T]]) -> T:
        await asyncio.sleep(self.dice.uniform(0, self.longest))
        answer = await call()
        await asyncio.sleep(self.dice.uniform(0, self.longest))
        return answer


@dataclass
class Book:
    """Who believes to hold the lock, and every fence that was handed out, in the order of the writes."""

    holders: dict[int, Lock] = field(default_factory=dict)
    fences: list[int] = field(default_factory=list)
    written: list[int] = field(default_factory=list)
    most: int = 0


@examples(150)
@given(
    seed=st.integers(0, 2**32),
    workers=st.integers(2, 5),
    longest=st.sampled_from([0.0, 0.5, 4.0, 12.0]),
    manners=st.lists(st.sampled_from(["release", "vanish", "oversleep", "renew"]), min_size=4, max_size=12),
)
def test_at_most_one_holder_and_fences_that_grow(seed: int, workers: int, longest: float, manners: list[str]) -> None:
    """Workers that let go, vanish, renew or sleep through their lease, over a store as slow as the lease is long."""
    dice, book = random.Random(seed), Book()

    async def work(number: int, locks: Locks, clock: VirtualClock) -> None:
        for manner in dice.sample(manners, len(manners)):
            await asyncio.sleep(dice.uniform(0, 20))
            try:
                lock = await locks.acquire("a", 10)
            except LockedError:
                continue
            book.fences.append(lock.fence)
            await _use(lock, locks, clock, manner, book, dice)

    async def main() -> None:
        clock = VirtualClock()
        documents = MemoryDocuments(clock)
        locks = Locks(FaultyDocuments(documents, Slow(dice, longest)), clock)
        await asyncio.gather(*(work(number, locks, clock) for number in range(workers)))
        stored = await documents.read(LOCKS, "a", "a")
        assert stored is None or stored[0]["fence"] == max(book.fences)

    run(main())
    assert len(set(book.fences)) == len(book.fences), "two holders had one fence"
    assert book.most <= 1, "two held it at the same time"
    assert book.written == sorted(book.written), "a late write was taken"


async def _use(lock: Lock, locks: Locks, clock: VirtualClock, manner: str, book: Book, dice: random.Random) -> None:
    """Hold the lock in some manner, and write under its fence as whoever guards what it protects would take it."""
    if lock.until > clock.now():
        book.holders[lock.fence] = lock
    alive = [each for each in book.holders.values() if each.until > clock.now()]
    book.most = max(book.most, len(alive))
    if manner == "renew":
        await asyncio.sleep(dice.uniform(0, 12))
        try:
            await locks.renew(lock, 10)
        except LostLockError:
            book.holders.pop(lock.fence, None)
            return
    await asyncio.sleep(dice.uniform(12, 40) if manner == "oversleep" else dice.uniform(0, 6))
    if lock.fence >= max(book.written, default=0):
        book.written.append(lock.fence)
    book.holders.pop(lock.fence, None)
    if manner == "release":
        await locks.release(lock)
