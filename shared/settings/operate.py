"""Settings of operating the app: access, alarms, retention, telemetry."""

from __future__ import annotations

from dataclasses import dataclass

from shared.settings.spec import text


@dataclass(frozen=True)
class OperateSettings:
    """Settings of operating the app: access, alarms, retention, telemetry."""

    operator_key: str | None = text(
        "NIGHTSHIFT_OPERATOR_KEY",
        None,
        "The host key that may do what operators do (replay, cancel, timers, pause, sources); a Key Vault reference in Azure.",
        secret=True,
    )
