"""What devhost does beyond a listener: time limits, threads, retry policies, its log; over Azurite.

How it listens is in `tests/contract/test_queue_listeners.py`.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from datetime import timedelta
from pathlib import Path

import azure.functions as func
import httpx
import pytest
from azure.core.exceptions import HttpResponseError

from devhost.queues import Backoff
from support.queue_bench import Bench, Seen, encode, eventually


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


async def test_a_body_overwrites_the_metadata_of_a_string_and_not_of_bytes(bench: Bench) -> None:
    """The listener does not do that, but the host above it; `data/host` of the hand-over folder has it recorded."""
    text, binary = Seen(), Seen()
    body = encode(json.dumps({"ID": "mine", "DequeueCount": "40", "x": {"popReceipt": 1}}))
    await bench.queue.send_message(body)
    async with bench.host(text):
        await eventually(bench.is_empty)
    await bench.queue.send_message(body)
    async with bench.host(binary, data_type=func.DataType.BINARY):
        await eventually(bench.is_empty)
    assert [(message.id, message.dequeue_count) for message in text.messages] == [("mine", 40)]
    assert [message.dequeue_count for message in binary.messages] == [1]


async def test_a_function_that_overruns_fails_and_its_neighbours_end_when_their_own_time_is_up(bench: Bench) -> None:
    """The real host kills the worker of both, and tells the neighbour nothing."""
    begun: list[str] = []
    ended: list[str] = []

    async def handler(message: func.QueueMessage) -> None:
        name = message.get_body().decode()
        begun.append(name)
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(name)

    await bench.queue.send_message(encode("first"))
    async with bench.host(handler, functionTimeout="00:00:03", maxDequeueCount=1) as host:
        await eventually(lambda: begun == ["first"])
        await asyncio.sleep(1.5)
        await bench.queue.send_message(encode("neighbour"))
        await eventually(lambda: begun == ["first", "neighbour"])
        started = time.monotonic()
        await eventually(host.overran.is_set)
        assert ended == ["first", "neighbour"]
        await eventually(lambda: _poisoned(bench, 1))
        assert await bench.depth() == 1
        await eventually(bench.is_empty)
        assert time.monotonic() - started > 2.5
    assert len(await bench.poisoned()) == 2


async def _poisoned(bench: Bench, count: int) -> bool:
    return len(await bench.poisoned()) == count


async def test_storage_that_refuses_stops_the_host_with_its_http_once_what_runs_has_ended(
    bench: Bench,
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def handler(message: func.QueueMessage) -> None:
        begun.set()
        await go_on.wait()

    await bench.queue.send_message(encode("x"))
    async with bench.host(handler) as host, httpx.AsyncClient(base_url=host.url) as client:
        await begun.wait()
        assert (await client.get("/")).status_code == 200
        host.fail("queue x cannot be read", HttpResponseError("told to"))
        assert host.failed.is_set()
        await eventually(lambda: host.server._server._closing)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", host.port)
        assert await bench.depth() == 1
        go_on.set()
        await eventually(bench.is_empty)
        await host.stop()


def test_the_waits_between_polls_grow_from_a_tenth_of_a_second_by_doubling_steps() -> None:
    backoff = Backoff(timedelta(seconds=2))
    waits = [backoff.next() for _ in range(8)]
    for wait, more in zip(waits, (0, 0.1, 0.2, 0.4, 0.8, 1.6), strict=False):
        assert min(2.0, 0.1 + more * 0.8) <= wait <= min(2.0, 0.1 + more * 1.2)
    assert waits[-2:] == [2.0, 2.0]
    backoff.reset()
    assert backoff.next() == 0.1
