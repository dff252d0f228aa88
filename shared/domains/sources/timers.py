"""The scraper's timer."""

from __future__ import annotations

from datetime import timedelta

from shared.domains.sources.settings import ScraperSettings
from shared.jobs import Missed, Timer

SCRAPER = Timer(
    "PluckItScraper",
    schedule=lambda settings: settings.of(ScraperSettings).scraper_schedule,
    kind="scrape-sources",
    missed=Missed.ONCE,
    meaning="Gathers items from every active source that is due.",
    healthy_for=timedelta(hours=36),
)
