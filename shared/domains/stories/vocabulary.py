"""The words that a reader has met: how often, whether they are known, and which of them are due.

A word that is not known comes back after ten minutes, then after a time that grows fourfold with each meeting. One document
holds a language's words; it remembers which entries were counted, so that an entry counts once.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from shared.domains.stories.containers import VOCABULARY
from shared.domains.stories.languages import Language
from shared.domains.stories.ports import Analysis
from shared.ports import DocumentStore
from shared.storage import Versioned, compare_and_swap, write

FIRST = timedelta(minutes=10)
"""After this a word that was met once is due."""
_GROWTH = 4
_LONGEST = timedelta(days=90)
_MOST_WORDS = 20_000
_MOST_ENTRIES = 200
_NOT_LEARNT = frozenset({"PROPN", "NUM", "PUNCT", "SYM", "X"})


class Word(BaseModel):
    """A word of a reader."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    lemma: str
    met: int = 0
    known: bool = False
    last_met_at: datetime | None = None
    due_at: datetime | None = None
    """When it should be met again; None for a known one."""


class Words(BaseModel):
    """All words of a reader in a language, by lemma."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    words: dict[str, Word] = Field(default_factory=dict)
    entries: tuple[str, ...] = ()
    """The latest entries that were counted."""

    def met(self, entry_id: str, lemmas: Iterable[str], now: datetime) -> Self:
        """After an entry was read; counted once."""
        if entry_id in self.entries:
            return self
        words = dict(self.words)
        for lemma in dict.fromkeys(lemmas):
            words[lemma] = _met(words.get(lemma) or Word(lemma=lemma), now)
        if len(words) > _MOST_WORDS:
            latest = sorted(words.values(), key=lambda each: each.last_met_at or now, reverse=True)
            words = {each.lemma: each for each in latest[:_MOST_WORDS]}
        return self.model_copy(update={"words": words, "entries": (*self.entries, entry_id)[-_MOST_ENTRIES:]})

    def marked(self, lemma: str, *, known: bool, now: datetime) -> Self:
        """After the reader said that a word is known, or is not: then it is due at once."""
        word = (self.words.get(lemma) or Word(lemma=lemma)).model_copy(
            update={"known": known, "due_at": None if known else now}
        )
        return self.model_copy(update={"words": {**self.words, lemma: word}})

    def due(self, now: datetime) -> tuple[str, ...]:
        """The words that should be met again, the longest due first."""
        due = [(each.due_at, each.lemma) for each in self.words.values() if each.due_at and each.due_at <= now]
        return tuple(lemma for _, lemma in sorted(due))

    def known(self) -> tuple[str, ...]:
        """The words that the reader knows, the latest met first."""
        known = [each for each in self.words.values() if each.known]
        known.sort(key=lambda each: (each.last_met_at is not None, each.last_met_at), reverse=True)
        return tuple(each.lemma for each in known)


class VocabularyStore:
    """The words of all readers."""

    def __init__(self, documents: DocumentStore) -> None:
        self._documents = documents

    async def words(self, user_id: str, language: Language) -> Words:
        """A reader's words; none, where nothing was read yet."""
        found = await self._read(user_id, language)
        return found.value if found else Words()

    @compare_and_swap("the vocabulary")
    async def meet(self, user_id: str, language: Language, entry_id: str, lemmas: Iterable[str], now: datetime) -> None:
        """Count the words of an entry."""
        found = await self._read(user_id, language)
        before = found.value if found else Words()
        after = before.met(entry_id, tuple(lemmas), now)
        if after is not before:
            await self._write(user_id, language, after, found)

    @compare_and_swap("the vocabulary")
    async def mark(self, user_id: str, language: Language, lemma: str, known: bool, now: datetime) -> Word:
        """Take down that a word is known, or is not."""
        found = await self._read(user_id, language)
        after = (found.value if found else Words()).marked(lemma, known=known, now=now)
        await self._write(user_id, language, after, found)
        return after.words[lemma]

    async def _read(self, user_id: str, language: Language) -> Versioned[Words] | None:
        found = await self._documents.read(VOCABULARY, user_id, language)
        return Versioned(Words.model_validate(found.value), found.etag) if found else None

    async def _write(self, user_id: str, language: Language, words: Words, before: Versioned[Words] | None) -> None:
        document = {**words.model_dump(mode="json"), "id": str(language), "pk": user_id}
        await write(self._documents, VOCABULARY, document, before)


def lemmas_of(analysis: Analysis) -> list[str]:
    """The words of a text that can be learnt: no names, numbers or signs."""
    tokens = (token for sentence in analysis.sentences for token in sentence.tokens)
    return [
        token.lemma for token in tokens if token.lemma and token.pos not in _NOT_LEARNT and token.lemma[0].isalpha()
    ]  # fmt: skip


def _met(word: Word, now: datetime) -> Word:
    wait = min(FIRST * _GROWTH ** min(word.met, 8), _LONGEST)
    due = None if word.known else now + wait
    return word.model_copy(update={"met": word.met + 1, "last_met_at": now, "due_at": due})
