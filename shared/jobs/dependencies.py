"""What the engine's parts share: the ports, the kinds, and three small duties used by most of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

from shared.containers import JOBS
from shared.jobs.dead_letters.vault import DeadLetter
from shared.jobs.envelope import Delivery, Envelope, fits, text_for
from shared.jobs.errors import UnreadableError
from shared.jobs.kinds import Registry
from shared.jobs.log import LOG, about
from shared.jobs.model import Job, summary
from shared.jobs.observe import NullObserver, Observer
from shared.jobs.pauses import Pauses
from shared.jobs.store import StatusStore
from shared.ports import BlobStore, Clock, Containers, DocumentStore, MessageQueues, OwnBlobs, StorageError
from shared.settings import Settings
from shared.storage import Versioned


@dataclass(frozen=True, slots=True)
class Timing:
    """The engine's own times."""

    lease: timedelta = timedelta(seconds=60)
    """How long a claim lasts without a sign of life; a third of it is the heartbeat."""
    grace: timedelta = timedelta(seconds=120)
    """How long past its time a job must be before the sweep takes it for stuck."""
    put_back: timedelta = timedelta(seconds=60)
    """How long a message waits for code that knows its payload's version."""


def _no_callbacks(job: Job) -> Mapping[str, Any]:
    raise LookupError(f"job {job.job_id} wants a callback, and this app knows no way to make one")


def no_containers(name: str, account: str | None = None, key: str | None = None) -> BlobStore:  # noqa: ARG001 - the port's
    """For an app that works with no containers beside that of its jobs."""
    raise LookupError(f"this app opens no containers: {name}")


@dataclass(frozen=True)
class Dependencies:
    """The ports and kinds that an engine works with."""

    blobs: BlobStore
    queues: MessageQueues
    documents: DocumentStore
    clock: Clock
    kinds: Registry
    settings: Settings = field(default_factory=Settings)
    timing: Timing = field(default_factory=Timing)
    callback: Callable[[Job], Mapping[str, Any]] = _no_callbacks
    """The payload of the job that tells an outcome."""
    observer: Observer = field(default_factory=NullObserver)
    """Who is told what happens."""
    open_blobs: Callable[[], OwnBlobs] | None = None
    """Opens the status container once more, for a thread that keeps leases while the event loop is blocked; None: nobody does."""

    containers: Containers = no_containers
    """Opens other containers of blobs than that of the jobs."""

    @cached_property
    def status(self) -> StatusStore:
        """The record of truth."""
        return StatusStore(self.blobs, self.clock, self.observer)

    @cached_property
    def pauses(self) -> Pauses:
        """Which kinds are paused."""
        return Pauses(self.documents, self.clock)

    async def send(self, current: Versioned[Job], delay: timedelta = timedelta(0)) -> None:
        """Send the message that starts the job's next attempt, visible once the job is due, and not before this delay."""
        now = self.clock.now()
        text = text_for(current.value, current.etag, now)
        queue = self.kinds.queue(current.value.kind, current.value.priority)
        await self.queues.send(queue, text, max(current.value.due_at - now, delay))

    async def send_or_leave(self, current: Versioned[Job], delay: timedelta = timedelta(0)) -> None:
        """Send; where the queue does not answer, leave it to the sweep, since the record says that a message is due."""
        try:
            await self.send(current, delay)
        except StorageError as error:
            LOG.warning("message left to the sweep: %s cause=%s", about(current.value), type(error).__name__)

    async def project(self, job: Job) -> None:
        """Bring the index up to this version. It can be made anew from the blobs: failing to write it fails no job."""
        try:
            await self.documents.put_newer(JOBS, summary(job))
        except StorageError as error:
            LOG.warning("index not written: %s version=%d cause=%s", about(job), job.version, type(error).__name__)

    async def put_back(self, delivery: Delivery, text: str, event: str, error: StorageError) -> str:
        """Send a message anew that storage kept from its end.

        Raising would do for a moment's failure. But the host counts deliveries, and an outage longer than five of them
        would make dead letters of jobs that have nothing wrong with them.

        Raises:
            StorageError: the queue fails as well: the message stays, as the host leaves it.
        """
        LOG.error("put back, storage fails: queue=%s cause=%s", delivery.queue, type(error).__name__)
        self.observer.happened(event)
        await self.queues.send(delivery.queue, text, self.timing.put_back)
        return "put back"

    async def apart(self, job: Job) -> Job:
        """The job as it may be written: a payload that no message could carry is kept in a blob of its own."""
        if job.payload is None or fits(job, job.updated_at):
            return job
        name = await self.status.put_payload(job.job_id, job.payload)
        return job.model_copy(update={"payload": None, "payload_blob": name})

    async def payload(self, source: Job | Envelope | DeadLetter) -> dict[str, Any]:
        """The payload, from where it is.

        Raises:
            UnreadableError: the blob that should hold it is gone.
        """
        if source.payload_blob is None:
            return source.payload or {}
        data = await self.status.payload(source.payload_blob)
        if data is None:
            raise UnreadableError(f"the payload blob {source.payload_blob} is gone")
        return dict(json.loads(data))
