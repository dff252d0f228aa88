"""Settings of operating the app: access, alarms, retention, telemetry."""

from __future__ import annotations

from dataclasses import dataclass

from shared.settings.spec import Section, Spec, matching, number, schedule, setting, text, whole


@dataclass(frozen=True, eq=False, repr=False)
class OperateSettings(Section):
    """Settings of operating the app: access, alarms, retention, telemetry."""

    operator_key: str | None = setting(
        Spec(
            "NIGHTSHIFT_OPERATOR_KEY",
            "at least 20 characters",
            "The host key that may do what operators do (replay, cancel, timers, pause, sources); a Key Vault reference in "
            "Azure. Unset: on a developer's machine everybody may, in Azure only who has the role.",
            matching(r".{20,}"),
            secret=True,
        ),
        None,
    )
    operator_role: str = text(
        "NIGHTSHIFT_OPERATOR_ROLE",
        "Nightshift.Operator",
        "The app role in Microsoft Entra ID that may do so too, where App Service authentication is on.",
    )
    rate_reads: float = number(
        "RATE_READS", 500, 0, 100000, "requests a second", "Reads, for each caller and instance; 0: no limit."
    )
    rate_writes: float = number(
        "RATE_WRITES", 500, 0, 100000, "requests a second", "Writes, for each caller and instance; 0: no limit."
    )
    rate_operator: float = number(
        "RATE_OPERATOR",
        100,
        0,
        100000,
        "requests a second",
        "Operator actions, for each caller and instance; 0: no limit.",
    )
    rate_anonymous: float = number(
        "RATE_ANONYMOUS", 100, 0, 100000, "requests a second",
        "Routes without a key, for each address and instance; 0: no limit.",
    )  # fmt: skip

    retention_completed_days: int = whole(
        "RETENTION_COMPLETED_DAYS", 30, 8, 3650, "days", "How long a completed job is kept after its end."
    )
    retention_cancelled_days: int = whole(
        "RETENTION_CANCELLED_DAYS", 30, 8, 3650, "days", "How long a cancelled job is kept after its end."
    )
    retention_discarded_days: int = whole(
        "RETENTION_DISCARDED_DAYS", 30, 8, 3650, "days",
        "How long a failed job is kept after an operator discarded its dead letter; before, for ever.",
    )  # fmt: skip
    retention_vault_days: int = whole(
        "RETENTION_VAULT_DAYS", 90, 8, 3650, "days",
        "How long a dead letter is kept after its last replay, or after it was discarded; before, for ever.",
    )  # fmt: skip
    retention_artifact_days: int = whole(
        "RETENTION_ARTIFACT_DAYS", 400, 8, 3650, "days",
        "How long what jobs wrote beside their status (collected content, digests) is kept.",
    )  # fmt: skip
    retention_schedule: str = schedule("RETENTION_SCHEDULE", "0 45 */2 * * *", "When what has expired is purged.")
