"""What other domains may have of stories: a translator, a voice, and what they hand out."""

from __future__ import annotations

from shared.domains.stories.languages import NAMES, Language
from shared.domains.stories.ports import ServiceError, Speech, Spoken, Translation, Translator, UntranslatableError
from shared.domains.stories.services import speech, translator

__all__ = [
    "NAMES",
    "Language",
    "ServiceError",
    "Speech",
    "Spoken",
    "Translation",
    "Translator",
    "UntranslatableError",
    "speech",
    "translator",
]
