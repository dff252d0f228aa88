"""Timers: what is to be done at which moments. One value declares one.

Every module ``shared/domains/<domain>/timers.py`` is imported by the composition root, and whatever it declares is served.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from shared.jobs.errors import InvalidTransitionError, JobsError

if TYPE_CHECKING:
    from shared.settings import Settings


class Missed(StrEnum):
    """What becomes of occurrences that were missed."""

    SKIP = "skip"
    """Nothing: they are recorded as missed, and made up by hand or not at all."""
    ONCE = "once"
    """One run makes up for all of them: the latest is run, the others are recorded as skipped."""


@dataclass(frozen=True, slots=True)
class Timer:
    """A timer: at each occurrence of its schedule, one job. The host's trigger is made of this, too.

    Example::

        SCRAPER = Timer(
            "PluckItScraper",
            schedule=lambda settings: settings.of(ScraperSettings).scraper_schedule,
            kind="scrape-sources",
            missed=Missed.ONCE,
            meaning="Gathers items from every active source.",
            healthy_for=timedelta(hours=36),
        )
    """

    name: str
    """Its name, and that of its function."""
    schedule: Callable[[Settings], str]
    """The NCRONTAB expression, from the app's settings."""
    kind: str
    """The kind of job that an occurrence is."""
    missed: Missed
    meaning: str
    """What it does, in a sentence, for operators."""
    payload: Callable[[datetime], Mapping[str, Any]] = lambda scheduled_at: {"scheduled_at": scheduled_at.isoformat()}
    """The payload of the job of an occurrence."""
    chosen: Callable[[Settings], Mapping[str, Any]] = lambda settings: {}  # noqa: ARG005 - called by position
    """What more the payload holds, from the app's settings."""
    healthy_for: timedelta | None = None
    """How long it may go without a success; None: it is unhealthy once an occurrence was missed, or failed."""


class TimerNotFoundError(JobsError):
    """There is no such timer."""


class NotAnOccurrenceError(JobsError):
    """The timer's schedule has no such moment in the past."""


class NotRunAgainError(InvalidTransitionError):
    """The occurrence was run already, and did not end well."""
