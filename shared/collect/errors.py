"""What can be wrong with a topic, beside what can be wrong with fetching it (`shared.fetch.errors`)."""

from __future__ import annotations


class ContentRefusedError(Exception):
    """What came is not what was asked for, and asking again will not change that."""

    reason = "unreadable"
    """A short word for records and clients."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or type(self).__doc__)


class TopicsUnavailableError(Exception):
    """No topic could be collected for now, and a later try may succeed."""
