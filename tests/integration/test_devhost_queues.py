"""Queue triggers of devhost over Azurite: each rule of the real host, proven by what is left on the queues."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueServiceClient

from devhost import Host
from devhost.config import QueueOptions
from devhost.index import index
from devhost.invoke import Invoker
from devhost.queues import Backoff, QueueListener
from support.azurite import AzuriteProcess

Handler = Callable[[func.QueueMessage], Awaitable[None]]


def encode(body: str | bytes) -> str:
    return base64.b64encode(body.encode() if isinstance(body, str) else body).decode()


async def eventually(check: Callable[[], Any], seconds: float = 10.0) -> None:
    """Wait until something holds; a check may be async."""
    deadline = time.monotonic() + seconds
    while True:
        held = check()
        if asyncio.iscoroutine(held):
            held = await held
        if held:
            return
        assert time.monotonic() < deadline, "it did not come about in time"
        await asyncio.sleep(0.05)


@dataclass
class Seen:
    """Records what a function is handed, and fails as often as it is told to."""

    failures: int = 0
    messages: list[func.QueueMessage] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    async def __call__(self, message: func.QueueMessage) -> None:
        self.messages.append(message)
        self.times.append(time.monotonic())
        if len(self.messages) <= self.failures:
            raise RuntimeError("told to fail")

    @property
    def bodies(self) -> list[bytes]:
        return [message.get_body() for message in self.messages]


class Bench:
    """One queue of its own in the storage account, and hosts that listen to it."""

    def __init__(self, service: QueueServiceClient, connection: str, name: str) -> None:
        self.service = service
        self.connection = connection
        self.name = name
        self.poison_name = f"{name}-poison"
        self.queue = service.get_queue_client(name)
        self.poison = service.get_queue_client(self.poison_name)

    def host(self, handler: Handler, *, lease: int = 600, **options: Any) -> Host:
        return self.host_of(self.app(handler, data_type=options.pop("data_type", None)), lease=lease, **options)

    def app(self, handler: Handler, **binding: Any) -> func.FunctionApp:
        app = func.FunctionApp()

        @app.queue_trigger("message", queue_name="%QUEUE%", connection="AzureWebJobsStorage", **binding)
        async def work(message: func.QueueMessage) -> None:
            await handler(message)

        return app

    def host_of(self, app: func.FunctionApp, *, lease: int = 600, **options: Any) -> Host:
        settings = {
            "AzureWebJobsStorage": self.connection,
            "QUEUE": self.name,
            "DEVHOST_MESSAGE_LEASE_SECONDS": str(lease),
        }
        timeout = options.pop("functionTimeout", "00:00:30")
        queues = {"maxPollingInterval": "00:00:00.200", **options}
        return Host(app, settings, host_json={"functionTimeout": timeout, "extensions": {"queues": queues}})

    async def depth(self, poison: bool = False) -> int:
        queue = self.poison if poison else self.queue
        try:
            return (await queue.get_queue_properties()).approximate_message_count or 0
        except ResourceNotFoundError:
            return 0

    async def is_empty(self) -> bool:
        return await self.depth() == 0

    async def poisoned(self) -> list[QueueMessage]:
        return list(await self.poison.peek_messages(max_messages=32)) if await self.depth(poison=True) else []


@pytest.fixture
async def bench(azurite: AzuriteProcess, unique: str) -> AsyncIterator[Bench]:
    async with QueueServiceClient.from_connection_string(azurite.connection_string) as service:
        bench = Bench(service, azurite.connection_string, unique[:40])
        await bench.queue.create_queue()
        yield bench


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


async def test_the_next_batch_is_fetched_when_few_enough_run(bench: Bench) -> None:
    running: list[asyncio.Event] = []

    async def handler(message: func.QueueMessage) -> None:
        running.append(asyncio.Event())
        await running[-1].wait()

    for number in range(12):
        await bench.queue.send_message(encode(str(number)))
    async with bench.host(handler, batchSize=4, newBatchThreshold=2):
        await eventually(lambda: len(running) == 4)
        running[0].set()
        await asyncio.sleep(0.5)
        assert len(running) == 4  # three still run: more than the threshold
        running[1].set()
        await eventually(lambda: len(running) == 8)  # two run, and a whole batch beside them
        await asyncio.sleep(0.5)
        assert len(running) == 8
        for event in running:
            event.set()
        await eventually(lambda: len(running) == 12)
        for event in running:
            event.set()
        await eventually(bench.is_empty)


async def test_the_lease_is_renewed_while_the_function_runs(bench: Bench) -> None:
    seen = Seen()

    async def handler(message: func.QueueMessage) -> None:
        await seen(message)
        await asyncio.sleep(4)

    await bench.queue.send_message(encode("slow"))
    async with bench.host(handler, lease=2):
        await eventually(bench.is_empty)
    assert len(seen.messages) == 1


async def test_a_queue_that_comes_into_being_later_is_read(bench: Bench) -> None:
    seen = Seen()
    bench.name = f"{bench.name}-later"
    later = bench.service.get_queue_client(bench.name)
    async with bench.host(seen):
        await asyncio.sleep(0.5)
        await later.create_queue()
        await later.send_message(encode("hello"))
        await eventually(lambda: seen.bodies == [b"hello"])


async def test_polling_outlives_an_outage_of_storage(
    unique: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    azurite = AzuriteProcess(tmp_path)
    azurite.start()
    try:
        async with QueueServiceClient.from_connection_string(azurite.connection_string) as service:
            bench = Bench(service, azurite.connection_string, unique)
            await bench.queue.create_queue()
            seen = Seen()
            async with bench.host(seen):
                await asyncio.sleep(0.5)
                azurite.stop()
                await asyncio.sleep(2)
                azurite.start()
                await bench.queue.send_message(encode("after"))
                await eventually(lambda: seen.bodies == [b"after"])
    finally:
        azurite.stop()
    assert sum("cannot be read" in record.getMessage() for record in caplog.records) == 1


async def test_stopping_waits_for_what_runs(bench: Bench) -> None:
    started, finished = asyncio.Event(), asyncio.Event()

    async def handler(message: func.QueueMessage) -> None:
        started.set()
        await asyncio.sleep(1)
        finished.set()

    await bench.queue.send_message(encode("x"))
    async with bench.host(handler):
        await started.wait()
    assert finished.is_set()
    assert await bench.is_empty()


async def test_stopping_gives_up_what_outlasts_the_grace(bench: Bench) -> None:
    started = asyncio.Event()

    async def handler(message: func.QueueMessage) -> None:
        started.set()
        await asyncio.sleep(60)

    await bench.queue.send_message(encode("x"))
    host = bench.host(handler)
    host._grace = 0.5
    begun = time.monotonic()
    async with host:
        await started.wait()
    assert time.monotonic() - begun < 5
    assert await bench.depth() == 1


async def test_what_was_received_but_not_started_is_released(bench: Bench) -> None:
    seen = Seen()
    (function,) = index(bench.app(seen), {"QUEUE": bench.name})
    listener = QueueListener(function, bench.service, QueueOptions(), Invoker(Path(), None, None))
    receive = listener._receive

    async def receive_while_stopping() -> Any:
        messages = await receive()
        listener.stop()
        return messages

    listener._receive = receive_while_stopping  # type: ignore[method-assign]
    await bench.queue.send_message(encode("x"))
    await listener.run()
    assert seen.messages == []
    (message,) = await bench.queue.peek_messages()
    assert message.dequeue_count == 1


async def test_a_function_that_overruns_the_function_timeout_fails(bench: Bench) -> None:
    async def handler(message: func.QueueMessage) -> None:
        await asyncio.sleep(60)

    await bench.queue.send_message(encode("x"))
    async with bench.host(handler, functionTimeout="00:00:01", maxDequeueCount=1):
        await eventually(bench.is_empty)
    assert len(await bench.poisoned()) == 1


async def test_sync_functions_run_side_by_side_in_threads(bench: Bench) -> None:
    app = func.FunctionApp()
    together = threading.Barrier(3, timeout=10)

    @app.queue_trigger("message", queue_name="%QUEUE%", connection="AzureWebJobsStorage")
    def work(message: func.QueueMessage, context: func.Context) -> None:
        assert context.function_name == "work"
        together.wait()

    for number in range(3):
        await bench.queue.send_message(encode(str(number)))
    async with bench.host_of(app):
        await eventually(bench.is_empty)
    assert not together.broken
    assert await bench.depth(poison=True) == 0


async def test_a_retry_policy_retries_inside_one_delivery(bench: Bench) -> None:
    app = func.FunctionApp()
    counts: list[tuple[int | None, int]] = []

    @app.queue_trigger("message", queue_name="%QUEUE%", connection="AzureWebJobsStorage")
    @app.retry(strategy="fixed_delay", max_retry_count="2", delay_interval="00:00:00")
    async def work(message: func.QueueMessage, context: func.Context) -> None:
        counts.append((message.dequeue_count, context.retry_context.retry_count))
        if len(counts) < 3:
            raise RuntimeError

    await bench.queue.send_message(encode("x"))
    async with bench.host_of(app):
        await eventually(bench.is_empty)
    assert counts == [(1, 0), (1, 1), (1, 2)]


async def test_the_log_of_an_invocation_holds_no_payload(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    async def handler(message: func.QueueMessage) -> None:
        raise RuntimeError(message.get_body().decode())

    caplog.set_level("INFO")
    await bench.queue.send_message(encode("somebody@example.org"))
    async with bench.host(handler, maxDequeueCount=1):
        await eventually(bench.is_empty)
    lines = [record.getMessage() for record in caplog.records if record.name == "devhost.invocation"]
    assert len(lines) == 1
    assert lines[0].startswith("work  ")
    assert "failed: RuntimeError at test_devhost_queues.py:" in lines[0]
    assert "somebody" not in caplog.text


def test_the_backoff_doubles_from_a_tenth_of_a_second_to_the_longest() -> None:
    backoff = Backoff(timedelta(seconds=2))
    waits = [backoff.next() for _ in range(8)]
    for wait, plain in zip(waits, (0.1, 0.2, 0.4, 0.8, 1.6), strict=False):
        assert min(2.0, plain * 0.8) <= wait <= min(2.0, plain * 1.2)
    assert waits[-2:] == [2.0, 2.0]
    backoff.reset()
    assert backoff.next() <= 0.12
