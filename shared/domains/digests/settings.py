"""Settings of the weekly digest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.settings.spec import Section, schedule, whole

if TYPE_CHECKING:
    from shared.settings import Settings


@dataclass(frozen=True, eq=False, repr=False)
class DigestSettings(Section):
    """Settings of the weekly digest."""

    digest_schedule: str = schedule("WEEKLY_DIGEST_SCHEDULE", "0 0 9 * * 1", "When each user's digest is made.")
    max_concurrency: int = whole(
        "WEEKLY_DIGEST_MAX_CONCURRENCY", 16, 1, 500, "jobs", "How many digests are made at the same time."
    )
    items: int = whole("WEEKLY_DIGEST_ITEMS", 10, 1, 50, "suggestions", "How many suggestions a digest has at most.")
    min_items: int = whole(
        "WEEKLY_DIGEST_MIN_ITEMS", 3, 1, 50, "items",
        "With fewer new items there is no digest, and they count for the next one.",
    )  # fmt: skip
    window_days: int = whole(
        "WEEKLY_DIGEST_WINDOW_DAYS",
        14,
        1,
        90,
        "days",
        "How long an item is new at most: how far a first digest reaches.",
    )
    shelf: int = whole(
        "WEEKLY_DIGEST_SHELF", 2000, 10, 20000, "items", "How many of the newest items digests choose from."
    )
    keep_days: int = whole(
        "WEEKLY_DIGEST_KEEP_DAYS", 365, 7, 3650, "days", "How long digests and the feedback on them are kept."
    )

    def problems(self, settings: Settings) -> Iterator[str]:
        """A digest must not be purged while its record says that it is there."""
        if self.keep_days > settings.retention_artifact_days:
            yield "RETENTION_ARTIFACT_DAYS: expected at least WEEKLY_DIGEST_KEEP_DAYS"
