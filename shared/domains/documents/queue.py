"""The durable queue of documents, over the engine: an item is a job, and the job's record is the only truth."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Literal
from uuid import uuid4

from uuid_utils import uuid7

from shared.containers import JOBS
from shared.domains.documents.kinds import ReadDocument, read_document
from shared.domains.documents.model import Operation, QueueStatus, Stored
from shared.domains.documents.processing import DocumentRefusedError
from shared.domains.documents.store import DocumentFiles, DocumentMissingError
from shared.jobs import Job, Priority, Status
from shared.jobs.callbacks import Callbacks
from shared.jobs.dead_letters.recorder import Recorder
from shared.jobs.dead_letters.replay import ReplayOutcome
from shared.jobs.dead_letters.vault import Reason
from shared.jobs.envelope import Delivery, encode, envelope_of
from shared.jobs.errors import DeadLetterNotFoundError, InvalidTransitionError
from shared.jobs.events import Claimed, Completed
from shared.jobs.failures import failure_of
from shared.jobs.machine import apply
from shared.jobs.store import ConflictError
from shared.jobs.submit import Submitter
from shared.ports import Query, Where
from shared.storage import Versioned, every, iso

if TYPE_CHECKING:
    from shared.jobs.engine import Engine

_STATES = {
    Status.QUEUED: QueueStatus.PENDING,
    Status.RUNNING: QueueStatus.IN_PROGRESS,
    Status.COMPLETED: QueueStatus.COMPLETED,
    Status.FAILED: QueueStatus.FAILED,
    Status.CANCELLED: QueueStatus.FAILED,
}
_ORDER = (Priority.HIGH, Priority.NORMAL, Priority.LOW)
_MOST_COUNTED = 100_000
"""Items of a status that are counted one by one: of more it is said that there are at least so many."""
_AT_ONCE = 2

Stats = dict[Literal["pending", "in_progress", "failed", "completed"], int]
Processed = dict[Literal["processed", "completed", "failed"], int]


class TakenError(InvalidTransitionError):
    """Another worker has this item, or it is done."""


@dataclass(frozen=True, slots=True)
class QueueItem:
    """One document in the queue."""

    item_id: str
    """The id of its job."""
    document_id: str
    version: int
    operation: Operation
    status: QueueStatus
    priority: Priority
    due_at: datetime
    attempt: int
    """The fence: proves, to `mark_completed` and `mark_failed`, that the item is still the caller's."""
    error: str = ""


