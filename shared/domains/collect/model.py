"""The one model of what is collected."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

SourceName = Literal["reddit", "rss", "web"]
Sort = Literal["hot", "new", "top"]

MOST_ITEMS = 100
"""The largest `limit` of a job."""


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that somebody published. Texts are plain: no markup, no control characters."""

    id: str
    """The publisher's own id, or one made of address and content."""
    title: str
    url: str | None
    """The canonical address: absolute, http or https, without what only tracks."""
    source: str
    """`reddit`, `rss` or `web`."""
    topic: str
    author: str | None = None
    published: str | None = None
    """ISO 8601: a moment in UTC, or a day where no more is known."""
    score: int | None = None
    comments: int | None = None
    text: str = ""
    """An excerpt; of a page, its article."""
    image: str | None = None
    tags: tuple[str, ...] = ()
    """What its publisher files it under."""


@dataclass(frozen=True, slots=True)
class Harvest:
    """What a topic brought: distinct items in the order of the source, at most `MOST_ITEMS`."""

    url: str
    found: int
    """Items that the source held, duplicates included."""
    items: tuple[Item, ...]
    refused: Mapping[str, int] = field(default_factory=dict)
    """Of these, how many could not be used, by a short word that says why."""


def moment(seconds: float) -> str | None:
    """Seconds since 1970 as ISO 8601 in UTC; None where no calendar has them."""
    try:
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError, OSError):
        return None
