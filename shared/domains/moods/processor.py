"""One run of the mood processor: read, find, fold, embed, write.

Safe to run twice, at once or after a crash at any point: evidence is a set, a vector is due for as long as it is not that of
the present text, and each write has a condition.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from shared.domains.moods import articles as reading
from shared.domains.moods import memory as remembering
from shared.domains.moods.evidence import Moods, collect, described, supported, unified
from shared.domains.moods.model import Embedding, Mood, joined, text_hash
from shared.domains.moods.ports import Article, Embedder, Extractor, Findings, MoodServiceError
from shared.domains.moods.settings import MoodSettings
from shared.domains.moods.store import MoodStore
from shared.jobs import RetryLater
from shared.jobs.concurrently import run_all
from shared.ports import PreconditionError
from shared.storage import compare_and_swap

if TYPE_CHECKING:
    from shared.jobs import JobContext

_STEPS = 5
Read = list[tuple[Article, Findings]]


@dataclass(frozen=True, slots=True)
class Embedded:
    """What became of the vectors that were due."""

    moods: Moods
    done: int = 0
    failed: int = 0


async def process(job: JobContext, extractor: Extractor, embedder: Embedder) -> dict[str, int]:
    """Bring the moods up to date with what was published lately; return the counts.

    Raises:
        RetryLater: articles were to be read, and the extractor read none.
    """
    run = _Run(job, extractor, embedder)
    await job.progress("reading items", 0, _STEPS)
    gathered = await reading.gather(job)
    stored, memory = await run.store.current(), await remembering.recall(job.documents)
    await job.progress("finding moods", 2, _STEPS)
    distinct, unread = await asyncio.to_thread(_unread, gathered.articles, memory)
    chosen = unread if extractor.most is None else unread[-extractor.most :]
    read = await run.extract(chosen)
    moods, gone = await asyncio.to_thread(run.fold, stored, read)
    await job.progress("embedding", 3, _STEPS)
    embedded = await run.embed(moods)
    await job.progress("writing", 4, _STEPS)
    changed = await run.write(embedded.moods, {mood.id: mood for mood in stored}, gone)
    await run.remember(memory, read)  # last: what is remembered as read is in the moods
    return {
        "articles": len(distinct),
        "new_articles": len(read),
        "waiting": len(unread) - len(chosen),
        "extraction_failed": len(chosen) - len(read),
        "moods": len(moods),
        "changed": changed,
        "merged": len(gone),
        "embedded": embedded.done,
        "embedding_failed": embedded.failed,
        "feeds_failed": gathered.feeds_failed,
    }


class _Run:
    """One attempt."""

    def __init__(self, job: JobContext, extractor: Extractor, embedder: Embedder) -> None:
        settings = job.settings.of(MoodSettings)
        self.store = MoodStore(job.documents)
        self._job = job
        self._extractor = extractor
        self._embedder = embedder
        self._half_life = timedelta(days=settings.half_life_days)
        self._most_per_primary = settings.most_per_primary
        self._window = timedelta(days=settings.window_days)
        self._writers = asyncio.Semaphore(settings.write_concurrency)

    async def extract(self, articles: Sequence[Article]) -> Read:
        """Read articles batch by batch. Those of a batch that failed stay unread, and the next run has them."""
        size, turn = self._extractor.batch, asyncio.Semaphore(self._extractor.at_once)
        errors: list[MoodServiceError] = []

        async def one(batch: Sequence[Article]) -> Read:
            async with turn:
                await self._job.checkpoint()
                try:
                    return list(zip(batch, await self._extractor.extract(batch), strict=True))
                except MoodServiceError as error:
                    self._job.log.warning("articles not read: count=%d cause=%s", len(batch), error)
                    errors.append(error)
                    return []

        batches = [articles[at : at + size] for at in range(0, len(articles), size)]
        read = [pair for batch in await run_all(map(one, batches)) for pair in batch]
        if errors and not read:
            raise RetryLater(max(error.retry_after or 60.0 for error in errors), "no article could be read")
        return read

    def fold(self, stored: Iterable[Mood], read: Read) -> tuple[Moods, list[Mood]]:
        """What the moods are with what was read, and the records that are merged into others."""
        moods, gone = unified(stored, self._half_life)
        return described(supported(moods, collect(read), self._half_life, self._most_per_primary)), gone

    async def embed(self, moods: Moods) -> Embedded:
        """Make the vectors that are due, all in one call. Where it fails, the old ones stay and stay due."""
        due = [mood for mood in moods.values() if not mood.embedded_by(self._embedder.model)]
        if not due:
            return Embedded(moods)
        try:
            vectors = await self._embedder.embed_documents([mood.text for mood in due])
            _check(vectors, len(due))
        except MoodServiceError as error:
            self._job.log.warning("moods not embedded: count=%d cause=%s", len(due), error)
            return Embedded(moods, failed=len(due))
        made = {
            mood.id: replace(
                mood, vector=tuple(vector), embedding=Embedding(self._embedder.model, text_hash(mood.text))
            )
            for mood, vector in zip(due, vectors, strict=True)
        }
        return Embedded(moods | made, done=len(due))

    async def write(self, moods: Moods, stored: Moods, gone: Iterable[Mood]) -> int:
        """Write what changed, then delete what was merged; return how many moods were written."""
        wrote = await run_all(self._write(mood, stored.get(mood.id)) for mood in moods.values())
        for mood in gone:
            await self._delete(mood)
        return sum(wrote)

    async def remember(self, memory: remembering.Memory, read: Read) -> None:
        """Add what was read to the memory."""
        since = self._job.clock.now() - self._window
        await remembering.remember(self._job.documents, memory, (article for article, _ in read), since)

    async def _write(self, mood: Mood, stored: Mood | None) -> bool:
        """Write a mood, unless it says what is stored. What another worker wrote since is joined, not overwritten."""
        async with self._writers:
            try:
                return await self._put(mood, stored)
            except PreconditionError:
                return await self._put_joined(mood)

    @compare_and_swap("the mood")
    async def _put_joined(self, mood: Mood) -> bool:
        found = await self.store.read(mood.id)
        return (
            await self._put(self._caught_up(mood, found.value), found.value) if found else await self._put(mood, None)
        )

    async def _put(self, mood: Mood, stored: Mood | None) -> bool:
        await self._job.checkpoint()
        if stored is not None and replace(mood, version=stored.version) == stored:
            return False
        if not await self.store.put_newer(replace(mood, version=stored.version + 1 if stored else 1)):
            raise PreconditionError
        return True

    def _caught_up(self, mood: Mood, stored: Mood) -> Mood:
        """The stored mood with our evidence; and our vector, where the text is still ours."""
        merged = joined(stored, mood, self._half_life)
        (merged,) = described({merged.id: merged}).values()
        merged = replace(merged, sub_moods=tuple(sorted({*stored.sub_moods, *mood.sub_moods})))
        return replace(merged, vector=mood.vector, embedding=mood.embedding) if merged.text == mood.text else merged

    async def _delete(self, mood: Mood) -> None:
        """Delete a record whose evidence is another's now; one that was written since is left for the next run."""
        found = await self.store.read(mood.id)
        if found and found.value == mood:
            try:
                await self.store.delete(mood.id, found.etag)
            except PreconditionError:
                self._job.log.warning("merged mood was written again: id=%s", mood.id)


def _unread(articles: Iterable[Article], memory: remembering.Memory) -> tuple[list[Article], list[Article]]:
    """The distinct articles, and those of them that no run has read, the oldest first."""
    distinct, known = reading.distinct(articles), memory.keys
    unread = (one for one in distinct if known.isdisjoint((one.key, reading.content_key(one.title, one.text))))
    return distinct, list(unread)


def _check(vectors: Sequence[Sequence[float]], count: int) -> None:
    """Raise MoodServiceError unless there are so many vectors, all of one length and of finite numbers."""
    if len(vectors) != count:
        raise MoodServiceError(f"{len(vectors)} vectors for {count} texts")
    if len({len(vector) for vector in vectors}) != 1 or not vectors[0]:
        raise MoodServiceError("vectors of different lengths, or of none")
    if not all(math.isfinite(each) for vector in vectors for each in vector):
        raise MoodServiceError("a vector that is not made of finite numbers")
