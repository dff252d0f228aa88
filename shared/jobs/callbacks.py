"""Callbacks: the outcome of a job is told by a job of its own, exactly one for each life of the job.

A job that ended keeps its `watch_at` until that job is made, so that the sweep finds it whatever died in between. The
id of the callback's job is derived from the job that ended and its life: made twice, it is one.
"""

from __future__ import annotations

from shared.jobs.dependencies import Dependencies
from shared.jobs.errors import InvalidTransitionError
from shared.jobs.events import CalledBack
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

    async def finish(self, current: Versioned[Job]) -> None:
        """Do what is left once an outcome is written: the callback, then the index. The sweep does what fails here."""
        try:
            current = await self.call(current)
        except StorageError as error:
            LOG.warning("callback left to the sweep: %s cause=%s", about(current.value), type(error).__name__)
        await self._deps.project(current.value)

    async def call(self, current: Versioned[Job]) -> Versioned[Job]:
        """Make the job that tells the outcome, if one is due, and return the job as it then is.

        Raises:
            StorageError: it may have been made or not; calling again is safe.
        """
        if not current.value.callback_due:
            return current
        callback_id = id_of(current.value)
        payload, trace = self._deps.callback(current.value), traceparent(current.value)
        await self._submitter.submit(KIND, payload, job_id=callback_id, trace=trace)
        event = CalledBack(self._deps.clock.now(), current.value.replays, callback_id)
        try:
            return await self._deps.status.change(current, event)
        except InvalidTransitionError:  # somebody else told it meanwhile
            return await self._deps.status.read(current.value.job_id) or current


def id_of(job: Job) -> str:
    """The id of the job that tells the outcome of a job's present life."""
    return derived_id(job.due_at, f"{job.job_id}/{job.replays}")
