"""What the scraper keeps."""

from __future__ import annotations

from shared.containers import Container

SOURCES = Container(
    "sources",
    "What the scraper reads, with checkpoints and health. `pk` = the source's id: one document per partition.",
)
