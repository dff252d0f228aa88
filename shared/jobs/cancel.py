"""Cancelling: a queued job ends at once, a running one at its next checkpoint, and one made of jobs after these."""

from __future__ import annotations

from shared.jobs.callbacks import Callbacks
from shared.jobs.dependencies import Parts
from shared.jobs.machine import CancelRequested, apply
from shared.jobs.model import Status
from shared.jobs.store import Held


class Canceller:
    """Stops jobs."""

    def __init__(self, parts: Parts, callbacks: Callbacks) -> None:
        self._parts = parts
        self._callbacks = callbacks

    async def cancel(self, held: Held, by: str | None = None) -> Held:
        """Cancel a job, or ask it to stop; return it as it then is.

        Raises:
            InvalidTransitionError: it is final already.
        """
        event = CancelRequested(self._parts.clock.now(), by)
        held = await self._parts.status.change(held, lambda job: apply(job, event))
        if held.job.status is Status.QUEUED:  # it has children, which its next attempt stops: wake it
            await self._parts.send_or_leave(held)
        await self._callbacks.finish(held)
        return held