class DocumentQueueService:
    """What can be done with the queue. Every method reads and writes jobs under their conditions; two callers never both succeed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._deps = engine.deps
        self._callbacks = Callbacks(self._deps, Submitter(self._deps))
        self._recorder = Recorder(self._deps, engine.vault, self._callbacks)
        self.files = DocumentFiles(self._deps.documents, self._deps.containers, self._deps.clock, self._deps.settings)

    async def enqueue(
        self, document_id: str, operation: Operation = Operation.PROCESS, priority: Priority | None = None
    ) -> QueueItem:
        """Have a document's newest version read. One that waits already stays as it is; a failed job is replayed.

        Raises:
            DocumentMissingError: there is no such document.
        """
        found = await self.files.read(document_id)
        if found is None or found.value.latest is None:
            raise DocumentMissingError(f"there is no document {document_id}")
        stored, number = found.value, found.value.latest.number
        before = await self._deps.status.read(stored.job_id) if stored.job_id else None
        if before and before.value.status is Status.QUEUED and _version_of(before.value) == number:
            return _item(before.value)
        if before and before.value.status is Status.FAILED and _version_of(before.value) == number:
            await self._pending(document_id, operation, before.value.job_id)
            if await self._replayed(before.value):
                return _item((await self._engine.get(before.value.job_id)).value)
        job_id = str(uuid7())
        await self._pending(document_id, operation, job_id)
        payload = ReadDocument(document_id=document_id, version=number, operation=operation)
        ticket = await self._engine.submit(read_document, payload, job_id=job_id, priority=priority)
        return _item(ticket.job)

    async def get_pending_items(self, limit: int = 50) -> list[QueueItem]:
        """Up to `limit` items that are due, the most urgent first, and the oldest of these."""
        now = self._deps.clock.now()
        where = (
            Where("kind", "=", read_document.name),
            Where("status", "=", Status.QUEUED.value),
            Where("due_at", "<=", iso(now)),
        )
        found = every(self._deps.documents, JOBS, Query(where, limit=min(limit * 2, 1000), fields=()), limit * 2)
        items = []
        async for row in found:
            current = await self._deps.status.read(row["id"])  # the index may be behind
            if current and current.value.status is Status.QUEUED and current.value.due_at <= now:
                items.append(_item(current.value))
        return sorted(items, key=lambda item: (_ORDER.index(item.priority), item.item_id))[:limit]

    async def mark_in_progress(self, item: QueueItem) -> QueueItem:
        """Take an item for an attempt, before any work.

        Raises:
            TakenError: somebody else was faster.
        """
        now = self._deps.clock.now()
        current = await self._engine.get(item.item_id)
        if current.value.status is not Status.QUEUED:
            raise TakenError
        claimed = apply(current.value, Claimed(now, f"queue-{uuid4()}", now + self._deps.timing.lease))
        try:
            current = await self._deps.status.write(current, claimed)
        except ConflictError:
            raise TakenError from None
        await self._deps.project(current.value)
        await self._note(item, QueueStatus.IN_PROGRESS)
        return _item(current.value)

    async def mark_completed(self, item: QueueItem) -> QueueItem:
        """Say that an item's work is done.

        Raises:
            SupersededError: another attempt has it.
        """
        current = await self._own(item)
        done = Completed(self._deps.clock.now(), item.attempt, {"outcome": "marked"})
        current = await self._deps.status.change(current, done)
        await self._callbacks.finish(current)
        await self._note(item, QueueStatus.COMPLETED)
        return _item(current.value)

    async def mark_failed(self, item: QueueItem, error_message: str) -> QueueItem:
        """Give an item up, with words for whoever uploaded the document. `enqueue` brings it back.

        Raises:
            SupersededError: another attempt has it.
        """
        current = await self._own(item)
        failure = failure_of(DocumentRefusedError(error_message), item.attempt, self._deps.clock.now())
        current = await self._recorder.give_up(current, Reason.FINAL, failure, item.attempt)
        await self._note(item, QueueStatus.FAILED, error_message)
        return _item(current.value)

    async def get_queue_stats(self) -> Stats:
        """How many items are pending, in progress, failed and completed, of those whose jobs are still kept."""
        counts = {status: await self._count(status) for status in Status}
        return {
            "pending": counts[Status.QUEUED],
            "in_progress": counts[Status.RUNNING],
            "failed": counts[Status.FAILED] + counts[Status.CANCELLED],
            "completed": counts[Status.COMPLETED],
        }

    async def process(self, limit: int = 50, seconds: float = 180.0) -> Processed:
        """Work on what is due, as the queue's trigger does: claimed first, so that nothing is done twice.

        Args:
            limit: items, at most.
            seconds: after so many nothing more is begun.
        """
        tally: Processed = {"processed": 0, "completed": 0, "failed": 0}
        until = self._deps.clock.now().timestamp() + seconds
        turn = asyncio.Semaphore(_AT_ONCE)

        async def one(item: QueueItem) -> None:
            async with turn:
                if self._deps.clock.now().timestamp() < until:
                    await self._process(item, tally)

        await asyncio.gather(*map(one, await self.get_pending_items(limit)))
        return tally

    async def _process(self, item: QueueItem, tally: Processed) -> None:
        current = await self._deps.status.read(item.item_id)
        if current is None or current.value.status is not Status.QUEUED:
            return
        queue = self._deps.kinds.queue(current.value.kind, current.value.priority)
        body = encode(envelope_of(current.value, current.etag, self._deps.clock.now())).encode()
        word = await self._engine.process(Delivery(queue, f"queue-{uuid4()}", body))
        if word in ("completed", "gave up", "retrying", "cancelled"):
            tally["processed"] += 1
            tally["completed"] += word == "completed"
            tally["failed"] += word != "completed"

    async def _pending(self, document_id: str, operation: Operation, job_id: str) -> Stored:
        """Say so before anything is sent: a job that is faster than this write would be overwritten by it."""
        now = self._deps.clock.now()

        def pending(stored: Stored) -> Stored:
            return stored.with_event(now, "queued", operation.value, status=QueueStatus.PENDING, job_id=job_id)

        return await self.files.change(document_id, pending)

    async def _replayed(self, job: Job) -> bool:
        with suppress(DeadLetterNotFoundError):
            result = await self._engine.replays.one(job.dead_letter_id or "", by="documents")
            return result.outcome is ReplayOutcome.REPLAYED and result.job_id == job.job_id
        return False

    async def _own(self, item: QueueItem) -> Versioned[Job]:
        return await self._engine.get(item.item_id)

    async def _note(self, item: QueueItem, status: QueueStatus, words: str = "") -> None:
        now = self._deps.clock.now()

        def noted(stored: Stored) -> Stored | None:
            if stored.latest is None or stored.latest.number != item.version:
                return None
            return stored.with_event(now, status.value, words, status=status, words=words)

        with suppress(DocumentMissingError):
            await self.files.change(item.document_id, noted)

    async def _count(self, status: Status) -> int:
        where = (Where("kind", "=", read_document.name), Where("status", "=", status.value))
        rows: AsyncIterator[object] = every(
            self._deps.documents, JOBS, Query(where, limit=1000, fields=()), _MOST_COUNTED
        )
        return len([None async for _ in rows])


async def process_document_queue(engine: Engine, limit: int = 50) -> Processed:
    """Work on the documents that are due; what a cron calls. Returns how many were processed, completed, failed."""
    return await DocumentQueueService(engine).process(limit)


def _version_of(job: Job) -> int | None:
    version = (job.payload or {}).get("version")
    return version if isinstance(version, int) else None


def _item(job: Job) -> QueueItem:
    payload = ReadDocument.model_validate(job.payload)
    item = QueueItem(
        job.job_id,
        payload.document_id,
        payload.version,
        payload.operation,
        _STATES[job.status],
        job.priority,
        job.due_at,
        job.attempt,
    )
    return replace(item, error=job.error.message) if job.error else item
