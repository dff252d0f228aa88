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
