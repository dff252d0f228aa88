"""Settings of the weekly digest."""

from __future__ import annotations

from dataclasses import dataclass

from shared.settings.spec import whole


@dataclass(frozen=True)
class DigestSettings:
    """Settings of the weekly digest."""

    weekly_digest_max_concurrency: int = whole(
        "WEEKLY_DIGEST_MAX_CONCURRENCY", 16, 1, 500, "jobs", "How many digests are made at the same time."
    )
    weekly_digest_items: int = whole(
        "WEEKLY_DIGEST_ITEMS", 10, 1, 50, "suggestions", "How many suggestions a digest has at most."
    )
    weekly_digest_min_items: int = whole(
        "WEEKLY_DIGEST_MIN_ITEMS", 3, 1, 50, "items",
        "With fewer new items there is no digest, and they count for the next one.",
    )  # fmt: skip
    weekly_digest_window_days: int = whole(
        "WEEKLY_DIGEST_WINDOW_DAYS",
        14,
        1,
        90,
        "days",
        "How long an item is new at most: how far a first digest reaches.",
    )
    weekly_digest_shelf: int = whole(
        "WEEKLY_DIGEST_SHELF", 2000, 10, 20000, "items", "How many of the newest items digests choose from."
    )
    weekly_digest_keep_days: int = whole(
        "WEEKLY_DIGEST_KEEP_DAYS", 365, 7, 3650, "days", "How long digests and the feedback on them are kept."
    )
