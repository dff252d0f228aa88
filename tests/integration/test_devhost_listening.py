"""How devhost listens to a queue: batches, leases, outages, stopping, time limits; over Azurite."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest
from azure.storage.queue.aio import QueueServiceClient

from devhost.config import QueueOptions
from devhost.index import index
from devhost.invoke import Invoker
from devhost.queues import Backoff, QueueListener
from support.azurite import AzuriteProcess
from support.queue_bench import Bench, Seen, encode, eventually


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
    both = threading.Barrier(3, timeout=10)

    @app.queue_trigger("message", queue_name="%QUEUE%", connection="AzureWebJobsStorage")
    def work(message: func.QueueMessage, context: func.Context) -> None:
        assert context.function_name == "work"
        both.wait()

    for number in range(3):
        await bench.queue.send_message(encode(str(number)))
    async with bench.host_of(app):
        await eventually(bench.is_empty)
    assert not both.broken
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
    assert f"failed: RuntimeError at {Path(__file__).name}:" in lines[0]
    assert "somebody" not in caplog.text


def test_the_backoff_doubles_from_a_tenth_of_a_second_to_the_longest() -> None:
    backoff = Backoff(timedelta(seconds=2))
    waits = [backoff.next() for _ in range(8)]
    for wait, plain in zip(waits, (0.1, 0.2, 0.4, 0.8, 1.6), strict=False):
        assert min(2.0, plain * 0.8) <= wait <= min(2.0, plain * 1.2)
    assert waits[-2:] == [2.0, 2.0]
    backoff.reset()
    assert backoff.next() <= 0.12
