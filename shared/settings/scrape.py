"""Settings of the scraper."""

from __future__ import annotations

from dataclasses import dataclass

from shared.settings.spec import whole


@dataclass(frozen=True)
class ScrapeSettings:
    """Settings of the scraper."""

    scraper_max_concurrency: int = whole(
        "SCRAPER_MAX_CONCURRENCY", 8, 1, 200, "jobs", "How many sources are scraped at the same time."
    )
