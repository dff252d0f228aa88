"""Settings of taste analysis."""

from __future__ import annotations

from dataclasses import dataclass

from shared.settings.spec import number, queue, schedule, whole


@dataclass(frozen=True)
class TasteSettings:
    """Settings of taste analysis."""

    taste_queue: str = queue("TASTE_JOB_QUEUE_NAME", "taste-analysis-jobs", "Queue of taste analysis jobs.")
    taste_poison_queue: str = queue(
        "TASTE_JOB_DEAD_LETTER_QUEUE_NAME", "taste-analysis-jobs-poison",
        "Poison queue of taste analysis; default: `{TASTE_JOB_QUEUE_NAME}-poison`, the host's own name for it.",
        63,
    )  # fmt: skip
    taste_max_retries: int = whole(
        "TASTE_JOB_MAX_RETRIES", 4, 0, 50, "retries", "Retries after the first attempt of a taste job."
    )
    taste_base_backoff_seconds: float = number(
        "TASTE_JOB_BASE_BACKOFF_SECONDS", 5, 0, 86400, "seconds", "Ceiling of the first retry's delay; doubles."
    )
    taste_max_backoff_seconds: float = number(
        "TASTE_JOB_MAX_BACKOFF_SECONDS", 300, 0, 604800, "seconds", "Ceiling of every retry's delay."
    )
    taste_jitter_seconds: float = number(
        "TASTE_JOB_JITTER_SECONDS", 2, 0, 86400, "seconds", "Largest random delay added to every retry."
    )
    taste_dedupe_ttl_seconds: int = whole(
        "TASTE_JOB_DEDUPE_TTL_SECONDS", 3600, 0, 2592000, "seconds",
        "How long the same signal on the same item gets the first ticket; 0 turns dedupe off.",
    )  # fmt: skip
    taste_prior_schedule: str = schedule(
        "TASTE_PRIOR_SCHEDULE", "0 15 * * * *", "When what all users like is worked out anew."
    )
