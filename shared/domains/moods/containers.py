"""What moods are kept in."""

from __future__ import annotations

from shared.containers import Container

MOODS = Container(
    "moods",
    "Moods, and what was read already. `pk` = the mood's id: one document per partition.",
    unindexed=("/description/?", "/signals/*", "/articles/*", "/counted/*", "/vector/*", "/embedding/*"),
)
