"""What adventures ask of the outside world beside storage: a story, a translation, a voice, and an eye for words.

Each port has a default that needs no account, and adapters beside it; `shared.domains.stories.services` chooses. What a
port hands out is a pydantic model where a step of a job keeps it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

from shared.domains.stories.languages import Genre, Language, Level


class Value(BaseModel):
    """What a step keeps: frozen, and nothing in it that is not declared."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Cost(Value):
    """What a step has cost, in the units that its service charges for."""

    tokens: int = 0
    """Tokens of a model, of question and answer."""
    characters: int = 0
    """Characters that were translated, or spoken."""
    seconds: float = 0.0
    """Seconds of audio."""

    def __add__(self, other: Cost) -> Cost:
        """Both together."""
        seconds = round(self.seconds + other.seconds, 3)
        return Cost(tokens=self.tokens + other.tokens, characters=self.characters + other.characters, seconds=seconds)


class Past(Value):
    """An entry that was read before, and what was decided after it."""

    entry_id: str
    title: str
    text: str
    choice: int
    """Which of its choices was taken, from 0."""
    chosen: str
    """That choice's words."""


class Brief(Value):
    """What the next entry is to be."""

    story_seed: str
    """The same for all entries of a story."""
    seed: str
    """The same for each attempt at one entry: a generator without a mind of its own makes the same of it."""
    language: Language
    native_language: Language
    level: Level
    genre: Genre
    number: int = Field(ge=1)
    """Which entry of the story, from 1."""
    length: int = Field(ge=1)
    """How many entries the story has."""
    story: tuple[Past, ...] = ()
    """The entries before, the first one first."""
    words_due: tuple[str, ...] = ()
    """Lemmas to be met again, the most urgent first."""
    words_known: tuple[str, ...] = ()
    """Lemmas that the reader knows, the latest first."""

    @property
    def last(self) -> bool:
        """Whether the story ends with this entry."""
        return self.number >= self.length


class Draft(Value):
    """An entry as it was generated. Paragraphs are separated by a blank line."""

    title: str = Field(min_length=1, max_length=200)
    text: str = Field(min_length=1, max_length=20_000)
    choices: tuple[str, ...] = Field(max_length=4)
    """Two to four, or none where the story ends."""
    cost: Cost = Cost()


class Translation(Value):
    """Texts in another language: as many as were given, in their order."""

    texts: tuple[str, ...]
    cost: Cost = Cost()


class Mark(Value):
    """Where in the audio a sentence, or a word of it, is heard."""

    start: float
    """Seconds from the beginning."""
    end: float
    sentence: int
    """Which of the sentences, from 0."""
    word: int | None = None
    """Which of the sentence's words, from 0; None: the whole sentence."""


class Spoken(Value):
    """Audio with the places of its sentences and, where the voice tells, of their words."""

    data: bytes
    media_type: str
    seconds: float
    marks: tuple[Mark, ...]
    voice: str
    """What spoke: the name of a voice."""
    cost: Cost = Cost()


class Token(Value):
    """A word, number or sign of a sentence. Spaces belong to none."""

    start: int
    """The character of the sentence at which it begins, from 0."""
    end: int
    lemma: str | None = None
    """Its dictionary form; None for what is no word."""
    pos: str | None = None
    """Its part of speech as Universal Dependencies names it; None where it is not known."""
    rare: bool = False
    """Whether it is beyond the words of the level."""


class Sentence(Value):
    """A sentence with its tokens."""

    text: str
    tokens: tuple[Token, ...]


class Analysis(Value):
    """The sentences of a text with their words."""

    sentences: tuple[Sentence, ...]


class Generator(Protocol):
    """Writes entries of stories."""

    name: str

    def can_write(self, language: Language) -> bool:
        """Whether it writes in a language."""
        ...

    async def generate(self, brief: Brief) -> Draft:
        """Write the entry that a brief asks for; what is handed out fits it.

        Raises:
            ServiceError: it cannot now.
        """
        ...


class Translator(Protocol):
    """Translates texts, one by one."""

    name: str

    def can_translate(self, source: Language, target: Language) -> bool:
        """Whether it translates from one language to the other."""
        ...

    async def translate(self, texts: Sequence[str], source: Language, target: Language) -> Translation:
        """Translate texts, each by itself: the answer has as many, in their order.

        Raises:
            ServiceError: it cannot now.
            UntranslatableError: it never can.
        """
        ...


class Speech(Protocol):
    """Speaks."""

    name: str

    async def speak(self, sentences: Sequence[str], language: Language) -> Spoken:
        """Speak sentences one after the other.

        Raises:
            ServiceError: it cannot now.
        """
        ...


class Analyser(Protocol):
    """Finds sentences and words."""

    name: str

    def sentences(self, text: str, language: Language) -> list[str]:
        """The sentences of a text, in their order, without the space between them."""
        ...

    def analyse(self, sentences: Sequence[str], language: Language, level: Level) -> Analysis:
        """The words of sentences. Takes a moment of the processor: called in a thread."""
        ...


class StoryError(Exception):
    """Something in the making of stories failed."""


class ServiceError(StoryError):
    """A service cannot do its part now."""

    def __init__(self, detail: str = "", retry_after: float | None = None) -> None:
        super().__init__(detail or type(self).__doc__)
        self.retry_after = retry_after
        """Seconds that it asked to be left alone, if it said so."""


class UntranslatableError(StoryError):
    """A text, or a pair of languages, that the translator does not know."""
