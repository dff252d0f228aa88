"""Settings of delivering callbacks."""

from __future__ import annotations

from dataclasses import dataclass

from shared.settings.spec import Section, number, whole


@dataclass(frozen=True, eq=False, repr=False)
class WebhookSettings(Section):
    """Settings of delivering callbacks; what signs them is the app's own (`webhook_secrets`)."""

    timeout_seconds: float = number(
        "WEBHOOK_TIMEOUT_SECONDS", 15, 0.1, 120, "seconds", "How long a receiver may take to answer."
    )
    max_attempts: int = whole("WEBHOOK_MAX_ATTEMPTS", 12, 1, 50, "attempts", "Tries before a callback gives up.")
    base_backoff_seconds: float = number(
        "WEBHOOK_BASE_BACKOFF_SECONDS", 10, 0, 86400, "seconds", "Ceiling of the first retry's delay; doubles."
    )
    max_backoff_seconds: float = number(
        "WEBHOOK_MAX_BACKOFF_SECONDS", 21600, 0, 604800, "seconds", "Ceiling of every retry's delay."
    )
