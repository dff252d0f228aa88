"""Lines: whether the message of a job should have had its turn, by the head of its queue."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from shared.jobs.envelope import Envelope, decode
from shared.jobs.errors import UnreadableError
from shared.ports import MessageQueues, ReceivedMessage
from shared.storage import iso

MOST_PEEKED = 32
"""As many messages a queue shows at once."""


@dataclass(frozen=True, slots=True)
class _Head:
    """The messages at the head of a queue: which jobs they are about, and when the latest of them could first be seen."""

    jobs: frozenset[str] = frozenset()
    latest: str = "~"


class Lines:
    """The queues, each looked at once: for one sweep.

    A short queue shows all that it has. Of a long one, messages come about in the order in which they became visible: where all
    that stand at its head became visible before a job's message should have, the queue is behind, and to send that message again would only make it longer.
    """

    def __init__(self, queues: MessageQueues) -> None:
        self._queues = queues
        self._heads: dict[str, _Head] = {}

    async def passed(self, queue: str, job_id: str, moment: str) -> bool:
        """Whether a message of this job that became visible before this moment (as `iso` writes it) must have been taken."""
        if queue not in self._heads:
            self._heads[queue] = _head(await self._queues.peek(queue, MOST_PEEKED))
        head = self._heads[queue]
        return job_id not in head.jobs and head.latest > moment


def visible_at(message: ReceivedMessage) -> datetime:
    """When a message could first be seen: a delayed one was put on the queue long before that."""
    envelope = _envelope(message)
    return max(message.inserted_at, envelope.record.due_at) if envelope and envelope.record else message.inserted_at


def _head(messages: list[ReceivedMessage]) -> _Head:
    jobs = frozenset(envelope.job_id for message in messages if (envelope := _envelope(message)))
    if len(messages) < MOST_PEEKED:  # all that can be seen: whoever is not there has been taken, or is lost
        return _Head(jobs)
    return _Head(jobs, iso(max(visible_at(message) for message in messages)))


def _envelope(message: ReceivedMessage) -> Envelope | None:
    with suppress(UnreadableError):
        return decode(message.text.encode())
    return None
