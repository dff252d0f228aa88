"""Settings of the mood processor."""

from __future__ import annotations

from dataclasses import dataclass

from shared.settings.spec import whole


@dataclass(frozen=True)
class MoodSettings:
    """Settings of the mood processor."""

    mood_window_days: int = whole("MOOD_WINDOW_DAYS", 14, 1, 365, "days", "How far back items are read for moods.")
