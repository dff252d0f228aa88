"""Settings of watching the app: statistics, alarms, telemetry."""

from __future__ import annotations

from dataclasses import dataclass

from shared.settings.spec import Section, number, text, url, whole


@dataclass(frozen=True, eq=False, repr=False)
class MonitorSettings(Section):
    """Settings of watching the app: statistics, alarms, telemetry."""

    stats_flush_seconds: float = number(
        "STATS_FLUSH_SECONDS", 30, 1, 3600, "seconds",
        "For how long what jobs did is counted in memory before it is written.",
    )  # fmt: skip
    stats_days: int = whole("STATS_RETENTION_DAYS", 35, 8, 400, "days", "How long an hour's statistics are kept.")

    alarm_webhook_url: str | None = url(
        "ALARM_WEBHOOK_URL",
        "Is told when an alarm starts or ends, signed as callbacks are: it needs `WEBHOOK_SECRET`. Unset: nobody is told.",
    )
    alarm_dead_letter_ratio: float = number(
        "ALARM_DEAD_LETTER_RATIO", 0.05, 0, 1, "dead letters for each job that ends",
        "Above this, `dead-letter-ratio` is on, if the baseline does not call for more.",
    )  # fmt: skip
    alarm_dead_letter_factor: float = number(
        "ALARM_DEAD_LETTER_FACTOR", 3, 1, 1000, "times the baseline",
        "How far above the ratio of the days before the ratio must be.",
    )  # fmt: skip
    alarm_dead_letter_minimum: int = whole(
        "ALARM_DEAD_LETTER_MINIMUM",
        5,
        1,
        1000000,
        "dead letters",
        "With fewer in the last hour, the ratio says nothing.",
    )
    alarm_baseline_days: int = whole(
        "ALARM_BASELINE_DAYS", 7, 1, 30, "days", "From how many days the baseline is taken."
    )
    alarm_queue_hours: float = number(
        "ALARM_QUEUE_HOURS", 24, 0.01, 1000, "hours", "How long the oldest message of a queue may have been due."
    )
    alarm_poison_minutes: float = number(
        "ALARM_POISON_MINUTES", 15, 0.1, 100000, "minutes", "How long a message may lie on a poison queue unrecorded."
    )

    insights_connection: str | None = text(
        "APPLICATIONINSIGHTS_CONNECTION_STRING",
        None,
        "Application Insights, to which traces and metrics go; unset: none are made.",
        secret=True,
    )
    insights_authentication: str | None = text(
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
        None,
        "`Authorization=AAD`, and for a user-assigned identity `ClientId=...;Authorization=AAD`: access by identity.",
    )
