"""The engine: everything that can be done with jobs, one method each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from shared.jobs.callbacks import Callbacks
from shared.jobs.cancel import Canceller
from shared.jobs.children import Children
from shared.jobs.dead_letters.discard import Discarder
from shared.jobs.dead_letters.recorder import Burial
from shared.jobs.dead_letters.replay import Replayer
from shared.jobs.dead_letters.vault import Vault
from shared.jobs.decide import Delivery
from shared.jobs.dependencies import LOG, Parts
from shared.jobs.envelope import put_back_text, text_of
from shared.jobs.errors import JobNotFoundError
from shared.jobs.estimate import Pace
from shared.jobs.purge import Purger, PurgeReport
from shared.jobs.retention import Retention
from shared.jobs.runner import Runner
from shared.jobs.store import Held
from shared.jobs.submit import Options, Submitter, Ticket
from shared.jobs.sweep import Report, Sweeper
from shared.ports import StorageError


class Engine:
    """Durable jobs over the ports it is given."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        retention = Retention.of(parts.settings)
        self.vault = Vault(parts.documents, parts.clock, retention.vault)
        self._purger = Purger(parts, self.vault, retention)
        self._submitter = Submitter(parts)
        self._callbacks = Callbacks(parts, self._submitter)
        self._burial = Burial(parts, self.vault, self._callbacks)
        self._canceller = Canceller(parts, self._callbacks)
        self.children = Children(parts, self._submitter, self._canceller)
        self._runner = Runner(parts, self.vault, self._burial, self._callbacks, self.children)
        self._sweeper = Sweeper(parts, self._callbacks)
        self.replays = Replayer(parts, self.vault, self._submitter, self._callbacks)
        self.discards = Discarder(parts, self.vault)
        self.pauses = parts.pauses
        self.pace = Pace(parts)

    async def submit(self, kind: str, payload: BaseModel | Mapping[str, Any], options: Options | None = None) -> Ticket:
        """Take a job in; see `Submitter.submit`."""
        return await self._submitter.submit(kind, payload, options)

    async def get(self, job_id: str) -> Held:
        """Return a job as its status blob has it, or raise JobNotFoundError."""
        held = await self.parts.status.read(job_id)
        if held is None:
            raise JobNotFoundError(f"there is no job {job_id}")
        return held

    async def cancel(self, job_id: str, *, by: str | None = None) -> Held:
        """Cancel a queued job; ask a running one to stop at its next checkpoint. Children are cancelled with it.

        Raises:
            JobNotFoundError: there is no such job.
            InvalidTransitionError: it is final already.
        """
        return await self._canceller.cancel(await self.get(job_id), by)

    async def process(self, delivery: Delivery) -> str:
        """Take a message from a job queue to its end; see `Runner.process`."""
        return await self._runner.process(delivery)

    async def record(self, delivery: Delivery) -> str:
        """Take a message from a poison queue into the vault; see `Burial.record`."""
        return await self._burial.record(delivery)

    async def process_or_put_back(self, delivery: Delivery) -> str:
        """Process; where storage fails, send the message anew.

        Raising would do for a moment's failure. But the host counts deliveries, and an outage longer than five of them
        would make dead letters of jobs that have nothing wrong with them.
        """
        return await self._or_put_back(self.process, delivery, "put_back")

    async def record_or_put_back(self, delivery: Delivery) -> str:
        """Record; where storage fails, send the message anew to its poison queue."""
        return await self._or_put_back(self.record, delivery, "poison_put_back")

    async def _or_put_back(self, act: Callable[[Delivery], Awaitable[str]], delivery: Delivery, event: str) -> str:
        """Raises StorageError only where the queue fails as well: the message stays then, as the host leaves it."""
        try:
            return await act(delivery)
        except StorageError as error:
            LOG.error("put back, storage fails: queue=%s cause=%s", delivery.queue, type(error).__name__)
            self.parts.observer.happened(event)
            poison = (
                act == self.record
            )  # what lies on a poison queue stays, to the letter, the text that the host gave up
            text = text_of(delivery.body) if poison else put_back_text(delivery.body, self.parts.clock.now())
            await self.parts.queues.send(delivery.queue, text, self.parts.timing.put_back)
            return "put back"

    async def sweep(self, *, full: bool = False) -> Report:
        """Look for what fell between two writes; see `Sweeper`."""
        return await self._sweeper.sweep(full=full)

    async def purge(self, artifacts: Iterable[str] = ()) -> PurgeReport:
        """Delete what has expired; see `Purger.purge`."""
        return await self._purger.purge(artifacts)
