"""The engine: everything that can be done with jobs, one method each."""

from __future__ import annotations

from collections.abc import Iterable

from shared.jobs.callbacks import Callbacks
from shared.jobs.cancel import Canceller
from shared.jobs.children import Children
from shared.jobs.dead_letters.recorder import Recorder
from shared.jobs.dead_letters.replay import Discarder, Replayer
from shared.jobs.dead_letters.vault import Vault
from shared.jobs.dependencies import Dependencies
from shared.jobs.errors import JobNotFoundError
from shared.jobs.estimate import Estimator
from shared.jobs.kept import KeptInfo, KeptStore
from shared.jobs.mend import Report
from shared.jobs.model import Job
from shared.jobs.pauses import Pause
from shared.jobs.purge import Purger, PurgeReport, Retention
from shared.jobs.repair import Repairer
from shared.jobs.runner import Runner
from shared.jobs.submit import Submitter
from shared.jobs.sweep import Sweeper
from shared.storage import Versioned


class Engine:
    """Durable jobs over the ports it is given."""

    def __init__(self, deps: Dependencies) -> None:
        self.deps = deps
        retention = Retention.of(deps.settings)
        self.vault = Vault(deps.documents, deps.clock, retention.vault)
        submitter = Submitter(deps)
        callbacks = Callbacks(deps, submitter)
        recorder = Recorder(deps, self.vault, callbacks)
        self._canceller = Canceller(deps, callbacks)
        self.children = Children(deps, submitter, self._canceller)
        runner = Runner(deps, self.vault, recorder, callbacks, self.children)
        self._purger = Purger(deps, self.vault, retention)
        self._sweeper = Sweeper(deps, callbacks)
        self._repairer = Repairer(deps, callbacks)
        self.replays = Replayer(deps, self.vault, submitter, callbacks)
        callbacks.tell_parent, self.children.replay = self.children.tell, self.replays.one
        self.replays.stop = self.children.cancel
        self.discards = Discarder(deps, self.vault)
        self.pauses = deps.pauses
        self.estimates = Estimator(deps)
        # What is done for every job goes there without a detour.
        self.submit = submitter.submit
        self.process = runner.process
        self.process_or_put_back = runner.process_or_put_back
        self.record = recorder.record
        self.record_or_put_back = recorder.record_or_put_back

    async def get(self, job_id: str) -> Versioned[Job]:
        """Return a job as its status blob has it, or raise JobNotFoundError."""
        current = await self.deps.status.read(job_id)
        if current is None:
            raise JobNotFoundError(f"there is no job {job_id}")
        return current

    async def kept(self, job: Job) -> list[KeptInfo]:
        """What is kept of a job's steps and effects, oldest first. One storage call for 5,000."""
        found = [info async for info in KeptStore(self.deps.blobs, self.deps.clock).of(job)]
        return sorted(found, key=lambda info: info.at)

    async def cancel(self, job_id: str, *, by: str | None = None) -> Versioned[Job]:
        """Cancel a queued job; ask a running one to stop at its next checkpoint. Children are cancelled with it.

        Raises:
            JobNotFoundError: there is no such job.
            InvalidTransitionError: it is final already.
        """
        return await self._canceller.cancel(await self.get(job_id), by)

    async def resume(self, kind: str) -> Pause:
        """Let a paused kind go on, and the jobs that have waited for it."""
        pause = await self.pauses.set(kind, paused=False)
        await self._sweeper.release(kind)
        return pause

    async def sweep(self) -> Report:
        """Look for what fell between two writes; see `Sweeper`."""
        return await self._sweeper.sweep()

    async def repair(self) -> Report:
        """Bring the index up to the status blobs; see `Repairer`."""
        return await self._repairer.repair()

    async def purge(self, artifacts: Iterable[str] = ()) -> PurgeReport:
        """Delete what has expired; see `Purger.purge`."""
        return await self._purger.purge(artifacts)
