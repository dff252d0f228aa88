"""What other domains may have of items."""

from __future__ import annotations

from shared.domains.items.model import Item, Origin, Price, item_id_of
from shared.domains.items.settings import ItemSettings
from shared.domains.items.store import ItemStore, Put

__all__ = [
    "Item",
    "ItemSettings",
    "ItemStore",
    "Origin",
    "Price",
    "Put",
    "item_id_of",
]
