"""Callbacks: the outcome of a job is told by a job of its own, exactly one for each life of the job.

A job that ended keeps its `watch_at` until that job is made, so that the sweep finds it whatever died in between. The
id of the callback's job is derived from the job that ended and its life: made twice, it is one.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from uuid import UUID

from shared.jobs.dependencies import LOG, Parts
from shared.jobs.errors import InvalidTransitionError
from shared.jobs.machine import CalledBack, apply
from shared.jobs.model import Job, about
from shared.jobs.store import Held
from shared.jobs.submit import Options, Submitter
from shared.jobs.tracing import traceparent
from shared.ports import StorageError

KIND = "webhook"
"""The kind of job that tells an outcome."""


class Callbacks:
    """Has outcomes told to those who asked for it."""

    def __init__(self, parts: Parts, submitter: Submitter) -> None:
        self._parts = parts
        self._submitter = submitter

    async def finish(self, held: Held) -> None:
        """Do what is left once an outcome is written: the callback, then the index. The sweep does what fails here."""
        try:
            held = await self.call(held)
        except StorageError as error:
            LOG.warning("callback left to the sweep: %s cause=%s", about(held.job), type(error).__name__)
        await self._parts.project(held.job)

    async def call(self, held: Held) -> Held:
        """Make the job that tells the outcome, if one is due, and return the job as it then is.

        Raises:
            StorageError: it may have been made or not; calling again is safe.
        """
        if not held.job.callback_due:
            return held
        callback_id = id_of(held.job)
        options = Options(job_id=callback_id, trace=traceparent(held.job))
        await self._submitter.submit(KIND, self._parts.callback(held.job), options)
        event = CalledBack(self._parts.clock.now(), held.job.replays, callback_id)
        try:
            return await self._parts.status.change(held, lambda job: apply(job, event))
        except InvalidTransitionError:  # somebody else told it meanwhile
            return await self._parts.status.read(held.job.job_id) or held


def id_of(job: Job) -> str:
    """The id of the job that tells the outcome of a job's present life."""
    return derived_id(job.due_at, f"{job.job_id}/{job.replays}")


def derived_id(moment: datetime, seed: str) -> str:
    """A UUIDv7 of the moment whose random bits come from a seed: the same whenever it is made, yet found among the recent."""
    digest = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:10], "big")
    high, low = digest >> 62 & 0xFFF, digest & (1 << 62) - 1
    return str(UUID(int=int(moment.timestamp() * 1000) << 80 | 7 << 76 | high << 64 | 2 << 62 | low))
