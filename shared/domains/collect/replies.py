"""What the collection's HTTP side answers to who submits: a ticket today, and the collected result itself in former times."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class UnknownReplyError(ValueError):
    """The reply is neither a ticket nor a result."""


@dataclass(frozen=True, slots=True)
class TicketReply:
    """The work goes on; ask by the id."""

    job_id: str
    status: str


@dataclass(frozen=True, slots=True)
class FinalReply:
    """The work was done before the reply was sent: the synchronous shape."""

    status: str
    topics: int
    subreddits: int
    errors: int


def read_reply(reply: Mapping[str, Any]) -> TicketReply | FinalReply:
    """Understand a reply of either shape.

    Raises:
        UnknownReplyError: it has none of them.
    """
    status = str(reply.get("status", ""))
    if isinstance(reply.get("job_id"), str) and reply["job_id"]:
        return TicketReply(reply["job_id"], status)
    if isinstance(reply.get("total_topics"), int):
        given = reply.get("results")
        results = [each for each in given if isinstance(each, Mapping)] if isinstance(given, list) else []
        subreddits = reply.get("total_subreddits")
        return FinalReply(
            status or "success",
            reply["total_topics"],
            subreddits if isinstance(subreddits, int) else len(results),
            sum(each.get("status") == "error" for each in results),
        )
    raise UnknownReplyError(UnknownReplyError.__doc__)
