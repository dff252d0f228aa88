"""What makes an entry: four steps, each kept once it is made, and the entry's document, which shows how far it is.

The document is written after each step, so that a text can be read before it is spoken. Only the current attempt writes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from shared.domains.stories import services
from shared.domains.stories.model import (
    Adventure,
    Audio,
    AudioStatus,
    Branch,
    Choice,
    Entry,
    EntryStatus,
    Trouble,
)
from shared.domains.stories.ports import Analysis, Brief, Draft, Past, ServiceError, Translation
from shared.domains.stories.store import AdventureStore, audio_name
from shared.domains.stories.vocabulary import VocabularyStore, lemmas_of
from shared.jobs import SupersededError
from shared.ports import AlreadyExistsError, BlobStore

if TYPE_CHECKING:
    from shared.domains.stories.payload import EntryJob
    from shared.domains.stories.ports import Analyser, Generator, Speech, Translator
    from shared.jobs import Failure, JobContext

_GONE: dict[str, Any] = {"skipped": 1, "reason": "gone"}
_DUE = 40
_KNOWN = 400


class Pipeline:
    """The making of one entry, in one attempt of its job."""

    def __init__(self, job: JobContext) -> None:
        self._job = job
        self._adventures = AdventureStore(job.documents)
        self._vocabulary = VocabularyStore(job.documents)
        self._generator: Generator = services.generator(job.settings)
        self._translator: Translator = services.translator(job.settings)
        self._speech: Speech = services.speech(job.settings)
        self._analyser: Analyser = services.analyser(job.settings)

    async def make(self, payload: EntryJob) -> dict[str, Any]:
        """Make the entry, or what is left to make of it.

        Raises:
            ServiceError: a service does not do its part now.
            UntranslatableError: what was written cannot be translated.
        """
        found = await self._adventures.read(payload.user_id, payload.adventure_id)
        branch = found.value.branch(payload.entry_id) if found else None
        if found is None or branch is None:
            return _GONE
        entry = await self._write(
            found.value, branch, lambda entry: entry.model_copy(update={"error": None}), EntryStatus.GENERATING
        )
        return await self._steps(found.value, branch) if entry else _GONE

    async def _steps(self, adventure: Adventure, branch: Branch) -> dict[str, Any]:
        draft = await self._job.step("generate", partial(self._generate, adventure, branch), into=Draft)
        entry = await self._write(
            adventure, branch, partial(self._with_text, draft, adventure), EntryStatus.TRANSLATING
        )
        if entry is None:
            return _GONE
        texts = (draft.title, *entry.sentences, *draft.choices)
        translation = await self._job.step("translate", partial(self._translate, texts, adventure), into=Translation)
        await self._write(adventure, branch, partial(_with_translation, translation), EntryStatus.SPEAKING)
        audio = await self._audio(entry, adventure)
        await self._write(
            adventure, branch, lambda entry: entry.model_copy(update={"audio": audio}), EntryStatus.ANALYSING
        )
        analysis = await self._job.step("analyse", partial(self._analyse, entry, adventure), into=Analysis)
        cost = draft.cost + translation.cost + audio.cost
        return await self._complete(adventure, branch, analysis, {"cost": cost, "analysis": analysis})

    async def _complete(
        self, adventure: Adventure, branch: Branch, analysis: Analysis, made: dict[str, Any]
    ) -> dict[str, Any]:
        now, user_id = self._job.clock.now(), adventure.user_id
        lemmas = lemmas_of(analysis)
        await self._vocabulary.meet(user_id, adventure.language, branch.entry_id, lemmas, now)
        entry = await self._write(adventure, branch, lambda entry: entry.model_copy(update=made), EntryStatus.COMPLETE)
        if entry is None:
            return _GONE
        title = entry.title or ""
        await self._adventures.change(user_id, adventure.adventure_id, lambda each: each.told(branch, title, now))
        return {
            "entry_id": branch.entry_id,
            "sentences": len(entry.sentences),
            "words": len(lemmas),
            "audio": str(entry.audio.status),
            "cost": entry.cost.model_dump(),
            "by": [self._generator.name, self._translator.name, self._speech.name, self._analyser.name],
        }

    async def speak(self, payload: EntryJob) -> dict[str, Any]:
        """Make the audio of an entry that has its text; the blob may be there, and be out of date.

        Raises:
            ServiceError: the voice does not answer.
        """
        found = await self._adventures.read(payload.user_id, payload.adventure_id)
        entry = await self._adventures.entry(payload.user_id, payload.entry_id)
        if found is None or entry is None or not entry.sentences:
            return _GONE
        audio = await self._job.step("speak", partial(self._speak, entry, found.value), into=Audio)

        def heard(entry: Entry) -> Entry:
            cost = entry.cost + audio.cost
            return entry.model_copy(update={"audio": audio, "cost": cost, "updated_at": self._job.clock.now()})

        await self._adventures.change_entry(payload.user_id, payload.entry_id, heard)
        return {"entry_id": entry.entry_id, "audio": str(audio.status), "cost": audio.cost.model_dump()}

    async def give_up(self, payload: EntryJob, failure: Failure) -> None:
        """Write that the entry could not be made. What it has stays readable."""
        trouble = Trouble(type=failure.type, message=failure.message[:300])
        ids = (payload.user_id, payload.adventure_id, payload.entry_id)
        await self._adventures.fail(*ids, trouble, self._job.clock.now(), self._job.fence)

    # --- the steps ---------------------------------------------------------------------------------------------------

    async def _generate(self, adventure: Adventure, branch: Branch) -> Draft:
        words = await self._vocabulary.words(adventure.user_id, adventure.language)
        path = adventure.path(branch)
        brief = Brief(
            story_seed=adventure.adventure_id,
            seed=f"{branch.parent_id}/{branch.choice}/{branch.take}",
            language=adventure.language,
            native_language=adventure.native_language,
            level=adventure.level,
            genre=adventure.genre,
            number=branch.number,
            length=adventure.length,
            story=tuple([await self._past(adventure, *pair) for pair in pairwise(path)]),
            words_due=words.due(self._job.clock.now())[:_DUE],
            words_known=words.known()[:_KNOWN],
        )
        return await self._generator.generate(brief)

    async def _past(self, adventure: Adventure, branch: Branch, following: Branch) -> Past:
        entry = await self._adventures.entry(adventure.user_id, branch.entry_id)
        choice = following.choice or 0
        if entry is None or entry.title is None or choice >= len(entry.choices):
            raise ServiceError("an entry before this one is not there")
        chosen = entry.choices[choice].text
        return Past(entry_id=entry.entry_id, title=entry.title, text=entry.text, choice=choice, chosen=chosen)

    async def _translate(self, texts: Sequence[str], adventure: Adventure) -> Translation:
        return await self._translator.translate(texts, adventure.language, adventure.native_language)

    async def _audio(self, entry: Entry, adventure: Adventure) -> Audio:
        """The audio; unavailable, where the voice fails: a story can be read without."""
        try:
            return await self._job.step("speak", partial(self._speak, entry, adventure), into=Audio)
        except ServiceError as error:
            self._job.log.warning("no audio: cause=%s", error)
            return Audio(status=AudioStatus.UNAVAILABLE)

    async def _speak(self, entry: Entry, adventure: Adventure) -> Audio:
        spoken = await self._speech.speak(entry.sentences, adventure.language)
        name = audio_name(entry.user_id, entry.adventure_id, entry.entry_id)
        await _put(self._job.blobs, name, spoken.data)
        return Audio(
            status=AudioStatus.READY, blob=name, media_type=spoken.media_type, bytes=len(spoken.data), seconds=spoken.seconds,
            voice=spoken.voice, marks=spoken.marks, cost=spoken.cost,
        )  # fmt: skip

    def _analyse(self, entry: Entry, adventure: Adventure) -> Analysis:
        """Takes the processor: as a plain function it runs in a thread."""
        return self._analyser.analyse(entry.sentences, adventure.language, adventure.level)

    # --- what is written ---------------------------------------------------------------------------------------------

    async def _write(
        self, adventure: Adventure, branch: Branch, change: Callable[[Entry], Entry], status: EntryStatus
    ) -> Entry | None:
        """Change the entry's document as the current attempt, and say how far it is; None where it is gone.

        Raises:
            SupersededError: a later attempt has written it.
        """
        now, fence = self._job.clock.now(), self._job.fence

        def changed(entry: Entry) -> Entry:
            if entry.fence > fence:
                raise SupersededError
            return change(entry).model_copy(update={"status": status, "fence": fence, "updated_at": now})

        return await self._adventures.change_entry(adventure.user_id, branch.entry_id, changed)

    def _with_text(self, draft: Draft, adventure: Adventure, entry: Entry) -> Entry:
        paragraphs = (self._analyser.sentences(each, adventure.language) for each in draft.text.split("\n\n"))
        text = {
            "title": draft.title,
            "paragraphs": tuple(tuple(each) for each in paragraphs if each),
            "choices": tuple(Choice(text=each) for each in draft.choices),
        }
        return entry.model_copy(update=text)


def _with_translation(translation: Translation, entry: Entry) -> Entry:
    """The translations in their places: of the title, of each sentence, of each choice."""
    title, *rest = translation.texts
    sentences, choices = rest[: len(entry.sentences)], rest[len(entry.sentences) :]
    translated = zip(entry.choices, choices, strict=True)
    return entry.model_copy(
        update={
            "title_translation": title,
            "translations": tuple(sentences),
            "choices": tuple(Choice(text=each.text, translation=text) for each, text in translated),
        }
    )


async def _put(blobs: BlobStore, name: str, data: bytes) -> None:
    """Write a blob, whatever is there."""
    for _ in range(3):
        there = await blobs.read(name)
        if there is None:
            try:
                await blobs.create(name, data)
            except AlreadyExistsError:
                continue
        elif there.data != data:
            await blobs.replace(name, data, there.etag)
        return
