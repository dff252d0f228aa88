"""Submitting: marker, receipt, message, index, in this order. From the receipt on, the job cannot be lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack, overload

from pydantic import BaseModel, JsonValue
from uuid_utils import uuid7

from shared.jobs.concurrently import run_all
from shared.jobs.dedupe import Keys
from shared.jobs.dependencies import Dependencies
from shared.jobs.kinds import Dedupe, Kind, P, Policy
from shared.jobs.model import Entry, Job, Status
from shared.jobs.ticket import Options, Ticket


class Submitter:
    """Takes jobs in."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps
        self._keys = Keys(deps.documents, deps.clock, deps.status)

    @overload
    async def submit(self, kind: Kind[P], payload: P, **options: Unpack[Options]) -> Ticket: ...
    @overload
    async def submit(self, kind: str, payload: BaseModel | Mapping[str, Any], **options: Unpack[Options]) -> Ticket: ...
    async def submit(
        self, kind: Kind[Any] | str, payload: BaseModel | Mapping[str, Any], **options: Unpack[Options]
    ) -> Ticket:
        """Take a job in and return its ticket.

        Args:
            kind: the kind, or its name.
            payload: its payload; for a kind given by name also the JSON of one.
            **options: see `Options`.

        Raises:
            UnknownKindError: there is no such kind.
            InvalidPayloadError: the payload does not fit it.
            KeyReusedError: the idempotency key was used for another request.
            InFlightError: the request that used it first is still at work.
            StorageError: the job was not taken in; submitting again is safe.
        """
        known, policy, model, content = self._deps.kinds.accept(kind, payload)
        job, dedupe = self._draft(known, policy, content, options), _dedupe(known, policy, model, options)

        async def take_in(job: Job) -> Ticket:
            if dedupe is None:
                return await self._take_in(job)
            return await self._keys.once(job, dedupe, policy.dedupe_ttl_seconds, self._take_in)

        key = options.get("idempotency")
        return await (self._keys.once_for_request(job, key, take_in) if key else take_in(job))

    def _draft(self, kind: Kind[Any], policy: Policy, payload: dict[str, JsonValue], options: Options) -> Job:
        now = self._deps.clock.now()
        due = max(options.get("not_before") or now, now)
        return Job(
            job_id=options.get("job_id") or str(uuid7()),
            kind=kind.name,
            status=Status.QUEUED,
            version=1,
            priority=options.get("priority") or policy.priority,
            payload_version=kind.version,
            payload=payload,
            created_at=now,
            updated_at=now,
            due_at=due,
            watch_at=due,
            callback_url=options.get("callback_url"),
            trace=options.get("trace"),
            parent_id=options.get("parent_id"),
            parent_kind=options.get("parent_kind"),
            child_key=options.get("child_key"),
            overrides=options.get("overrides"),
            workflow=True if kind.parent else None,
            history=(Entry(at=now, event="submitted", attempt=0),),
        )

    async def _take_in(self, job: Job) -> Ticket:
        current, created = await self._deps.status.create(await self._deps.apart(job))
        if created:
            await run_all((self._deps.send_or_leave(current), self._deps.project(current.value)))
        return Ticket(current.value, current.etag, duplicate=not created)


def _dedupe(kind: Kind[Any], policy: Policy, payload: BaseModel, options: Options) -> Dedupe | None:
    if options.get("parent_id") or policy.dedupe_ttl_seconds <= 0:
        return None
    if (given := options.get("dedupe_key")) is not None:
        return Dedupe(f"given\n{given}")
    return kind.dedupe(payload) if kind.dedupe else None
