"""Taste over HTTP: feedback in, profiles out, and forgetting."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict
from typing import Any, Protocol

from shared.fetch import parse_allowed
from shared.jobs.engine import Engine
from shared.jobs.errors import FieldProblem
from shared.jobs.submit import Options
from shared.ports import Clock, DocumentStore
from shared.settings import Settings
from shared.taste.feedback import IDENTIFIER, TasteJob, read_feedback
from shared.taste.prior import Prior
from shared.taste.profile import Profile, rank
from shared.taste.store import PriorStore, TasteStore
from shared.web.answers import Answer, cached_answer
from shared.web.requests import invalid, read_json, validating
from shared.web.views import ticket_answer

_PRIORS: dict[DocumentStore, PriorStore] = {}


class App(Protocol):
    """What of the app is used here."""

    @property
    def settings(self) -> Settings: ...  # noqa: D102
    @property
    def engine(self) -> Engine: ...  # noqa: D102
    @property
    def documents(self) -> DocumentStore: ...  # noqa: D102
    @property
    def clock(self) -> Clock: ...  # noqa: D102


async def take_feedback(app: App, body: bytes, base_url: str, trace: str | None) -> Answer:
    """Take a signal in: 202 with the ticket of its job, or of the job that the same signal got a while ago.

    Raises:
        Problem: the body does not fit; each field that does not is named, and no job is made.
    """
    content = read_json(body)
    with validating():
        feedback = read_feedback(content, parse_allowed(app.settings.fetch_allowed_hosts))
    job = TasteJob(**dict(feedback), occurred_at=app.clock.now())
    ticket = await app.engine.submit("taste-analysis", job, Options(trace=trace))
    return ticket_answer(ticket, base_url, app.settings.retry_after_seconds)


async def show_profile(app: App, user_id: str, if_none_match: str | None) -> Answer:
    """A user's ranked tastes with an ETag; what all users like, where the user is new. 304 where nothing changed."""
    _check(user_id)
    profile = await TasteStore(app.documents, app.clock).read(user_id)
    content = profile_view(user_id, profile, await _priors(app).read())
    etag = hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
    return cached_answer(content, etag, if_none_match)


async def forget_user(app: App, user_id: str) -> Answer:
    """Delete a user's evidence and profile: 204, also where there was none."""
    _check(user_id)
    await TasteStore(app.documents, app.clock).erase(user_id)
    return Answer(204)


def profile_view(user_id: str, profile: Profile, prior: Prior) -> dict[str, Any]:
    """How a profile looks from outside: the evidence it stands on, and for each facet the values, the most liked first."""
    evidence = {name: getattr(profile, name) for name in ("ups", "downs", "items", "oldest", "newest")}
    facets = {facet: [asdict(one) for one in ranked] for facet, ranked in rank(profile, prior).items()}
    return {"user_id": user_id, "evidence": evidence, "prior_users": prior.users, "facets": facets}


def _priors(app: App) -> PriorStore:
    """The prior of the app's store, remembered by this process."""
    return _PRIORS.setdefault(app.documents, PriorStore(app.documents, app.clock))


def _check(user_id: str) -> None:
    if not re.fullmatch(IDENTIFIER, user_id):
        raise invalid((FieldProblem("user_id", "must be 1 to 128 letters, digits or ._:@|+=-, the first not a mark"),))
