"""What every `MessageQueues` does."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from azure.storage.queue.aio import QueueClient

from shared.adapters import opening
from shared.ports import MessageQueues, ReceivedMessage, StorageError, TooLargeError
from shared.settings import load
from support.azurite import AzuriteProcess, connection_string
from support.node import free_ports
from support.wire import Wire


async def received(queues: MessageQueues, queue: str) -> list[ReceivedMessage]:
    """What is received once there is something, hidden for an hour."""
    async with asyncio.timeout(60):
        while not (messages := await queues.receive(queue, hide=timedelta(hours=1))):  # noqa: ASYNC110 - as a host polls
            await asyncio.sleep(0.1)
    return messages


async def test_what_was_sent_is_received(queues: MessageQueues, unique: str) -> None:
    await queues.send(unique, "hello")
    (message,) = await queues.receive(unique)
    assert (message.text, message.dequeue_count) == ("hello", 1)
    assert datetime.now(UTC) - message.inserted_at < timedelta(minutes=1)


@pytest.mark.parametrize("text", ["eyJhIjoxfQ==", '{"a": "<&>"}', "ünïçødé ✓ 日本", "  spaces  and\ttabs\n", "]]>"])
async def test_text_is_taken_as_it_is(queues: MessageQueues, unique: str, text: str) -> None:
    await queues.send(unique, text)
    assert [peeked.text for peeked in await queues.peek(unique)] == [text]
    assert [message.text for message in await queues.receive(unique)] == [text]


async def test_a_missing_queue_is_empty(queues: MessageQueues, unique: str) -> None:
    gone = ReceivedMessage("5b07ae2e-7a33-4f5c-8ac1-b4f8a9a2a9c1", "AgAAAAMAAAAAAAAA", "", datetime.now(UTC), 1)
    assert await queues.receive(unique) == []
    assert await queues.peek(unique) == []
    assert await queues.depth(unique) == 0
    assert not await queues.delete(unique, gone)


async def test_a_delayed_message_is_counted_and_shows_later(queues: MessageQueues, unique: str) -> None:
    await queues.send(unique, "much later", timedelta(hours=1))
    assert await queues.receive(unique) == []
    assert await queues.peek(unique) == []
    assert await queues.depth(unique) == 1
    await queues.send(unique, "later", timedelta(seconds=0.2))
    assert [message.text for message in await received(queues, unique)] == ["later"]


async def test_a_delay_is_rounded_up_and_capped(azure_queues: MessageQueues, wire: Wire, unique: str) -> None:
    for delay in (timedelta(seconds=1.001), timedelta(days=30), timedelta(seconds=-5)):
        await azure_queues.send(unique, "x", delay)
    sent = [request for request in wire.requests if "messagettl=-1" in request.url]
    assert [request.url.split("visibilitytimeout=")[1].split("&")[0] for request in sent[1:]] == ["2", "604800", "0"]


async def test_a_message_never_expires(azure_queues: MessageQueues, azurite: AzuriteProcess, unique: str) -> None:
    await azure_queues.send(unique, "x")
    async with QueueClient.from_connection_string(azurite.connection_string, unique) as client:
        (message,) = await client.peek_messages()
    assert message.expires_on is not None
    assert message.expires_on.year == 9999


async def test_a_received_message_is_hidden_for_a_while(queues: MessageQueues, unique: str) -> None:
    await queues.send(unique, "x")
    assert len(await queues.receive(unique, hide=timedelta(seconds=1))) == 1
    (again,) = await received(queues, unique)
    assert again.dequeue_count == 2
    assert await queues.receive(unique) == []


async def test_deleting_once(queues: MessageQueues, unique: str) -> None:
    await queues.send(unique, "x")
    (message,) = await queues.receive(unique)
    assert await queues.delete(unique, message)
    assert not await queues.delete(unique, message)
    assert await queues.depth(unique) == 0


async def test_what_somebody_else_received_since_is_not_deleted(queues: MessageQueues, unique: str) -> None:
    await queues.send(unique, "x")
    (first,) = await queues.receive(unique, hide=timedelta(seconds=1))
    (second,) = await received(queues, unique)
    assert not await queues.delete(unique, first)
    assert await queues.delete(unique, second)


async def test_receiving_is_one_call_of_at_most_the_limit(azure_queues: MessageQueues, wire: Wire, unique: str) -> None:
    await asyncio.gather(*(azure_queues.send(unique, str(n)) for n in range(40)))
    wire.requests.clear()
    received = [len(await azure_queues.receive(unique)), len(await azure_queues.receive(unique, limit=3))]
    assert received == [32, 3]
    assert wire.calls == ["GET", "GET"]


async def test_peeking_hides_nothing(queues: MessageQueues, unique: str) -> None:
    for n in range(3):
        await queues.send(unique, str(n))
    assert [peeked.text for peeked in await queues.peek(unique, limit=2)] == ["0", "1"]
    peeked = await queues.peek(unique)
    received = await queues.receive(unique)
    assert [(m.text, m.dequeue_count, m.pop_receipt) for m in peeked] == [(str(n), 0, "") for n in range(3)]
    assert [m.dequeue_count for m in received] == [1, 1, 1]
    assert [(m.message_id, m.inserted_at) for m in peeked] == [(m.message_id, m.inserted_at) for m in received]


async def test_64_kib_is_the_limit(queues: MessageQueues, unique: str) -> None:
    await queues.send(unique, "x" * 65536)
    (message,) = await queues.receive(unique)
    assert len(message.text) == 65536
    with pytest.raises(TooLargeError):
        await queues.send(unique, "x" * 65537)


async def test_each_operation_is_one_storage_call(azure_queues: MessageQueues, wire: Wire, unique: str) -> None:
    await azure_queues.send(unique, "makes the queue")
    wire.requests.clear()
    await azure_queues.send(unique, "x")
    await azure_queues.peek(unique)
    messages = await azure_queues.receive(unique)
    await azure_queues.delete(unique, messages[0])
    await azure_queues.depth(unique)
    assert wire.calls == ["POST", "GET", "GET", "DELETE", "GET"]


async def test_a_missing_queue_is_made_by_many_at_once(queues: MessageQueues, unique: str) -> None:
    await asyncio.gather(*(queues.send(unique, str(n)) for n in range(20)))
    assert await queues.depth(unique) == 20


async def test_no_server_is_a_storage_error(unique: str) -> None:
    blob_port, queue_port = free_ports(2)
    queues = opening.open_queues(load({"AzureWebJobsStorage": connection_string(blob_port, queue_port)}))
    message = ReceivedMessage("id", "receipt", "", datetime.now(UTC), 1)
    outcomes = await asyncio.gather(
        queues.send(unique, "x"), queues.receive(unique), queues.peek(unique), queues.delete(unique, message),
        queues.depth(unique), return_exceptions=True,
    )  # fmt: skip
    assert [type(outcome) for outcome in outcomes] == [StorageError] * 5
    await queues.close()


async def test_a_name_that_no_queue_can_have_is_a_storage_error(azure_queues: MessageQueues) -> None:
    with pytest.raises(StorageError):
        await azure_queues.send("No_Queue", "x")
