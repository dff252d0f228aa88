"""Between the Functions library's queue messages and the engine's deliveries."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC
from typing import TYPE_CHECKING

import azure.functions as func

from blueprints import start

if TYPE_CHECKING:
    from shared.app import App
    from shared.jobs.envelope import Delivery

CONNECTION = "AzureWebJobsStorage"
"""The setting that names the storage account of every queue."""


async def process(msg: func.QueueMessage, queue: str) -> None:
    """Run the job that a message is about; where the app cannot be composed, put it back, so that no delivery is spent."""
    try:
        app = start.app()
    except start.UnstartedError:
        await _postpone(msg, queue)
    else:
        await app.engine.process_or_put_back(_delivery(msg, queue))


async def hand_over(msg: func.QueueMessage, queue: str, taker: Callable[[App, Delivery], Awaitable[object]]) -> None:
    """Hand a message of another system's making to whom it is for; where the app cannot be composed, put it back."""
    try:
        app = start.app()
    except start.UnstartedError:
        await _postpone(msg, queue)
    else:
        await taker(app, _delivery(msg, queue))


async def record(msg: bytes, queue: str) -> None:
    """Record a message from a poison queue.

    Where that cannot be done it goes back on the queue as a fresh message; and if that cannot be done either, this raises
    and it stays. Raising alone would not do: the host stops running a message after `maxDequeueCount` deliveries, also
    where there is no poison queue to move it to, and what the host put there lives for seven days only.

    Poison triggers take the body alone. With a `QueueMessage` the worker reads the trigger's metadata too, which a body
    with properties of the same names overwrites: if they are of the wrong type, it fails before any function runs.
    """
    try:
        app = start.app()
    except start.UnstartedError:
        await _postpone(msg, queue)
        return
    from shared.jobs.envelope import Delivery

    await app.engine.record_or_put_back(Delivery(queue, "", _body(msg)))


async def _postpone(msg: object, queue: str) -> None:
    from shared.bootstrap import postpone

    await postpone(queue, _body(msg).decode())


def _body(msg: object) -> bytes:
    """The bytes of a message, in whichever form a host hands them to a parameter that asks for bytes."""
    body = msg.get_body() if isinstance(msg, func.QueueMessage) else msg
    return body.encode() if isinstance(body, str) else bytes(body)  # type: ignore[call-overload]


def _delivery(msg: func.QueueMessage, queue: str) -> Delivery:
    from shared.jobs.envelope import Delivery

    inserted = msg.insertion_time
    if inserted and inserted.tzinfo is None:
        inserted = inserted.replace(tzinfo=UTC)  # the library drops a zone that is not written as `Z`
    return Delivery(queue, msg.id or "", msg.get_body(), inserted, msg.dequeue_count or 1)
