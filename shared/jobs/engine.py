"""The engine: everything that can be done with jobs, one method each."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from shared.jobs.callbacks import Callbacks
from shared.jobs.cancel import Canceller
from shared.jobs.children import Children
from shared.jobs.dead_letters.discard import Discarder
from shared.jobs.dead_letters.recorder import Recorder
from shared.jobs.dead_letters.replay import Replayer
from shared.jobs.dead_letters.vault import Vault
from shared.jobs.decide import Delivery
from shared.jobs.dependencies import Dependencies
from shared.jobs.envelope import put_back_text, text_of
from shared.jobs.errors import JobNotFoundError
from shared.jobs.estimate import Estimator
from shared.jobs.log import LOG
from shared.jobs.model import Job
from shared.jobs.purge import Purger, PurgeReport
from shared.jobs.retention import Retention
from shared.jobs.runner import Runner
from shared.jobs.submit import Options, Submitter, Ticket
from shared.jobs.sweep import Report, Sweeper
from shared.ports import StorageError
from shared.storage import Versioned


class Engine:
    """Durable jobs over the ports it is given."""

    def __init__(self, deps: Dependencies) -> None:
        self.deps = deps
        retention = Retention.of(deps.settings)
        self.vault = Vault(deps.documents, deps.clock, retention.vault)
        self._purger = Purger(deps, self.vault, retention)
        self._submitter = Submitter(deps)
        self._callbacks = Callbacks(deps, self._submitter)
        self._recorder = Recorder(deps, self.vault, self._callbacks)
        self._canceller = Canceller(deps, self._callbacks)
        self.children = Children(deps, self._submitter, self._canceller)
        self._runner = Runner(deps, self.vault, self._recorder, self._callbacks, self.children)
        self._sweeper = Sweeper(deps, self._callbacks)
        self.replays = Replayer(deps, self.vault, self._submitter, self._callbacks)
        self.discards = Discarder(deps, self.vault)
        self.pauses = deps.pauses
        self.estimates = Estimator(deps)

    async def submit(self, kind: str, payload: BaseModel | Mapping[str, Any], options: Options | None = None) -> Ticket:
        """Take a job in; see `Submitter.submit`."""
        return await self._submitter.submit(kind, payload, options)

    async def get(self, job_id: str) -> Versioned[Job]:
        """Return a job as its status blob has it, or raise JobNotFoundError."""
        current = await self.deps.status.read(job_id)
        if current is None:
            raise JobNotFoundError(f"there is no job {job_id}")
        return current

    async def cancel(self, job_id: str, *, by: str | None = None) -> Versioned[Job]:
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
        """Take a message from a poison queue into the vault; see `Recorder.record`."""
        return await self._recorder.record(delivery)

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
            self.deps.observer.happened(event)
            poison = (
                act == self.record
            )  # what lies on a poison queue stays, to the letter, the text that the host gave up
            text = text_of(delivery.body) if poison else put_back_text(delivery.body, self.deps.clock.now())
            await self.deps.queues.send(delivery.queue, text, self.deps.timing.put_back)
            return "put back"

    async def sweep(self, *, full: bool = False) -> Report:
        """Look for what fell between two writes; see `Sweeper`."""
        return await self._sweeper.sweep(full=full)

    async def purge(self, artifacts: Iterable[str] = ()) -> PurgeReport:
        """Delete what has expired; see `Purger.purge`."""
        return await self._purger.purge(artifacts)
