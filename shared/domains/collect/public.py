"""What other domains may have of collection."""

from __future__ import annotations

from shared.domains.collect.feeds import ACCEPT as FEED_TYPES
from shared.domains.collect.feeds import parse_feed
from shared.domains.collect.kinds import collect_content
from shared.domains.collect.model import Harvest, Item, Sort
from shared.domains.collect.payload import CollectJob
from shared.domains.collect.sources import Source, sources

__all__ = [
    "FEED_TYPES",
    "CollectJob",
    "Harvest",
    "Item",
    "Sort",
    "Source",
    "collect_content",
    "parse_feed",
    "sources",
]
