"""What a Storage queue trigger's listener does, written once: Microsoft's own listener passes it, and so must devhost's."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web
from azure.core.exceptions import ResourceNotFoundError

from support.azurite import AzuriteProcess
from support.listeners import DEVHOST, REAL, Delivery, installed
from support.listening_bench import Bench, Gate, fails, opened, quiet, succeeds
from support.queue_bench import encode, eventually
from support.queue_proxy import CREATE, DELETE, RECEIVE, SEND, UPDATE, Forward, refusing


@pytest.fixture(params=[DEVHOST, pytest.param(REAL, marks=pytest.mark.slow)])
async def bench(
    request: pytest.FixtureRequest, azurite: AzuriteProcess, unique: str, tmp_path: Path
) -> AsyncIterator[Bench]:
    installed(request.param)
    async with opened(azurite, request.param, unique[:40], tmp_path) as bench:
        yield bench


async def test_a_message_is_handed_over_whole_and_deleted(bench: Bench) -> None:
    receiver = await bench.receiver(succeeds)
    sent = await bench.send("hello")
    await bench.listen(receiver)
    await eventually(bench.is_empty, 20)
    (delivery,) = receiver.deliveries
    assert (delivery.body, delivery.count, delivery.metadata["Id"]) == (b"hello", 1, sent.id)
    assert delivery.metadata["PopReceipt"] != sent.pop_receipt
    assert (delivery.moment("InsertionTime"), delivery.moment("ExpirationTime")) == (sent.inserted_on, sent.expires_on)
    hidden_for = delivery.moment("NextVisibleTime") - datetime.now(UTC)
    assert timedelta(minutes=9) < hidden_for <= timedelta(minutes=10)
    assert await bench.depth(bench.poison) == 0


@pytest.mark.parametrize(("visibility", "seconds"), [("00:00:00", "0"), ("00:00:01.700", "1"), ("00:00:30", "30")])
async def test_a_failed_message_is_hidden_for_the_whole_seconds_of_the_visibility_timeout(
    bench: Bench, visibility: str, seconds: str
) -> None:
    receiver = await bench.receiver(fails)
    await bench.send("x")
    await bench.listen(receiver, visibilityTimeout=visibility)
    await eventually(lambda: bench.proxy.of(bench.name, UPDATE), 20)
    assert bench.proxy.of(bench.name, UPDATE)[0].query["visibilitytimeout"] == seconds


async def test_a_batch_is_asked_for_with_a_lease_of_ten_minutes(bench: Bench) -> None:
    await bench.listen(await bench.receiver(succeeds), batchSize=7)
    await eventually(lambda: bench.proxy.of(bench.name, RECEIVE), 20)
    query = bench.proxy.of(bench.name, RECEIVE)[0].query
    assert (query["numofmessages"], query["visibilitytimeout"]) == ("7", "600")


async def test_what_fails_too_often_is_copied_to_the_poison_queue_and_then_deleted(bench: Bench) -> None:
    receiver = await bench.receiver(fails)
    sent = await bench.send("bad", time_to_live=-1)
    await bench.listen(receiver, maxDequeueCount=3)
    await eventually(bench.is_empty, 20)
    assert receiver.counts == [1, 2, 3]
    (poisoned,) = await bench.poisoned()
    assert (poisoned.content, poisoned.dequeue_count) == ("bad", 0)
    assert poisoned.id != sent.id
    assert poisoned.inserted_on is not None
    assert poisoned.expires_on == poisoned.inserted_on + timedelta(days=7)
    done = [(call.queue, call.kind) for call in bench.proxy.calls if call.kind in (UPDATE, CREATE, SEND, DELETE)]
    assert done[:2] == [(bench.name, UPDATE)] * 2
    assert done[-2:] == [(bench.poison.queue_name, SEND), (bench.name, DELETE)]


async def test_what_was_delivered_too_often_is_poisoned_without_a_run(bench: Bench) -> None:
    await bench.send("crashes")
    await _receive_in_vain(bench, 1)
    receiver = await bench.receiver(succeeds)
    await bench.listen(receiver, maxDequeueCount=1)
    await eventually(bench.is_empty, 20)
    assert receiver.deliveries == []
    assert [message.content for message in await bench.poisoned()] == ["crashes"]


async def test_a_failed_message_of_a_poison_queue_stays_where_it_is_and_hidden(bench: Bench) -> None:
    bench.name += "-poison"
    await bench.queue.create_queue()
    receiver = await bench.receiver(fails)
    await bench.send("keep me")
    await bench.listen(receiver)
    await eventually(lambda: receiver.counts == [1], 20)
    await quiet(2)
    assert receiver.counts == [1]
    assert await bench.is_hidden()
    assert bench.proxy.of(bench.name, UPDATE, DELETE) == []


async def test_a_poison_queue_has_no_maximum_of_deliveries(bench: Bench) -> None:
    bench.name += "-poison"
    await bench.queue.create_queue()
    await bench.send("keep me")
    await _receive_in_vain(bench, 3)
    receiver = await bench.receiver(succeeds)
    await bench.listen(receiver, maxDequeueCount=1)
    await eventually(bench.is_empty, 20)
    assert receiver.counts == [4]


async def test_a_name_of_more_than_56_characters_has_no_poison_queue_and_no_maximum(bench: Bench) -> None:
    bench.name = bench.name.ljust(57, "a")
    await bench.queue.create_queue()
    await bench.send("keep me")
    await _receive_in_vain(bench, 2)
    receiver = await bench.receiver(fails)
    await bench.listen(receiver, maxDequeueCount=1)
    await eventually(lambda: receiver.counts == [3], 20)
    await quiet(1)
    assert await bench.is_hidden()


async def test_the_poison_trigger_of_the_same_host_is_woken_at_once(bench: Bench) -> None:
    """By then it would wait for three seconds and more between two polls."""
    receiver = await bench.receiver(lambda delivery: _is_poison(bench, delivery))
    queues = f"{bench.name}:binary,{bench.poison.queue_name}:binary"
    await bench.poison.create_queue()
    await bench.listen(receiver, queues, maxPollingInterval="00:01:00", maxDequeueCount=1)
    await quiet(8)
    await bench.send("bad")
    await eventually(lambda: len(receiver.deliveries) == 2, 30)
    ran, poisoned = receiver.deliveries
    assert (ran.queue, poisoned.queue) == (bench.name, bench.poison.queue_name)
    assert poisoned.at - ran.at < 2


async def _is_poison(bench: Bench, delivery: Delivery) -> bool:
    return delivery.queue == bench.poison.queue_name


async def test_what_is_not_base64_goes_to_the_poison_queue_as_it_is(bench: Bench) -> None:
    receiver = await bench.receiver(succeeds)
    for text in ("not base64!", '{"a": 1}', "YQ=", encode("good")):
        await bench.send(text)
    await bench.listen(receiver, messageEncoding="base64")
    await eventually(bench.is_empty, 20)
    assert receiver.bodies == [b"good"]
    assert sorted(message.content for message in await bench.poisoned()) == sorted(["not base64!", '{"a": 1}', "YQ="])


async def test_without_an_encoding_the_text_is_the_body(bench: Bench) -> None:
    texts = ["aGVsbG8=", "<&>\"'", " \r\n x ", "ü€😀", ""]
    receiver = await bench.receiver(succeeds)
    for text in texts:
        await bench.send(text)
    await bench.listen(receiver)
    await eventually(bench.is_empty, 20)
    assert sorted(receiver.bodies) == sorted(text.encode() for text in texts)


async def test_bytes_that_are_no_text_run_only_where_bytes_are_asked_for(bench: Bench) -> None:
    text, binary = f"{bench.name}-text", bench.name
    await bench.service.create_queue(text)
    receiver = await bench.receiver(succeeds)
    for queue in (text, binary):
        await bench.service.get_queue_client(queue).send_message(encode(b"\xff\x00a"))
    await bench.listen(receiver, f"{text},{binary}:binary", messageEncoding="base64", maxDequeueCount=2)
    await eventually(lambda: _count(bench, f"{text}-poison"), 20)
    await eventually(bench.is_empty, 20)
    assert [(delivery.queue, delivery.body) for delivery in receiver.deliveries] == [(binary, b"\xff\x00a")]


async def _count(bench: Bench, queue: str) -> int:
    return await bench.depth(bench.service.get_queue_client(queue))


async def test_a_function_that_updates_its_message_and_fails_sets_its_own_delay(bench: Bench) -> None:
    async def function(delivery: Delivery) -> bool:
        if delivery.count == 1:
            await _update(bench, delivery, 3)
        return delivery.count > 1

    receiver = await bench.receiver(function)
    await bench.send("x")
    await bench.listen(receiver)
    await eventually(bench.is_empty, 20)
    first, second = receiver.deliveries
    assert second.at - first.at >= 2.5


async def test_a_function_that_updates_its_message_and_succeeds_gets_it_again(bench: Bench) -> None:
    async def function(delivery: Delivery) -> bool:
        if delivery.count == 1:
            await _update(bench, delivery, 1)
        return True

    receiver = await bench.receiver(function)
    await bench.send("x")
    await bench.listen(receiver)
    await eventually(bench.is_empty, 20)
    assert receiver.counts == [1, 2]


async def test_a_message_that_its_function_updates_at_the_maximum_is_poisoned_twice(bench: Bench) -> None:
    async def function(delivery: Delivery) -> bool:
        await _update(bench, delivery, 1)
        return False

    receiver = await bench.receiver(function)
    await bench.send("x")
    await bench.listen(receiver, maxDequeueCount=1)
    await eventually(bench.is_empty, 20)
    assert [message.content for message in await bench.poisoned()] == ["x", "x"]


@pytest.mark.parametrize(("maximum", "copies"), [(2, 0), (1, 1)])
async def test_a_message_that_its_function_deletes_and_fails_is_gone_but_for_the_copy_at_the_maximum(
    bench: Bench, maximum: int, copies: int
) -> None:
    async def function(delivery: Delivery) -> bool:
        await bench.queue.delete_message(str(delivery.metadata["Id"]), str(delivery.metadata["PopReceipt"]))
        return False

    receiver = await bench.receiver(function)
    await bench.send("x")
    listener = await bench.listen(receiver, maxDequeueCount=maximum)
    await eventually(lambda: bench.proxy.of(bench.name, UPDATE, DELETE), 20)
    await bench.send("y")
    await eventually(lambda: len(receiver.deliveries) == 2, 20)
    await eventually(lambda: len(bench.proxy.of(bench.name, UPDATE, DELETE)) == 2)
    assert (listener.runs, listener.is_fatal) == (True, False)
    assert len(await bench.poisoned()) == copies * 2


async def test_a_message_whose_life_ends_while_it_fails_is_gone_for_good(bench: Bench) -> None:
    async def function(delivery: Delivery) -> bool:
        await asyncio.sleep((delivery.moment("ExpirationTime") - datetime.now(UTC)).total_seconds() + 1.5)
        return False

    receiver = await bench.receiver(function)
    listener = await bench.listen(receiver)
    await bench.send("x", time_to_live=10)
    await eventually(lambda: bench.proxy.of(bench.name, UPDATE), 30)
    await quiet(1)
    assert (receiver.counts, await bench.depth(bench.poison)) == ([1], 0)
    assert (listener.runs, listener.is_fatal) == (True, False)


async def _update(bench: Bench, delivery: Delivery, seconds: int) -> None:
    message_id, receipt = str(delivery.metadata["Id"]), str(delivery.metadata["PopReceipt"])
    await bench.queue.update_message(message_id, receipt, visibility_timeout=seconds)


async def _receive_in_vain(bench: Bench, times: int) -> None:
    """Take the message and let it be, as a host that is killed does."""
    for _ in range(times):
        message = await bench.queue.receive_message(visibility_timeout=1)
        assert message is not None
        await eventually(bench.queue.peek_messages)


async def test_the_next_batch_is_fetched_when_few_enough_run(bench: Bench) -> None:
    gates: list[asyncio.Event] = []

    async def function(delivery: Delivery) -> bool:
        gates.append(asyncio.Event())
        await gates[-1].wait()
        return True

    for number in range(12):
        await bench.send(str(number))
    await bench.listen(await bench.receiver(function), batchSize=4, newBatchThreshold=2)
    await eventually(lambda: len(gates) == 4, 20)
    gates[0].set()
    await quiet(0.7)
    assert len(gates) == 4  # three still run: more than the threshold
    gates[1].set()
    await eventually(lambda: len(gates) == 8)  # two run, and a whole batch beside them
    await quiet(0.7)
    assert len(gates) == 8
    for gate in gates:
        gate.set()
    await eventually(lambda: len(gates) == 12)
    for gate in gates:
        gate.set()
    await eventually(bench.is_empty)


async def test_the_default_threshold_is_half_a_batch_for_each_core(bench: Bench) -> None:
    gate = Gate()
    threshold, expected = os.cpu_count() or 1, 0
    while expected <= threshold:
        expected += 2
    for number in range(expected + 2):
        await bench.send(str(number))
    receiver = await bench.receiver(gate)
    await bench.listen(receiver, batchSize=2)
    await eventually(lambda: len(receiver.deliveries) == expected, 20)
    await quiet(1)
    assert len(receiver.deliveries) == expected
    gate.opened.set()
    await eventually(bench.is_empty)


async def test_a_batch_of_one_without_a_threshold_keeps_the_order(bench: Bench) -> None:
    receiver = await bench.receiver(succeeds)
    for number in range(20):
        await bench.send(f"{number:02}")
    await bench.listen(receiver, batchSize=1, newBatchThreshold=0)
    await eventually(bench.is_empty, 30)
    assert receiver.bodies == [f"{number:02}".encode() for number in range(20)]


async def test_of_two_hosts_each_message_runs_on_one(bench: Bench) -> None:
    receiver = await bench.receiver(succeeds)
    await asyncio.gather(bench.listen(receiver), bench.listen(receiver))
    for number in range(80):
        await bench.send(f"{number:02}")
    await eventually(bench.is_empty, 30)
    assert sorted(receiver.bodies) == [f"{number:02}".encode() for number in range(80)]


async def test_a_queue_that_is_missing_is_polled_and_not_made(bench: Bench) -> None:
    bench.name += "-later"
    receiver = await bench.receiver(succeeds)
    await bench.listen(receiver)
    await quiet(1.5)
    with pytest.raises(ResourceNotFoundError):
        await bench.queue.get_queue_properties()
    await bench.queue.create_queue()
    await bench.send("hello")
    await eventually(lambda: receiver.bodies == [b"hello"], 20)


async def test_a_stop_waits_for_what_runs_and_deletes_it(bench: Bench) -> None:
    gate = Gate()
    await bench.send("x")
    listener = await bench.listen(await bench.receiver(gate))
    await gate.begun.wait()
    listener.stop()
    await quiet(1)
    assert (listener.runs, await bench.depth()) == (True, 1)
    gate.opened.set()
    assert await listener.ended() == 0
    assert await bench.is_empty()


async def test_a_stop_aborts_a_receive_and_leaves_hidden_what_it_took(bench: Bench) -> None:
    taken, stopped = asyncio.Event(), asyncio.Event()

    async def hold(forward: Forward) -> web.Response:
        answer = await forward()
        if b"<QueueMessage>" in (answer.body or b""):  # type: ignore[operator]
            taken.set()
            await stopped.wait()
        return answer

    bench.proxy.on(RECEIVE, bench.name, hold)
    receiver = await bench.receiver(succeeds)
    listener = await bench.listen(receiver)
    await bench.send("x")
    await taken.wait()
    listener.stop()
    assert await listener.ended() == 0
    stopped.set()
    await quiet(1)
    assert receiver.deliveries == []
    assert await bench.is_hidden()


async def test_a_kill_leaves_the_message_hidden(bench: Bench) -> None:
    gate = Gate()
    await bench.send("x")
    listener = await bench.listen(await bench.receiver(gate))
    await gate.begun.wait()
    listener.kill()
    await listener.ended()
    assert await bench.is_hidden()


async def test_a_403_on_a_receive_stops_the_host_once_what_runs_has_ended(bench: Bench) -> None:
    other = f"{bench.name}-other"
    await bench.service.create_queue(other)
    gate = Gate()
    await bench.send("x")
    receiver = await bench.receiver(gate)
    listener = await bench.listen(receiver, f"{bench.name}:binary,{other}:binary")
    await gate.begun.wait()
    bench.proxy.on(RECEIVE, other, refusing(403, "AuthorizationFailure"))
    await eventually(lambda: listener.is_fatal, 20)
    await bench.send("y")
    await quiet(2)
    assert receiver.bodies == [b"x"]
    gate.opened.set()
    await eventually(lambda: len(bench.proxy.of(bench.name, DELETE)) == 1)


@pytest.mark.parametrize("status", [500, 503])
async def test_a_5xx_on_a_receive_is_tried_again(bench: Bench, status: int) -> None:
    bench.proxy.on(RECEIVE, bench.name, refusing(status, "ServerBusy", times=2))
    receiver = await bench.receiver(succeeds)
    await bench.send("x")
    listener = await bench.listen(receiver)
    await eventually(bench.is_empty, 30)
    assert (receiver.counts, listener.is_fatal) == ([1], False)


async def test_a_receive_whose_answer_is_lost_leaves_hidden_what_it_took(bench: Bench) -> None:
    bench.proxy.on(RECEIVE, bench.name, refusing(500, "InternalError", times=1, done=True))
    await bench.send("x")
    receiver = await bench.receiver(succeeds)
    await bench.listen(receiver)
    await eventually(lambda: len(bench.proxy.of(bench.name, RECEIVE)) > 3, 20)
    assert receiver.deliveries == []
    assert await bench.is_hidden()


async def test_a_poison_copy_whose_answer_is_lost_is_made_again(bench: Bench) -> None:
    await bench.poison.create_queue()
    bench.proxy.on(SEND, bench.poison.queue_name or "", refusing(500, "InternalError", times=1, done=True))
    receiver = await bench.receiver(fails)
    await bench.send("x")
    await bench.listen(receiver, maxDequeueCount=1)
    await eventually(bench.is_empty, 20)
    assert [message.content for message in await bench.poisoned()] == ["x", "x"]


async def test_a_delete_whose_answer_is_lost_is_none_that_anybody_notices(bench: Bench) -> None:
    bench.proxy.on(DELETE, bench.name, refusing(500, "InternalError", times=1, done=True))
    receiver = await bench.receiver(succeeds)
    await bench.send("x")
    listener = await bench.listen(receiver)
    await eventually(lambda: len(bench.proxy.of(bench.name, DELETE)) == 2, 20)
    await bench.send("y")
    await eventually(lambda: receiver.bodies == [b"x", b"y"], 20)
    assert not listener.is_fatal
