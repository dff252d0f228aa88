"""Settings of taste analysis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.settings.spec import Section, number, queue, schedule, whole

if TYPE_CHECKING:
    from shared.settings import Settings


@dataclass(frozen=True, eq=False, repr=False)
class TasteSettings(Section):
    """Settings of taste analysis."""

    job_queue: str = queue("TASTE_JOB_QUEUE_NAME", "taste-analysis-jobs", "Queue of taste analysis jobs.")
    poison_queue: str = queue(
        "TASTE_JOB_DEAD_LETTER_QUEUE_NAME", "",
        "Poison queue of taste analysis; default: `{TASTE_JOB_QUEUE_NAME}-poison`, the host's own name for it.",
        63,
    )  # fmt: skip
    max_retries: int = whole(
        "TASTE_JOB_MAX_RETRIES", 4, 0, 50, "retries", "Retries after the first attempt of a taste job."
    )
    base_backoff_seconds: float = number(
        "TASTE_JOB_BASE_BACKOFF_SECONDS", 5, 0, 86400, "seconds", "Ceiling of the first retry's delay; doubles."
    )
    max_backoff_seconds: float = number(
        "TASTE_JOB_MAX_BACKOFF_SECONDS", 300, 0, 604800, "seconds", "Ceiling of every retry's delay."
    )
    jitter_seconds: float = number(
        "TASTE_JOB_JITTER_SECONDS", 2, 0, 86400, "seconds", "Largest random delay added to every retry."
    )
    dedupe_ttl_seconds: int = whole(
        "TASTE_JOB_DEDUPE_TTL_SECONDS", 3600, 0, 2592000, "seconds",
        "How long the same signal on the same item gets the first ticket; 0 turns dedupe off.",
    )  # fmt: skip
    prior_schedule: str = schedule(
        "TASTE_PRIOR_SCHEDULE", "0 15 * * * *", "When what all users like is worked out anew."
    )

    def __post_init__(self) -> None:
        """The poison queue follows the host's naming, unless it has a name of its own."""
        if not self.poison_queue:
            object.__setattr__(self, "poison_queue", f"{self.job_queue}-poison")

    def queues(self) -> Mapping[str, str]:
        """The queue of taste jobs."""
        return {self.job_queue: self.poison_queue}

    def problems(self, settings: Settings) -> Iterator[str]:  # noqa: ARG002 - it need not look at others
        """The ceiling of every delay is not below that of the first."""
        if self.max_backoff_seconds < self.base_backoff_seconds:
            yield "TASTE_JOB_MAX_BACKOFF_SECONDS: expected at least TASTE_JOB_BASE_BACKOFF_SECONDS"
