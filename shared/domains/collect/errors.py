"""What can be wrong with a whole collection."""

from __future__ import annotations


class TopicsUnavailableError(Exception):
    """No topic could be collected for now, and a later try may succeed."""
