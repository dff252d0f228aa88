"""The jobs of digests: all users' of a week, and one user's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.domains.digests.making import DigestRequest, Made, Maker, Skipped
from shared.domains.digests.settings import DigestSettings
from shared.domains.users.public import Identifier, UserStore
from shared.jobs import Child, JobContext, Priority, fan_out, job


class WeeklyDigest(BaseModel):
    """The payload of a week's digests: the moment that they are for. What is found later belongs to the next week."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    scheduled_at: AwareDatetime


@job("weekly-digest")
async def make_digests(payload: WeeklyDigest, job: JobContext) -> dict[str, Any]:
    """Have every user's digest made, so many at the same time. Its tally says how many were made, and skipped for what."""
    until = payload.scheduled_at.isoformat()

    async def plan() -> AsyncIterator[Child]:
        async for user in UserStore(job.documents, job.clock).all():
            yield Child(user.user_id, "user-digest", {"user_id": user.user_id, "until": until})

    return await fan_out(job, plan, width=job.settings.of(DigestSettings).max_concurrency)


class UserDigest(BaseModel):
    """The payload of one digest: for whom, and for which moment, whose ISO week (UTC) is the digest's."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    user_id: Identifier
    until: AwareDatetime
    remake: bool = False
    """Make it anew where the week has one already, and of however little is new: for a run by hand."""


@job(
    "user-digest", priority=Priority.LOW, max_attempts=4, timeout_seconds=120,
)  # fmt: skip
async def make_digest(payload: UserDigest, job: JobContext) -> dict[str, Any]:
    """Make a user's digest of a week, or say why there is none. Safe to run twice: the digest is one, and the same."""
    maker = Maker(job.documents, job.blobs, job.clock, job.settings)
    outcome = await maker.make(DigestRequest(payload.user_id, payload.until, payload.remake, job.checkpoint))
    match outcome:
        case Made():
            return {"made": 1, "suggestions": outcome.suggestions, "digest_id": outcome.digest_id}
        case Skipped():
            return {"skipped": 1, outcome.reason: 1, "reason": outcome.reason, "detail": outcome.detail}
