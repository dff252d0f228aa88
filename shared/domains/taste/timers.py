"""The timer of taste."""

from __future__ import annotations

from datetime import timedelta

from shared.domains.taste.settings import TasteSettings
from shared.jobs import Missed, Timer

REFRESH_PRIOR = Timer(
    "RefreshTastePrior",
    schedule=lambda settings: settings.of(TasteSettings).prior_schedule,
    kind="taste-prior",
    missed=Missed.ONCE,
    meaning="Works out anew what all users like.",
    payload=lambda scheduled_at: {},  # noqa: ARG005 - the job takes nothing
    healthy_for=timedelta(hours=36),
)
