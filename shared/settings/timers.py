"""Settings of the timers and their ledger."""

from __future__ import annotations

from dataclasses import dataclass

from shared.settings.spec import Section, number, whole


@dataclass(frozen=True, eq=False, repr=False)
class TimerSettings(Section):
    """Settings of the timers and their ledger."""

    timer_grace_seconds: float = number(
        "TIMERS_GRACE_SECONDS", 900, 0, 86400, "seconds",
        "How late an occurrence may begin and still count as itself; later, its timer's policy decides.",
    )  # fmt: skip
    timer_retention_days: int = whole(
        "TIMERS_RETENTION_DAYS", 400, 1, 3650, "days", "How long what became of an occurrence is kept."
    )
