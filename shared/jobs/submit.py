"""Submitting: marker, receipt, message, index, in this order. From the receipt on, the job cannot be lost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from uuid_utils import uuid7

from shared.jobs import dedupe
from shared.jobs.concurrently import run_all
from shared.jobs.dependencies import Dependencies
from shared.jobs.envelope import fits
from shared.jobs.idempotency import Idempotency
from shared.jobs.kinds import Dedupe, Kind
from shared.jobs.model import Entry, Job, Status
from shared.jobs.ticket import Options, Ticket
from shared.storage import Versioned

__all__ = ["Options", "Submitter", "Ticket", "to_json"]


class Submitter:
    """Takes jobs in."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps
        self._markers = dedupe.Markers(deps.documents, deps.clock)
        self._idempotency = Idempotency(deps, self._markers)

    async def submit(self, kind: str, payload: BaseModel | Mapping[str, Any], options: Options | None = None) -> Ticket:
        """Take a job in and return its ticket.

        Raises:
            UnknownKindError: there is no such kind.
            InvalidPayloadError: the payload does not fit it.
            KeyReusedError: the idempotency key was used for another request.
            InFlightError: the request that used it first is still at work.
            StorageError: the job was not taken in; submitting again is safe.
        """
        known = self._deps.kinds[kind]
        model = payload if isinstance(payload, known.payload) else known.parse(dict(payload), known.version)
        options = options or Options()
        job, what = self._draft(known, model, options), self._dedupe(known, model, options)

        async def take_in(job: Job) -> Ticket:
            return await self._once(job, what) if what else await self._take_in(job)

        return await (
            self._idempotency.once(job, options.idempotency, take_in) if options.idempotency else take_in(job)
        )

    def _dedupe(self, kind: Kind[Any], payload: BaseModel, options: Options) -> Dedupe | None:
        if options.parent_id or self._deps.kinds.policy(kind.name).dedupe_ttl_seconds <= 0:
            return None
        if options.dedupe_key is not None:
            return Dedupe(f"given\n{options.dedupe_key}")
        return kind.dedupe(payload) if kind.dedupe else None

    def _draft(self, kind: Kind[Any], payload: BaseModel, options: Options) -> Job:
        now = self._deps.clock.now()
        due = max(options.not_before or now, now)
        return Job(
            job_id=options.job_id or str(uuid7()),
            kind=kind.name,
            status=Status.QUEUED,
            version=1,
            priority=options.priority or self._deps.kinds.policy(kind.name).priority,
            payload_version=kind.version,
            payload=payload.model_dump(mode="json", exclude_none=True),
            created_at=now,
            updated_at=now,
            due_at=due,
            watch_at=due,
            callback_url=options.callback_url,
            trace=options.trace,
            parent_id=options.parent_id,
            history=(Entry(at=now, event="submitted", attempt=0),),
        )

    async def _once(self, job: Job, what: Dedupe) -> Ticket:
        """Take the job in unless its key already has one; a marker whose job was never made is adopted."""
        ttl = self._deps.kinds.policy(job.kind).dedupe_ttl_seconds
        job = job.model_copy(update={"dedupe_id": dedupe.id_of(job.kind, what.key)})
        marker = await self._markers.own(job.kind, what, ttl, job.job_id)
        if not marker.mine:
            first = await self._deps.status.read(marker.job_id)
            if first and first.value.status is not Status.CANCELLED:
                return Ticket(first.value, first.etag, duplicate=True)
            if first:
                marker = await self._markers.own(job.kind, what, ttl, job.job_id, besides=marker.job_id)
        return await self._take_in(job.model_copy(update={"job_id": marker.job_id}))

    async def _take_in(self, job: Job) -> Ticket:
        if not fits(job, job.created_at):
            job = await self._with_payload_apart(job)
        current, created = await self._deps.status.create(job)
        if created:
            await self._announce(current)
        return Ticket(current.value, current.etag, duplicate=not created)

    async def _announce(self, current: Versioned[Job]) -> None:
        await run_all((self._deps.send_or_leave(current), self._deps.project(current.value)))

    async def _with_payload_apart(self, job: Job) -> Job:
        name = await self._deps.status.put_payload(job.job_id, to_json(job.payload or {}))
        return job.model_copy(update={"payload": None, "payload_blob": name})


def to_json(payload: Mapping[str, Any]) -> bytes:
    """A payload as its own blob holds it."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
