"""Cancelling: a queued job ends at once, a running one at its next checkpoint, and one made of jobs after these."""

from __future__ import annotations

from shared.jobs.callbacks import Callbacks
from shared.jobs.dependencies import Dependencies
from shared.jobs.events import CancelRequested
from shared.jobs.model import Job, Status
from shared.storage import Versioned


class Canceller:
    """Stops jobs."""

    def __init__(self, deps: Dependencies, callbacks: Callbacks) -> None:
        self._deps = deps
        self.callbacks = callbacks

    async def cancel(self, current: Versioned[Job], by: str | None = None) -> Versioned[Job]:
        """Cancel a job, or ask it to stop; return it as it then is.

        Raises:
            InvalidTransitionError: it is final already.
        """
        event = CancelRequested(self._deps.clock.now(), by)
        current = await self._deps.status.change(current, event)
        if current.value.status is Status.QUEUED:  # it has children, which its next attempt stops: wake it
            await self._deps.send_or_leave(current)
        await self.callbacks.finish(current)
        return current
