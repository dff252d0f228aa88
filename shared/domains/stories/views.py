"""How adventures look from outside, and what is said of them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, JsonValue, with_config
from typing_extensions import TypedDict

from shared.api.schemas import Moment
from shared.domains.stories.languages import Genre, Language, Level
from shared.domains.stories.model import Adventure, AdventureStatus, AudioStatus, Branch, Entry, EntryStatus
from shared.domains.stories.vocabulary import Word
from shared.domains.users.public import Identifier
from shared.storage import iso

_CLOSED = ConfigDict(extra="forbid")


class NewAdventure(BaseModel):
    """The body of `POST /api/adventures`."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    user_id: Identifier
    language: Annotated[Language, Field(strict=False)]
    native_language: Annotated[Language, Field(strict=False)]
    level: Annotated[Level, Field(strict=False)]
    genre: Annotated[Genre, Field(strict=False)] = Genre.ADVENTURE
    length: int = Field(5, ge=2, le=20, description="How many entries one reads from the beginning to the end.")


class Decision(BaseModel):
    """The body of `POST /api/adventures/{adventure_id}/decisions`."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    entry_id: Annotated[str, Field(min_length=1, max_length=64)]
    choice: int = Field(ge=0, le=3, description="Which of the entry's choices, from 0.")


class WordSettings(BaseModel):
    """The body of `PUT /api/users/{user_id}/vocabulary/{word}`."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    language: Annotated[Language, Field(strict=False)]
    known: bool


@with_config(_CLOSED)
class BranchView(TypedDict):
    """Where an entry is in its adventure."""

    entry_id: str
    job_id: str
    parent_id: str | None
    choice: int | None
    number: int
    take: int


@with_config(_CLOSED)
class AdventureView(TypedDict):
    """An adventure with the places of its entries."""

    id: str
    user_id: str
    status: AdventureStatus
    title: str | None
    language: Language
    native_language: Language
    level: Level
    genre: Genre
    length: int
    entries: list[BranchView]
    created_at: Moment
    updated_at: Moment


@with_config(_CLOSED)
class AdventurePage(TypedDict):
    """One page of adventures, the newest first."""

    items: list[AdventureView]
    cursor: str | None


@with_config(_CLOSED)
class SentenceView(TypedDict):
    """A sentence with its translation and its words, once there are any."""

    text: str
    translation: str | None
    tokens: list[dict[str, JsonValue]]


@with_config(_CLOSED)
class ChoiceView(TypedDict):
    """Something that the reader may decide; `entry_id` is what follows on it, where that was decided already."""

    text: str
    translation: str | None
    entry_id: str | None


@with_config(_CLOSED)
class AudioView(TypedDict):
    """An entry's audio; its marks tell where sentences and words are heard, in seconds."""

    status: AudioStatus
    media_type: str | None
    seconds: float
    bytes: int
    voice: str | None
    marks: list[dict[str, JsonValue]]


@with_config(_CLOSED)
class StoryEntryView(TypedDict):
    """An entry. What is not made yet is null or empty."""

    id: str
    adventure_id: str
    number: int
    status: EntryStatus
    title: str | None
    title_translation: str | None
    paragraphs: list[list[SentenceView]]
    choices: list[ChoiceView]
    audio: AudioView
    cost: dict[str, JsonValue]
    error: dict[str, str] | None
    job_id: str
    created_at: Moment
    updated_at: Moment


@with_config(_CLOSED)
class WordView(TypedDict):
    """A word that a reader has met."""

    word: str
    met: int
    known: bool
    last_met_at: Moment | None
    due_at: Moment | None


@with_config(_CLOSED)
class WordPage(TypedDict):
    """A reader's words in a language, in the order of the alphabet, and how many of them there are, are known, and are due."""

    language: Language
    total: int
    known: int
    due: int
    items: list[WordView]
    cursor: str | None


def adventure_view(adventure: Adventure) -> AdventureView:
    """An adventure as clients see it."""
    return {
        "id": adventure.adventure_id,
        "user_id": adventure.user_id,
        "status": adventure.status,
        "title": adventure.title,
        "language": adventure.language,
        "native_language": adventure.native_language,
        "level": adventure.level,
        "genre": adventure.genre,
        "length": adventure.length,
        "entries": [_branch_view(each) for each in adventure.branches],
        "created_at": iso(adventure.created_at),
        "updated_at": iso(adventure.updated_at),
    }


def entry_view(adventure: Adventure, entry: Entry) -> StoryEntryView:
    """An entry as clients see it."""
    branch = adventure.branch(entry.entry_id)
    audio = entry.audio
    return {
        "id": entry.entry_id,
        "adventure_id": entry.adventure_id,
        "number": entry.number,
        "status": entry.status,
        "title": entry.title,
        "title_translation": entry.title_translation,
        "paragraphs": _paragraphs(entry),
        "choices": [_choice_view(adventure, entry, number) for number in range(len(entry.choices))],
        "audio": {
            "status": audio.status, "media_type": audio.media_type, "seconds": audio.seconds, "bytes": audio.bytes,
            "voice": audio.voice, "marks": [mark.model_dump(mode="json") for mark in audio.marks],
        },
        "cost": entry.cost.model_dump(mode="json"),
        "error": {"type": entry.error.type, "message": entry.error.message} if entry.error else None,
        "job_id": branch.job_id if branch else "",
        "created_at": iso(entry.created_at),
        "updated_at": iso(entry.updated_at),
    }  # fmt: skip


def word_view(word: Word) -> WordView:
    """A word as clients see it."""
    return {
        "word": word.lemma,
        "met": word.met,
        "known": word.known,
        "last_met_at": iso(word.last_met_at) if word.last_met_at else None,
        "due_at": iso(word.due_at) if word.due_at else None,
    }


def _branch_view(branch: Branch) -> BranchView:
    return {
        "entry_id": branch.entry_id, "job_id": branch.job_id, "parent_id": branch.parent_id, "choice": branch.choice,
        "number": branch.number, "take": branch.take,
    }  # fmt: skip


def _paragraphs(entry: Entry) -> list[list[SentenceView]]:
    paragraphs: list[list[SentenceView]] = []
    number = 0
    for paragraph in entry.paragraphs:
        shown: list[SentenceView] = []
        for text in paragraph:
            shown.append(_sentence_view(entry, number, text))
            number += 1
        paragraphs.append(shown)
    return paragraphs


def _sentence_view(entry: Entry, number: int, text: str) -> SentenceView:
    tokens = entry.analysis.sentences[number].tokens if entry.analysis else ()
    translation = entry.translations[number] if entry.translations else None
    return {"text": text, "translation": translation, "tokens": [each.model_dump(mode="json") for each in tokens]}


def _choice_view(adventure: Adventure, entry: Entry, number: int) -> ChoiceView:
    following = adventure.after(entry.entry_id, number)
    choice = entry.choices[number]
    return {
        "text": choice.text, "translation": choice.translation, "entry_id": following.entry_id if following else None
    }  # fmt: skip
