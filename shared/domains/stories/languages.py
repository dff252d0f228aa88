"""Languages, levels and genres: the words that a client may use."""

from __future__ import annotations

from enum import StrEnum


class Language(StrEnum):
    """A language that stories are told in, or translated to (ISO 639-1)."""

    ENGLISH = "en"
    FRENCH = "fr"
    SPANISH = "es"
    GERMAN = "de"
    ITALIAN = "it"
    PORTUGUESE = "pt"
    DUTCH = "nl"
    POLISH = "pl"
    SWEDISH = "sv"
    DANISH = "da"


class Level(StrEnum):
    """How much of a language somebody knows, by the Common European Framework of Reference."""

    A1 = "A1"
    A2 = "A2"
    B1 = "B1"
    B2 = "B2"
    C1 = "C1"
    C2 = "C2"


class Genre(StrEnum):
    """What sort of story it is."""

    ADVENTURE = "adventure"
    MYSTERY = "mystery"
    FANTASY = "fantasy"
    SCIENCE_FICTION = "science-fiction"


NAMES = {
    Language.ENGLISH: "English",
    Language.FRENCH: "French",
    Language.SPANISH: "Spanish",
    Language.GERMAN: "German",
    Language.ITALIAN: "Italian",
    Language.PORTUGUESE: "Portuguese",
    Language.DUTCH: "Dutch",
    Language.POLISH: "Polish",
    Language.SWEDISH: "Swedish",
    Language.DANISH: "Danish",
}
"""The languages' names in English."""
