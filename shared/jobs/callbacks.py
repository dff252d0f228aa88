"""Telling outcomes.

To who asked for a callback, by a job of its own, exactly one for each life of the job; to the job that this one is a part of, at once,
by the worker that ended it. A job that ended keeps its `watch_at` until both is done, so that the sweep finds it whatever died in between. The
id of the callback's job is derived from the job that ended and its life: made twice, it is one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from shared.jobs.dependencies import Dependencies
from shared.jobs.errors import InvalidTransitionError
from shared.jobs.events import CalledBack, Event, Told
from shared.jobs.ids import derived_id
from shared.jobs.log import LOG, about
from shared.jobs.model import Job
from shared.jobs.submit import Submitter
from shared.jobs.tracing import traceparent
from shared.ports import StorageError
from shared.storage import Versioned

KIND = "webhook"
"""The kind of job that tells an outcome."""


class Callbacks:
    """Has outcomes told to those who asked for it."""

    def __init__(self, deps: Dependencies, submitter: Submitter) -> None:
        self._deps = deps
        self._submitter = submitter
        self.tell_parent: Callable[[Job], Awaitable[None]] = _nobody
        """Tells the job that another is a part of; it may be told the same more than once."""

    async def finish(self, current: Versioned[Job]) -> None:
        """Do what is left once an outcome is written: the callback, then the index. The sweep does what fails here."""
        try:
            current = await self.call(current)
        except StorageError as error:
            LOG.warning("outcome not told, left to the sweep: %s cause=%s", about(current.value), type(error).__name__)
        except Exception:
            if not current.value.tell_due:
                raise
            LOG.exception("outcome not told, left to the sweep: %s", about(current.value))  # no fault of this job
        await self._deps.project(current.value)

    async def call(self, current: Versioned[Job]) -> Versioned[Job]:
        """Tell the outcome to whom it is still to be told, and return the job as it then is.

        Raises:
            StorageError: it may have been told or not; calling again is safe.
        """
        if current.value.tell_due:
            await self.tell_parent(current.value)
            current = await self._note(current, Told(self._deps.clock.now(), current.value.replays))
        if not current.value.callback_due:
            return current
        callback_id = id_of(current.value)
        payload, trace = self._deps.callback(current.value), traceparent(current.value)
        await self._submitter.submit(KIND, payload, job_id=callback_id, trace=trace)
        return await self._note(current, CalledBack(self._deps.clock.now(), current.value.replays, callback_id))

    async def put_back(self, job: Job) -> None:
        """Tell the job that this one is a part of that it lives again: at once, so that it shows; its end will tell it, too."""
        if job.parent_kind is None:
            return
        try:
            await self.tell_parent(job)
        except Exception as error:  # noqa: BLE001 - see above
            LOG.warning("parent not told of a replay: %s cause=%s", about(job), type(error).__name__)

    async def _note(self, current: Versioned[Job], event: Event) -> Versioned[Job]:
        try:
            return await self._deps.status.change(current, event)
        except InvalidTransitionError:  # somebody else told it meanwhile
            return await self._deps.status.read(current.value.job_id) or current


async def _nobody(job: Job) -> None:
    raise LookupError(f"job {job.job_id} is a part of another, and nobody is there to tell it")


def id_of(job: Job) -> str:
    """The id of the job that tells the outcome of a job's present life."""
    return derived_id(job.due_at, f"{job.job_id}/{job.replays}")
