"""What other domains may have of moods."""

from __future__ import annotations

from shared.domains.moods.model import Mood
from shared.domains.moods.settings import MoodSettings
from shared.domains.moods.store import MoodStore
from shared.domains.moods.vectors import vector_of

__all__ = [
    "Mood",
    "MoodSettings",
    "MoodStore",
    "vector_of",
]
