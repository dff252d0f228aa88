"""Hot topics: submit a collection, look at it once, and go on."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from shared.domains.collect.payload import CollectJob
from shared.domains.collect.replies import FinalReply, TicketReply, read_reply
from shared.domains.collect.settings import CollectSettings
from shared.ports import Clock, StorageError

if TYPE_CHECKING:
    from shared.settings import Settings

LOG = logging.getLogger("nightshift.hot_topics")

Reply = Mapping[str, Any]
Submit = Callable[[], Awaitable[Reply | None]]
Poll = Callable[[str], Awaitable[Reply]]


async def collect_hot_topics(settings: Settings, clock: Clock, submit: Submit, poll: Poll) -> None:
    """Submit the collection, if one is due, and log how it stands a few seconds later.

    Raises:
        StorageError: it could not be submitted. That it could not be looked at is only logged: the job runs without us.
    """
    reply = await submit()
    if reply is None:
        LOG.info("hot topics: nothing is due; POST /api/timers/GetHotTopics/run collects at will")
        return
    match read_reply(reply):
        case FinalReply(status, topics, subreddits, errors):
            LOG.info("hot topics: status=%s topics=%d subreddits=%d errors=%d", status, topics, subreddits, errors)
        case TicketReply(job_id, status):
            LOG.info("hot topics: job=%s status=%s", job_id, status)
            await clock.sleep(settings.of(CollectSettings).hot_topics_look_seconds)
            await _poll_once(job_id, poll)


def wanted(settings: Settings) -> CollectJob:
    """What the settings ask for."""
    chosen = settings.of(CollectSettings)
    topics = [name.strip() for name in chosen.hot_topics.split(",")]
    return CollectJob(source="reddit", topics=topics, limit=chosen.hot_topics_limit, sort="hot")


async def _poll_once(job_id: str, poll: Poll) -> None:
    try:
        seen = await poll(job_id)
    except StorageError as error:
        LOG.warning("hot topics: job=%s not seen, cause=%s", job_id, type(error).__name__)
        return
    progress = seen.get("progress") or {}
    LOG.info(
        "hot topics: job=%s status=%s step=%s completed=%s total=%s",
        job_id, seen.get("status"), progress.get("step"), progress.get("completed"), progress.get("total"),
    )  # fmt: skip
