"""How sources fare: when each is due again, when it rests, and when it is given up. Pure functions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from shared.domains.sources.model import Run, RunOutcome, Source
from shared.domains.sources.settings import ScraperSettings

_EARLY = 0.1
"""A source counts as due this share of its interval early: no timer comes at the very second."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a failing source rests, and how often it may fail."""

    base_seconds: float
    max_seconds: float
    max_failures: int

    @classmethod
    def of(cls, settings: ScraperSettings) -> Self:
        """What the settings say."""
        return cls(settings.base_backoff_seconds, settings.max_backoff_seconds, settings.max_failures)


def after(source: Source, run: Run, patience: Patience, not_before: datetime | None = None) -> Source:
    """The source once a run has ended; due again not before the moment that its host named."""
    changes: dict[str, object] = {"last_run": run}
    if run.outcome is RunOutcome.FAILED:
        changes |= _failed(source, run, patience, not_before or run.at)
    else:
        changes |= {"last_success_at": run.at, "failures": 0, "due_at": next_due(source, run.at)}
    return source.model_copy(update=changes)


def next_due(source: Source, since: datetime) -> datetime:
    """When it is due again that was scraped at a moment."""
    return since + timedelta(seconds=source.poll_interval_seconds * (1 - _EARLY))


def rest_seconds(failures: int, patience: Patience) -> float:
    """How long a source rests that failed so often in a row."""
    return float(min(patience.max_seconds, patience.base_seconds * 2.0 ** min(failures - 1, 50)))


def _failed(source: Source, run: Run, patience: Patience, not_before: datetime) -> dict[str, object]:
    failures = source.failures + 1
    rest = timedelta(seconds=rest_seconds(failures, patience) * (1 - _EARLY))
    changes: dict[str, object] = {
        "failures": failures,
        "due_at": max(run.at + rest, next_due(source, run.at), not_before),
    }
    if failures >= patience.max_failures:
        reason = f"it failed {failures} times in a row; the last time: {run.error}"
        changes |= {"active": False, "switched_off_reason": reason}
    return changes
