"""Settings of items."""

from __future__ import annotations

from dataclasses import dataclass

from shared.settings.spec import Section, whole


@dataclass(frozen=True, eq=False, repr=False)
class ItemSettings(Section):
    """Settings of items."""

    ttl_days: int = whole(
        "ITEMS_TTL_DAYS", 90, 1, 3650, "days", "How long items are kept after they were last written."
    )
