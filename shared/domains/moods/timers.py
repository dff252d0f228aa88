"""When moods are brought up to date."""

from __future__ import annotations

from datetime import timedelta

from shared.domains.moods.settings import MoodSettings
from shared.jobs import Missed, Timer

MOODS = Timer(
    "PluckItMoodProcessor",
    schedule=lambda settings: settings.of(MoodSettings).mood_schedule,
    kind="process-moods",
    missed=Missed.ONCE,
    meaning="Finds the moods of what was gathered, and how much each is talked about.",
    healthy_for=timedelta(hours=36),
)
