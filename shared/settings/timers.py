"""Settings of the timers and their ledger."""

from __future__ import annotations

from dataclasses import dataclass

from shared.settings.spec import number, schedule, whole


@dataclass(frozen=True)
class TimerSettings:
    """Settings of the timers and their ledger."""

    scraper_schedule: str = schedule("SCRAPER_SCHEDULE", "0 0 7 * * *", "When every active source is scraped.")
    mood_schedule: str = schedule("MOOD_SCHEDULE", "0 0 6 * * *", "When moods are read from what was gathered.")
    digest_schedule: str = schedule("WEEKLY_DIGEST_SCHEDULE", "0 0 9 * * 1", "When each user's digest is made.")
    timer_grace_seconds: float = number(
        "TIMERS_GRACE_SECONDS", 900, 0, 86400, "seconds",
        "How late an occurrence may begin and still count as itself; later, its timer's policy decides.",
    )  # fmt: skip
    timer_retention_days: int = whole(
        "TIMERS_RETENTION_DAYS", 400, 1, 3650, "days", "How long what became of an occurrence is kept."
    )
