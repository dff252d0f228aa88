"""Settings of the engine and of callbacks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shared.settings.spec import Section, number, pairs, queue, schedule, secrets, whole


@dataclass(frozen=True, eq=False, repr=False)
class EngineSettings(Section):
    """Settings of the engine and of callbacks."""

    lease_seconds: float = number(
        "JOBS_LEASE_SECONDS", 60, 1, 3600, "seconds", "How long a claim lasts without a sign of life."
    )
    sweep_grace_seconds: float = number(
        "JOBS_SWEEP_GRACE_SECONDS", 120, 0, 86400, "seconds",
        "How long past its time a job must be before the sweep takes it for stuck.",
    )  # fmt: skip
    sweep_schedule: str = schedule(
        "JOBS_SWEEP_SCHEDULE", "0 */5 * * * *", "When jobs that are past their time are looked for."
    )
    full_sweep_schedule: str = schedule(
        "JOBS_FULL_SWEEP_SCHEDULE", "0 30 3 * * *", "When the index is compared with all jobs."
    )
    retry_after_seconds: int = whole(
        "JOBS_RETRY_AFTER_SECONDS", 2, 1, 3600, "seconds", "How long a client is told to wait between polls."
    )
    idempotency_ttl_seconds: int = whole(
        "JOBS_IDEMPOTENCY_TTL_SECONDS", 86400, 60, 2592000, "seconds", "How long an `Idempotency-Key` is remembered."
    )
    longest_wait_seconds: float = number(
        "JOBS_LONGEST_WAIT_SECONDS", 60, 0, 200, "seconds", "How long `Prefer: wait=N` holds an answer at most."
    )
    queue_high: str = queue("JOBS_HIGH_QUEUE_NAME", "jobs-high", "General queue, high priority.")
    queue_normal: str = queue("JOBS_QUEUE_NAME", "jobs", "General queue, normal priority.")
    queue_low: str = queue("JOBS_LOW_QUEUE_NAME", "jobs-low", "General queue, low priority.")
    kind_queues: tuple[tuple[str, str], ...] = pairs(
        "JOBS_KIND_QUEUES",
        "`kind=queue`, several separated by commas",
        "Queues of their own for kinds that would fill the general ones (docs/explanation/scale.md). In Azure by DEPLOY_KIND_QUEUES.",
        r"[a-z][a-z0-9_.-]*=(?=.{3,56}$)[a-z0-9](-?[a-z0-9])*",
    )

    webhook_secrets: tuple[str, ...] = secrets(
        "WEBHOOK_SECRET",
        "Signs completion callbacks (Standard Webhooks): `whsec_` and the Base64 of 24 to 64 bytes. Several, separated by "
        "spaces, all sign, so that receivers can move from one to the next. Unset: no callbacks are taken.",
    )

    def queues(self) -> Mapping[str, str]:
        """The general queues, and those of kinds that a setting gives one of their own; the host's own name of a poison queue."""
        own = sorted({queue for _, queue in self.kind_queues})
        return {queue: f"{queue}-poison" for queue in (self.queue_high, self.queue_normal, self.queue_low, *own)}
