"""Whether the message of a job should have had its turn."""

from __future__ import annotations

from datetime import timedelta

from shared.jobs.lines import MOST_PEEKED, Lines
from shared.jobs.testing import FakeClock, MemoryQueues
from shared.storage import iso


async def passed(standing: int) -> bool:
    """Whether a job's message must be gone, of a queue whose messages all became visible before it should have."""
    clock = FakeClock()
    queues = MemoryQueues(clock)
    for number in range(standing):
        await queues.send("line", f"message {number}")
    return await Lines(queues).passed("line", "job", iso(clock.now() + timedelta(minutes=5)))


async def test_a_queue_that_shows_all_that_it_has_hides_no_message() -> None:
    assert await passed(0)
    assert await passed(MOST_PEEKED - 1)


async def test_behind_a_long_line_a_message_may_still_come() -> None:
    assert not await passed(MOST_PEEKED)
