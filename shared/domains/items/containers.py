"""What items are kept in."""

from __future__ import annotations

from shared.containers import Container

ITEMS = Container(
    "items",
    "What was gathered. `pk` = the item's id (a hash of its canonical URL): one document per partition.",
    unindexed=("/text/?", "/sources/*"),
)
