"""The timer's part: submit, look once, go on; and replies of both shapes."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from shared.declarations import settings_of
from shared.domains.collect.hot_topics import collect_hot_topics
from shared.domains.collect.kinds import collect_content
from shared.domains.collect.payload import CollectJob
from shared.domains.collect.replies import FinalReply, TicketReply, UnknownReplyError, read_reply
from shared.domains.collect.timers import HOT_TOPICS
from shared.jobs.testing import FakeClock
from shared.ports import StorageError
from shared.settings import SettingsError

TICKET = {
    "job_id": "6ce324a8-0502-4b0c-b729-12e10f0f22f6",
    "status": "queued",
    "message": "Content processing started.",
}
OLD = {
    "status": "success",
    "total_topics": 20,
    "total_subreddits": 2,
    "results": [{"subreddit": "a", "status": "success"}, {"subreddit": "b", "status": "error", "error": "x"}],
}


def test_a_reply_is_a_ticket_or_the_old_result() -> None:
    assert read_reply(TICKET) == TicketReply(TICKET["job_id"], "queued")
    assert read_reply(OLD) == FinalReply("success", 20, 2, 1)
    assert read_reply({"total_topics": 3, "results": [{"subreddit": "a"}]}) == FinalReply("success", 3, 1, 0)
    assert read_reply({"status": "partial", "total_topics": 0}) == FinalReply("partial", 0, 0, 0)


@pytest.mark.parametrize("reply", [{}, {"status": "success"}, {"job_id": ""}, {"job_id": 7}, {"total_topics": "many"}])
def test_a_reply_of_another_shape_is_not_taken_for_one(reply: dict[str, Any]) -> None:
    with pytest.raises(UnknownReplyError):
        read_reply(reply)


class Route:
    """What answers the timer."""

    def __init__(self, reply: dict[str, Any] | None, seen: dict[str, Any] | Exception) -> None:
        self.reply, self.seen = reply, seen
        self.submitted = 0
        self.looked: list[str] = []

    async def submit(self) -> dict[str, Any] | None:
        self.submitted += 1
        return self.reply

    async def poll(self, job_id: str) -> dict[str, Any]:
        self.looked.append(job_id)
        if isinstance(self.seen, Exception):
            raise self.seen
        return self.seen


async def run(route: Route, **settings: str) -> FakeClock:
    clock = FakeClock()
    await collect_hot_topics(settings_of(settings), clock, route.submit, route.poll)
    return clock


async def test_it_submits_waits_looks_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    route = Route(TICKET, {"status": "running", "progress": {"step": "processing r/a", "completed": 1, "total": 2}})
    clock = await run(route)
    assert route.submitted == 1
    assert clock.slept == [10]
    assert route.looked == [TICKET["job_id"]]
    assert [record.getMessage() for record in caplog.records] == [
        f"hot topics: job={TICKET['job_id']} status=queued",
        f"hot topics: job={TICKET['job_id']} status=running step=processing r/a completed=1 total=2",
    ]


def test_the_settings_say_what_is_collected() -> None:
    chosen = HOT_TOPICS.chosen(settings_of({"HOT_TOPICS": "a1, b2", "HOT_TOPICS_LIMIT": "25"}))
    expected = CollectJob(source="reddit", topics=["a1", "b2"], limit=25, sort="hot")
    assert collect_content.parse(chosen, collect_content.version) == expected


async def test_where_none_is_due_there_is_nothing_to_look_at() -> None:
    route = Route(None, {})
    clock = await run(route)
    assert (clock.slept, route.looked) == ([], [])


async def test_the_old_result_needs_no_look(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    route = Route(OLD, {})
    clock = await run(route)
    assert (clock.slept, route.looked) == ([], [])
    assert caplog.messages == ["hot topics: status=success topics=20 subreddits=2 errors=1"]


async def test_storage_that_does_not_answer_the_look_fails_nothing(caplog: pytest.LogCaptureFixture) -> None:
    await run(Route(TICKET, StorageError("down")), HOT_TOPICS_LOOK_SECONDS="0.5")
    assert "not seen" in caplog.text


@pytest.mark.parametrize("value", ["a", "a,", "a b", "x" * 25, "../x", ",".join(["ab"] * 51)])
def test_names_that_are_none_stop_the_start(value: str) -> None:
    with pytest.raises(SettingsError, match="HOT_TOPICS"):
        settings_of({"HOT_TOPICS": value})
