"""How hard one process leans on a host."""

from __future__ import annotations

import asyncio

import pytest

from devtools.virtual_time import run
from shared.fetch import FetchUnavailableError
from shared.fetch import throttle as module
from shared.fetch.throttle import Throttle


async def test_so_many_at_once_and_no_more() -> None:
    throttle, under_way, most = Throttle(concurrency=2, interval=0), 0, 0

    async def visit() -> None:
        nonlocal under_way, most
        async with throttle.turn("a"):
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0.01)
            under_way -= 1

    await asyncio.gather(*(visit() for _ in range(8)))
    assert most == 2


def test_requests_to_one_host_start_apart_and_other_hosts_do_not_wait() -> None:
    async def visits() -> list[tuple[str, float]]:
        loop, starts = asyncio.get_running_loop(), []
        throttle = Throttle(concurrency=5, interval=3, monotonic=loop.time)

        async def visit(host: str) -> None:
            async with throttle.turn(host):
                starts.append((host, loop.time()))

        await asyncio.gather(*(visit("a") for _ in range(4)), visit("b"))
        return starts

    assert run(visits()) == [("a", 0), ("b", 0), ("a", 3), ("a", 6), ("a", 9)]


def test_a_host_that_wants_more_time_gets_it() -> None:
    async def visits() -> float:
        loop = asyncio.get_running_loop()
        throttle = Throttle(concurrency=1, interval=0, monotonic=loop.time)
        for _ in range(3):
            async with throttle.turn("a", interval=20):
                pass
        return loop.time()

    assert run(visits()) == 40


async def test_a_host_that_asked_to_be_left_alone_is() -> None:
    now = 100.0
    throttle = Throttle(concurrency=1, interval=0, monotonic=lambda: now)
    throttle.close("a", 30)
    throttle.close("a", 5)
    with pytest.raises(FetchUnavailableError) as caught:
        async with throttle.turn("a"):
            pass
    assert caught.value.retry_after == 30
    async with throttle.turn("b"):
        pass
    now += 31
    async with throttle.turn("a"):
        pass


async def test_who_waited_while_the_host_closed_is_turned_away() -> None:
    throttle = Throttle(concurrency=1, interval=0)
    inside, leave = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with throttle.turn("a"):
            inside.set()
            await leave.wait()
            throttle.close("a", 60)

    async def second() -> None:
        async with throttle.turn("a"):
            raise AssertionError("let in")

    task = asyncio.create_task(first())
    await inside.wait()
    waiting = asyncio.create_task(second())
    await asyncio.sleep(0)
    leave.set()
    await task
    with pytest.raises(FetchUnavailableError):
        await waiting


def test_who_would_wait_in_vain_takes_no_turn_from_others() -> None:
    async def asked_for_a_day() -> int:
        loop, turns = asyncio.get_running_loop(), 0
        throttle = Throttle(concurrency=2, interval=1, monotonic=loop.time)

        async def ask() -> None:
            nonlocal turns
            while loop.time() < 24 * 3600:
                try:
                    async with throttle.turn("a", 120):
                        turns += 1
                except FetchUnavailableError as error:
                    await asyncio.sleep(error.retry_after or 1)

        await asyncio.gather(*(ask() for _ in range(4)))
        return turns

    assert run(asked_for_a_day()) >= 700  # of 720


def test_a_waiter_that_is_stopped_gives_its_turn_back() -> None:
    async def stopped() -> float:
        loop = asyncio.get_running_loop()
        throttle = Throttle(concurrency=2, interval=30, monotonic=loop.time)

        async def ask() -> float:
            async with throttle.turn("a"):
                return loop.time()

        await ask()
        waiter = asyncio.create_task(ask())
        await asyncio.sleep(1)
        waiter.cancel()
        await asyncio.wait({waiter})
        return await ask()

    assert run(stopped()) == 30


async def test_nobody_waits_for_ever_and_no_place_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LONGEST_WAIT", 0.05)
    throttle = Throttle(concurrency=1, interval=0)
    for interval in (0.0, 10.0):
        async with throttle.turn("a", interval):
            with pytest.raises(FetchUnavailableError, match="too many"):
                async with throttle.turn("a", interval):
                    pass
    with pytest.raises(FetchUnavailableError, match="too many"):
        async with throttle.turn("a"):
            pass
    assert throttle._lanes["a"].places._value == 1
    assert throttle._lanes["a"].users == 0


async def test_hosts_at_rest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_LANES", 10)
    throttle = Throttle(concurrency=1, interval=0)
    throttle.close("closed", 60)
    for number in range(50):
        async with throttle.turn(f"host-{number}"):
            pass
    assert len(throttle._lanes) <= 11
    assert "closed" in throttle._lanes
