"""An adventure and its entries, as they are stored, and what may become of them. Pure: no storage, no clock."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from shared.domains.stories.languages import Genre, Language, Level
from shared.domains.stories.ports import Analysis, Cost, Mark


class AdventureStatus(StrEnum):
    """Where an adventure stands."""

    AWAITING_FIRST_ENTRY = "awaiting_first_entry"
    ACTIVE = "active"
    FINISHED = "finished"
    ERROR = "error"


class EntryStatus(StrEnum):
    """Where an entry stands: from `translating` on it has its text, from `speaking` on its translation too."""

    PENDING = "pending"
    GENERATING = "generating"
    TRANSLATING = "translating"
    SPEAKING = "speaking"
    ANALYSING = "analysing"
    COMPLETE = "complete"
    ERROR = "error"

    @property
    def final(self) -> bool:
        """Whether nothing is at work on it."""
        return self in (EntryStatus.COMPLETE, EntryStatus.ERROR)


class AudioStatus(StrEnum):
    """Whether an entry can be heard."""

    PENDING = "pending"
    READY = "ready"
    UNAVAILABLE = "unavailable"


class _Stored(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)


class Branch(_Stored):
    """Where an entry is in its adventure: after which entry and which of its choices."""

    entry_id: str
    job_id: str
    parent_id: str | None = None
    choice: int | None = None
    number: int = 1
    """How many entries one has read with this one."""
    take: int = 1
    """How often this place of the story was told, with this time; the highest one counts."""
    at: datetime


class Adventure(_Stored):
    """A story with all its branches."""

    adventure_id: str
    user_id: str
    language: Language
    native_language: Language
    level: Level
    genre: Genre
    length: int
    status: AdventureStatus = AdventureStatus.AWAITING_FIRST_ENTRY
    title: str | None = None
    """Its first entry's."""
    branches: tuple[Branch, ...] = ()
    created_at: datetime
    updated_at: datetime

    def branch(self, entry_id: str) -> Branch | None:
        """Where an entry is, if there is one of this id."""
        return next((each for each in self.branches if each.entry_id == entry_id), None)

    def after(self, parent_id: str | None, choice: int | None) -> Branch | None:
        """What follows on a choice: the latest telling of it."""
        found = [each for each in self.branches if (each.parent_id, each.choice) == (parent_id, choice)]
        return max(found, key=lambda each: each.take, default=None)

    def path(self, branch: Branch) -> list[Branch]:
        """The entries from the first one to this one, both included."""
        path = [branch]
        while parent := path[0].parent_id and self.branch(str(path[0].parent_id)):
            path.insert(0, parent)
        return path

    def with_branch(self, branch: Branch, now: datetime) -> Self:
        """With one entry more, on which the reader waits."""
        waits = AdventureStatus.AWAITING_FIRST_ENTRY if branch.number == 1 else AdventureStatus.ACTIVE
        changes = {"branches": (*self.branches, branch), "status": waits, "updated_at": now}
        return self.model_copy(update=changes)

    def told(self, branch: Branch, title: str, now: datetime) -> Self:
        """With this entry complete. Where the reader has gone on already, what is said of a later entry stands."""
        ended = AdventureStatus.FINISHED if branch.number >= self.length else AdventureStatus.ACTIVE
        latest = self.branches[-1].entry_id == branch.entry_id
        waits = self.status is AdventureStatus.AWAITING_FIRST_ENTRY
        changes: dict[str, object] = {"status": ended} if latest or waits else {}
        changes |= {"title": title} if branch.number == 1 else {}
        return self.model_copy(update={**changes, "updated_at": now})

    def failed(self, now: datetime) -> Self:
        """With an entry that could not be made."""
        return self.model_copy(update={"status": AdventureStatus.ERROR, "updated_at": now})


class Choice(_Stored):
    """Something that the reader may decide."""

    text: str
    translation: str | None = None


class Audio(_Stored):
    """What is known of an entry's audio."""

    status: AudioStatus = AudioStatus.PENDING
    blob: str | None = None
    media_type: str | None = None
    bytes: int = 0
    seconds: float = 0.0
    voice: str | None = None
    marks: tuple[Mark, ...] = ()
    cost: Cost = Cost()


class Trouble(_Stored):
    """Why an entry could not be made."""

    type: str
    message: str


class Entry(_Stored):
    """An entry of an adventure; what is not made yet is empty."""

    entry_id: str
    adventure_id: str
    user_id: str
    number: int
    status: EntryStatus = EntryStatus.PENDING
    fence: int = 0
    """The attempt that wrote it last: an earlier one writes nothing any more."""
    title: str | None = None
    title_translation: str | None = None
    paragraphs: tuple[tuple[str, ...], ...] = ()
    """The text: the sentences of each paragraph."""
    translations: tuple[str, ...] = ()
    """Of each sentence, in the order of the text."""
    choices: tuple[Choice, ...] = ()
    audio: Audio = Field(default_factory=Audio)
    analysis: Analysis | None = None
    cost: Cost = Cost()
    error: Trouble | None = None
    created_at: datetime
    updated_at: datetime

    @property
    def sentences(self) -> list[str]:
        """The text's sentences."""
        return [sentence for paragraph in self.paragraphs for sentence in paragraph]

    @property
    def text(self) -> str:
        """The text; a blank line between paragraphs."""
        return "\n\n".join(" ".join(paragraph) for paragraph in self.paragraphs)


def new_entry(adventure: Adventure, branch: Branch) -> Entry:
    """An entry of which nothing is made yet."""
    return Entry(
        entry_id=branch.entry_id, adventure_id=adventure.adventure_id, user_id=adventure.user_id, number=branch.number,
        created_at=branch.at, updated_at=branch.at,
    )  # fmt: skip
