"""What taste keeps."""

from __future__ import annotations

from shared.containers import Container

TASTE = Container(
    "taste",
    "Evidence and profile; the prior of all users under `~prior`. `pk` = user id: one user's signals, of which the fold reads the newest few hundred.",
    unindexed=("/facets/*", "/sources/*", "/image/*", "/shares/*", "/companions/*"),
)
