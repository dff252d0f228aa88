"""Between the Functions library's queue messages and the engine's deliveries."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

import azure.functions as func

if TYPE_CHECKING:
    from shared.jobs.verdict import Delivery

CONNECTION = "AzureWebJobsStorage"
"""The setting that names the storage account of every queue."""


async def process(msg: func.QueueMessage, queue: str) -> None:
    """Run the job that a message is about."""
    from shared.bootstrap import app

    await app().engine.process(_delivery(msg, queue))


async def record(msg: func.QueueMessage, queue: str) -> None:
    """Record a message from a poison queue; raise where that cannot be done, so that it stays."""
    from shared.bootstrap import app

    await app().engine.record(_delivery(msg, queue))


def _delivery(msg: func.QueueMessage, queue: str) -> Delivery:
    from shared.jobs.verdict import Delivery

    inserted = msg.insertion_time
    if inserted and inserted.tzinfo is None:
        inserted = inserted.replace(tzinfo=UTC)  # the library drops a zone that is not written as `Z`
    return Delivery(queue, msg.id or "", msg.get_body(), inserted, msg.dequeue_count or 1)
