"""Settings of the scraper."""

from __future__ import annotations

from dataclasses import dataclass

from shared.settings.spec import Section, number, schedule, whole


@dataclass(frozen=True, eq=False, repr=False)
class ScraperSettings(Section):
    """Settings of the scraper."""

    scraper_schedule: str = schedule("SCRAPER_SCHEDULE", "0 0 7 * * *", "When every active source is scraped.")
    max_concurrency: int = whole(
        "SCRAPER_MAX_CONCURRENCY", 8, 1, 200, "jobs", "How many sources are scraped at the same time."
    )
    max_bytes: int = whole(
        "SCRAPER_MAX_BYTES", 10 * 1024 * 1024, 1024, 2**30, "bytes",
        "Largest feed, listing or page that is scraped, decompressed; of a longer sitemap so much is read.",
    )  # fmt: skip
    max_items: int = whole(
        "SCRAPER_MAX_ITEMS", 200, 1, 1000, "items", "Most items that one run of a source stores; the next goes on."
    )
    max_pages: int = whole(
        "SCRAPER_MAX_PAGES", 25, 1, 500, "pages", "Most pages behind a sitemap that one run of it reads."
    )
    max_sitemaps: int = whole(
        "SCRAPER_MAX_SITEMAPS", 5, 1, 100, "files", "Most files of a sitemap index that one run reads, newest first."
    )
    run_seconds: float = number(
        "SCRAPER_RUN_SECONDS", 180, 1, 1500, "seconds", "After so long a run of a source reads no further page."
    )
    lock_seconds: float = number(
        "SCRAPER_LOCK_SECONDS",
        90,
        1,
        3600,
        "seconds",
        "The lease of the lock on a source; renewed while it is scraped.",
    )
    max_failures: int = whole(
        "SCRAPER_MAX_FAILURES", 10, 1, 1000, "runs", "After so many failed runs in a row a source is switched off."
    )
    base_backoff_seconds: float = number(
        "SCRAPER_BASE_BACKOFF_SECONDS", 21600, 0, 2592000, "seconds",
        "How long a source rests after its first failed run; doubles with each further one.",
    )  # fmt: skip
    max_backoff_seconds: float = number(
        "SCRAPER_MAX_BACKOFF_SECONDS", 604800, 0, 2592000, "seconds", "The longest that a failing source rests."
    )
