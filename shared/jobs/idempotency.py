"""Idempotency keys: a request that is sent again gets the ticket of the first one, and makes no second job."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from shared.jobs.dedupe import Marker, Markers
from shared.jobs.dependencies import Dependencies
from shared.jobs.errors import InFlightError, KeyReusedError
from shared.jobs.kinds import Dedupe
from shared.jobs.model import Job
from shared.jobs.ticket import Ticket

IN_FLIGHT = timedelta(seconds=10)
"""How long the request that made a marker may take to make its job, before it is taken for dead."""
_SCOPE = "~idempotency"


@dataclass(frozen=True, slots=True)
class Key:
    """A client's key, what of the request it stands for, and how long it is remembered."""

    key: str
    fingerprint: str
    ttl_seconds: int


class Idempotency:
    """Lets each key make one job."""

    def __init__(self, deps: Dependencies, markers: Markers) -> None:
        self._deps = deps
        self._markers = markers

    async def once(self, job: Job, key: Key, take_in: Callable[[Job], Awaitable[Ticket]]) -> Ticket:
        """Take the job in, unless the key has a ticket already.

        Raises:
            KeyReusedError: the key was used for another request.
            InFlightError: the request that used it first is still at work.
        """
        marker = await self._own(job.job_id, key)
        if not marker.same:
            raise KeyReusedError
        if not marker.mine:
            first = await self._deps.status.read(marker.job_id)
            if first:
                return Ticket(first.value, first.etag, duplicate=True)
            self._wait_for_the_first(marker)
        ticket = await take_in(job.model_copy(update={"job_id": marker.job_id}))
        if ticket.job.job_id != marker.job_id:  # a dedupe key led to an earlier job: from now on this key does too
            await self._own(ticket.job.job_id, key, besides=marker.job_id)
        return ticket

    async def _own(self, job_id: str, key: Key, besides: str = "") -> Marker:
        what = Dedupe(key.key, key.fingerprint)
        return await self._markers.own(_SCOPE, what, key.ttl_seconds, job_id, besides=besides, for_good=True)

    def _wait_for_the_first(self, marker: Marker) -> None:
        """A marker without a job: its request is at work, or it died, and then whoever comes next makes the job."""
        age = self._deps.clock.now() - marker.made_at if marker.made_at else IN_FLIGHT
        if age < IN_FLIGHT:
            raise InFlightError((IN_FLIGHT - age).total_seconds())
