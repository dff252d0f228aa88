"""What a queue listener does over the ten minutes of a lease, or over the half minute in which its SDK gives up.

Microsoft's own listener passes it, and so must devhost's, whose lease is seconds here. The cases run side by side:
together they take as long as the longest, some eleven minutes.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from support.azurite import AzuriteProcess
from support.listeners import DEVHOST, REAL, REAL_LEASE, Delivery, installed
from support.listening_bench import Bench, Gate, fails, opened, succeeds
from support.queue_bench import eventually
from support.queue_proxy import DELETE, RECEIVE, SEND, UPDATE, Forward, refusing

pytestmark = pytest.mark.slow

Case = Callable[[Bench], Awaitable[None]]
LEASES = {DEVHOST: 8, REAL: REAL_LEASE}
PATIENCE = 150.0
"""Seconds more than a lease that a message may need to come back on a busy machine."""


async def after_a_kill_the_message_comes_back(bench: Bench) -> None:
    gate = Gate()
    first = await bench.receiver(gate)
    await bench.send("x")
    listener = await bench.listen(first)
    await gate.begun.wait()
    listener.kill()
    second = await bench.receiver(succeeds)
    await bench.listen(second)
    await eventually(bench.is_empty, bench.lease + PATIENCE)
    (delivery,) = second.deliveries
    assert delivery.count == 2
    assert delivery.came > first.deliveries[0].moment("NextVisibleTime")


async def after_a_kill_on_the_last_delivery_the_message_is_poisoned_without_a_run(bench: Bench) -> None:
    gate = Gate()
    await bench.send("x")
    listener = await bench.listen(await bench.receiver(gate), maxDequeueCount=1)
    await gate.begun.wait()
    listener.kill()
    second = await bench.receiver(succeeds)
    await bench.listen(second, maxDequeueCount=1)
    await eventually(bench.is_empty, bench.lease + PATIENCE)
    assert second.deliveries == []
    assert [message.content for message in await bench.poisoned()] == ["x"]


async def what_an_aborted_receive_took_comes_back_with_a_delivery_less(bench: Bench) -> None:
    await _lose_a_receive(bench)
    receiver = await bench.receiver(succeeds)
    await bench.listen(receiver)
    await eventually(bench.is_empty, bench.lease + PATIENCE)
    assert receiver.counts == [2]


async def the_fifth_aborted_receive_poisons_a_message_that_never_ran(bench: Bench) -> None:
    await bench.send("x")
    for _ in range(4):
        assert await bench.queue.receive_message(visibility_timeout=1)
        await eventually(bench.queue.peek_messages)
    await _lose_a_receive(bench, send=False)
    receiver = await bench.receiver(succeeds)
    await bench.listen(receiver, maxDequeueCount=5)
    await eventually(bench.is_empty, bench.lease + PATIENCE)
    assert receiver.deliveries == []
    assert [message.content for message in await bench.poisoned()] == ["x"]


async def _lose_a_receive(bench: Bench, *, send: bool = True) -> None:
    """Stop a listener between a receive and its answer."""
    taken, stopped = asyncio.Event(), asyncio.Event()

    async def hold(forward: Forward) -> web.Response:
        answer = await forward()
        if b"<QueueMessage>" in (answer.body or b"") and not taken.is_set():  # type: ignore[operator]
            taken.set()
            await stopped.wait()
        return answer

    bench.proxy.on(RECEIVE, bench.name, hold)
    listener = await bench.listen(await bench.receiver(succeeds))
    if send:
        await bench.send("x")
    await taken.wait()
    listener.stop()
    await listener.ended()
    stopped.set()


async def what_fails_on_a_poison_queue_comes_again_after_its_lease_for_ever(bench: Bench) -> None:
    bench.name += "-poison"
    await bench.queue.create_queue()
    await bench.send("x")
    receiver = await bench.receiver(fails)
    await bench.listen(receiver, maxDequeueCount=1)
    await eventually(lambda: len(receiver.deliveries) == 2, bench.lease + PATIENCE)
    first, second = receiver.deliveries
    assert receiver.counts == [1, 2]
    assert second.came > first.moment("NextVisibleTime")


async def a_lease_is_renewed_at_half_time_while_the_function_runs(bench: Bench) -> None:
    gate = Gate()
    receiver = await bench.receiver(gate)
    await bench.send("x")
    await bench.listen(receiver)
    await gate.begun.wait()
    await asyncio.sleep(bench.lease * 1.05)
    gate.opened.set()
    await eventually(bench.is_empty, PATIENCE)
    assert receiver.counts == [1]
    renewals = bench.proxy.of(bench.name, UPDATE)
    assert [call.query["visibilitytimeout"] for call in renewals[:2]] == [str(bench.lease)] * 2


async def a_host_that_stands_still_for_a_lease_runs_beside_another_and_its_delete_is_let_be(bench: Bench) -> None:
    gate = Gate()
    first, second = await bench.receiver(gate), await bench.receiver(succeeds)
    await bench.send("x")
    stands_still = await bench.listen(first)
    await gate.begun.wait()
    stands_still.signal(signal.SIGSTOP)
    await bench.listen(second)
    await eventually(bench.is_empty, bench.lease + PATIENCE)
    assert second.counts == [2]
    gate.opened.set()
    stands_still.signal(signal.SIGCONT)
    await eventually(lambda: len(bench.proxy.of(bench.name, DELETE)) == 2, PATIENCE)
    stands_still.stop()
    assert await stands_still.ended() == 0
    assert not stands_still.is_fatal


async def a_5xx_on_every_try_of_a_receive_is_survived(bench: Bench) -> None:
    bench.proxy.on(RECEIVE, bench.name, refusing(503, "ServerBusy", times=7))
    receiver = await bench.receiver(succeeds)
    await bench.send("x")
    listener = await bench.listen(receiver)
    await eventually(bench.is_empty, 60 + PATIENCE)
    assert (receiver.counts, listener.is_fatal) == ([1], False)


async def refused_connections_stop_the_host(bench: Bench) -> None:
    listener = await bench.listen(await bench.receiver(succeeds))
    await bench.proxy.vanish()
    await eventually(lambda: listener.is_fatal, 60 + PATIENCE)


async def a_5xx_on_every_try_of_a_release_stops_the_host(bench: Bench) -> None:
    await _is_stopped_by(bench, UPDATE, bench.name, fails)


async def a_5xx_on_every_try_of_a_delete_stops_the_host(bench: Bench) -> None:
    await _is_stopped_by(bench, DELETE, bench.name, succeeds)


async def a_5xx_on_every_try_of_a_poison_copy_stops_the_host(bench: Bench) -> None:
    await bench.poison.create_queue()
    await _is_stopped_by(bench, SEND, bench.poison.queue_name or "", fails, maxDequeueCount=1)
    assert await bench.depth() == 1


async def a_5xx_on_every_try_of_a_renewal_stops_the_host(bench: Bench) -> None:
    gate = Gate()
    await _is_stopped_by(bench, UPDATE, bench.name, gate)
    gate.opened.set()


async def _is_stopped_by(
    bench: Bench, kind: str, queue: str, function: Callable[[Delivery], Awaitable[bool]], **options: Any
) -> None:
    bench.lease = max(bench.lease, 60)  # the six tries go on for half a minute
    bench.proxy.on(kind, queue, refusing(503, "ServerBusy"))
    await bench.send("x")
    listener = await bench.listen(await bench.receiver(function), **options)
    await eventually(lambda: listener.is_fatal, bench.lease + PATIENCE)
    assert len(bench.proxy.of(queue, kind)) == 6


CASES: tuple[Case, ...] = (
    after_a_kill_the_message_comes_back,
    after_a_kill_on_the_last_delivery_the_message_is_poisoned_without_a_run,
    what_an_aborted_receive_took_comes_back_with_a_delivery_less,
    the_fifth_aborted_receive_poisons_a_message_that_never_ran,
    what_fails_on_a_poison_queue_comes_again_after_its_lease_for_ever,
    a_lease_is_renewed_at_half_time_while_the_function_runs,
    a_host_that_stands_still_for_a_lease_runs_beside_another_and_its_delete_is_let_be,
    a_5xx_on_every_try_of_a_receive_is_survived,
    refused_connections_stop_the_host,
    a_5xx_on_every_try_of_a_release_stops_the_host,
    a_5xx_on_every_try_of_a_delete_stops_the_host,
    a_5xx_on_every_try_of_a_poison_copy_stops_the_host,
    a_5xx_on_every_try_of_a_renewal_stops_the_host,
)

Running = dict[tuple[str, str], "asyncio.Task[None]"]


@pytest.fixture(scope="module")
async def running(
    request: pytest.FixtureRequest, azurite: AzuriteProcess, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Running]:
    """Every case that was chosen, on its way."""
    folder = tmp_path_factory.mktemp("listeners")
    params = [item.callspec.params for item in request.session.items if item.path == request.path]  # type: ignore[attr-defined]
    chosen = [(one["kind"], one["case"]) for one in params]
    tasks = {(kind, case.__name__): asyncio.create_task(_played(azurite, kind, case, folder)) for kind, case in chosen}
    yield tasks
    for task in tasks.values():
        task.cancel()
    await asyncio.gather(*tasks.values(), return_exceptions=True)


async def _played(azurite: AzuriteProcess, kind: str, case: Case, folder: Path) -> None:
    async with AsyncExitStack() as stack:
        name = f"{kind[:4]}-{CASES.index(case)}-{folder.name[-8:].strip('-').replace('_', '-')}"
        bench = await stack.enter_async_context(opened(azurite, kind, name.lower(), folder / name))
        bench.lease = LEASES[kind]
        await case(bench)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
@pytest.mark.parametrize("kind", [DEVHOST, REAL])
async def test_over_a_lease(running: Running, kind: str, case: Case) -> None:
    installed(kind)
    await running[kind, case.__name__]
