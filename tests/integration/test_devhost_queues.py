"""Queue triggers of devhost over Azurite: each rule of the real host, proven by what is left on the queues."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any

import azure.functions as func
import pytest
from azure.core.exceptions import ResourceNotFoundError

from support.queue_bench import Bench, Seen, encode, eventually


async def test_a_message_is_handed_over_whole_and_deleted(bench: Bench) -> None:
    seen = Seen()
    sent = await bench.queue.send_message(encode('{"a": 1}'))
    async with bench.host(seen):
        await eventually(bench.is_empty)
    (message,) = seen.messages
    assert (message.id, message.get_json(), message.dequeue_count) == (sent.id, {"a": 1}, 1)
    assert message.pop_receipt != sent.pop_receipt
    assert (message.insertion_time, message.expiration_time) == (sent.inserted_on, sent.expires_on)
    assert message.time_next_visible is not None
    hidden_for = message.time_next_visible - datetime.now(UTC)
    assert timedelta(minutes=9) < hidden_for <= timedelta(minutes=10)
    assert await bench.depth(poison=True) == 0


async def test_a_failed_message_is_released_for_the_visibility_timeout(bench: Bench) -> None:
    seen = Seen(failures=1)
    await bench.queue.send_message(encode("again"))
    async with bench.host(seen, visibilityTimeout="00:00:02"):
        await eventually(bench.is_empty)
    assert [message.dequeue_count for message in seen.messages] == [1, 2]
    assert seen.times[1] - seen.times[0] >= 1.5


async def test_a_message_that_fails_too_often_is_moved_to_the_poison_queue(bench: Bench) -> None:
    seen = Seen(failures=99)
    sent = await bench.queue.send_message(encode("bad"), time_to_live=-1)
    async with bench.host(seen, maxDequeueCount=3):
        await eventually(bench.is_empty)
    (poisoned,) = await bench.poisoned()
    assert len(seen.messages) == 3
    assert (poisoned.content, poisoned.dequeue_count) == (encode("bad"), 0)
    assert poisoned.id != sent.id
    assert poisoned.inserted_on is not None
    assert poisoned.expires_on == poisoned.inserted_on + timedelta(days=7)


async def test_a_message_delivered_too_often_is_poisoned_without_a_run(bench: Bench) -> None:
    await bench.queue.send_message(encode("crashes"))
    assert await bench.queue.receive_message(visibility_timeout=1) is not None
    seen = Seen()
    async with bench.host(seen, maxDequeueCount=1):
        await eventually(bench.is_empty)
    assert seen.messages == []
    assert [message.content for message in await bench.poisoned()] == [encode("crashes")]


async def test_a_failed_message_of_a_poison_queue_stays_for_the_rest_of_its_lease(bench: Bench) -> None:
    await bench.poison.create_queue()
    seen = Seen(failures=1)
    bench.name = bench.poison_name
    await bench.poison.send_message(encode("keep me"))
    async with bench.host(seen, lease=2):
        await eventually(lambda: len(seen.messages) == 1)
        assert await bench.depth(poison=True) == 1
        await eventually(lambda: len(seen.messages) == 2)
        await eventually(lambda: _is_zero(bench.depth(poison=True)))
    assert seen.times[1] - seen.times[0] >= 1.5


async def _is_zero(count: Awaitable[int]) -> bool:
    return await count == 0


async def test_a_poison_queue_gives_its_function_no_more_than_the_maximum_of_runs(bench: Bench) -> None:
    await bench.poison.create_queue()
    seen = Seen(failures=99)
    bench.name = bench.poison_name
    await bench.poison.send_message(encode("keep me"))
    async with bench.host(seen, lease=1, maxDequeueCount=2):
        await asyncio.sleep(5)
    assert [message.dequeue_count for message in seen.messages] == [1, 2]
    assert await bench.depth(poison=True) == 1
    with pytest.raises(ResourceNotFoundError):
        await bench.service.get_queue_client(f"{bench.poison_name}-poison").get_queue_properties()


async def test_a_body_that_is_not_base64_goes_to_the_poison_queue_as_it_is(bench: Bench) -> None:
    seen = Seen()
    for text in ("not base64!", '{"a": 1}', "YQ=", encode("good")):
        await bench.queue.send_message(text)
    async with bench.host(seen):
        await eventually(bench.is_empty)
    assert seen.bodies == [b"good"]
    assert sorted(message.content for message in await bench.poisoned()) == sorted(["not base64!", '{"a": 1}', "YQ="])


async def test_such_a_body_on_a_poison_queue_reappears_but_is_never_handed_over(bench: Bench) -> None:
    await bench.poison.create_queue()
    await bench.poison.send_message("not base64!")
    bench.name = bench.poison_name
    seen = Seen()
    async with bench.host(seen, lease=1):
        await asyncio.sleep(3)
    await eventually(lambda: _has(bench.poisoned()))
    (message,) = await bench.poisoned()
    assert (message.dequeue_count or 0) >= 2
    assert seen.messages == []


async def _has(items: Awaitable[list[Any]]) -> bool:
    return bool(await items)


async def test_white_space_in_base64_is_let_pass(bench: Bench) -> None:
    seen = Seen()
    await bench.queue.send_message(encode("pasted by hand") + "\n")
    async with bench.host(seen):
        await eventually(bench.is_empty)
    assert seen.bodies == [b"pasted by hand"]


async def test_without_encoding_the_text_is_the_body(bench: Bench) -> None:
    seen = Seen()
    await bench.queue.send_message("plain <text>")
    async with bench.host(seen, messageEncoding="none"):
        await eventually(bench.is_empty)
    assert seen.bodies == [b"plain <text>"]


async def test_bytes_come_as_bytes_only_to_a_binary_binding(bench: Bench) -> None:
    text, binary = Seen(), Seen()
    await bench.queue.send_message(encode(b"\xff\x00a"))
    async with bench.host(text):
        await eventually(bench.is_empty)
    await bench.queue.send_message(encode(b"\xff\x00a"))
    async with bench.host(binary, data_type=func.DataType.BINARY):
        await eventually(bench.is_empty)
    assert text.bodies == ["\ufffd\x00a".encode()]
    assert binary.bodies == [b"\xff\x00a"]


async def test_top_level_names_of_a_json_body_overwrite_the_metadata(bench: Bench) -> None:
    seen = Seen()
    body = {
        "ID": "mine",
        "popreceipt": 7,
        "DequeueCount": "40",
        "insertionTime": "2001-02-03T04:05:06Z",
        "x": {"id": 1},
    }
    await bench.queue.send_message(encode(json.dumps(body)))
    async with bench.host(seen):
        await eventually(bench.is_empty)
    (message,) = seen.messages
    assert (message.id, message.pop_receipt, message.dequeue_count) == ("mine", "7", 40)
    assert message.insertion_time == datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert message.get_json() == body


async def test_metadata_that_is_overwritten_by_nonsense_fails_every_run(bench: Bench) -> None:
    seen = Seen()
    await bench.queue.send_message(encode('{"dequeueCount": "many"}'))
    async with bench.host(seen, maxDequeueCount=2):
        await eventually(bench.is_empty)
    assert seen.messages == []
    assert len(await bench.poisoned()) == 1


async def test_a_function_that_updates_its_message_and_fails_sets_its_own_delay(bench: Bench) -> None:
    times: list[float] = []

    async def handler(message: func.QueueMessage) -> None:
        times.append(time.monotonic())
        if len(times) == 1:
            await bench.queue.update_message(str(message.id), message.pop_receipt, visibility_timeout=2)
            raise RuntimeError

    await bench.queue.send_message(encode("x"))
    async with bench.host(handler, visibilityTimeout="00:00:00"):
        await eventually(bench.is_empty)
    assert times[1] - times[0] >= 1.5


async def test_a_function_that_updates_its_message_and_succeeds_gets_it_again(bench: Bench) -> None:
    seen: list[int | None] = []

    async def handler(message: func.QueueMessage) -> None:
        seen.append(message.dequeue_count)
        if len(seen) == 1:
            await bench.queue.update_message(str(message.id), message.pop_receipt, visibility_timeout=1)

    await bench.queue.send_message(encode("x"))
    async with bench.host(handler):
        await eventually(bench.is_empty)
    assert seen == [1, 2]


async def test_a_message_that_its_function_updates_is_poisoned_twice(bench: Bench) -> None:
    async def handler(message: func.QueueMessage) -> None:
        await bench.queue.update_message(str(message.id), message.pop_receipt, visibility_timeout=1)
        raise RuntimeError

    await bench.queue.send_message(encode("x"))
    async with bench.host(handler, maxDequeueCount=1):
        await eventually(bench.is_empty)
    assert [message.content for message in await bench.poisoned()] == [encode("x")] * 2
