"""Taste over HTTP: feedback becomes a ticket, a profile is shown or forgotten."""

from __future__ import annotations

from dataclasses import asdict
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from shared.api.views import ticket_answer
from shared.domains.taste.feedback import Identifier, TasteJob, read_feedback
from shared.domains.taste.prior import Prior
from shared.domains.taste.profile import Profile
from shared.domains.taste.ranking import rank
from shared.domains.taste.store import PriorStore, TasteStore
from shared.fetch import parse_allowed
from shared.jobs.errors import FieldProblem
from shared.jobs.submit import Options
from shared.web.answers import Answer, tagged_answer
from shared.web.requests import invalid, read_json, validating

if TYPE_CHECKING:
    from shared.app import App

KIND = "taste-analysis"
_identifier: TypeAdapter[str] = TypeAdapter(Identifier)


async def take_feedback(app: App, body: bytes, api_url: str, trace: str | None) -> Answer:
    """202 with a ticket: the first one, where the same signal on the same item came before."""
    with validating():
        feedback = read_feedback(read_json(body), parse_allowed(app.settings.fetch_allowed_hosts))
    job = TasteJob(**dict(feedback), occurred_at=app.clock.now())
    ticket = await app.engine.submit(KIND, job, Options(trace=trace))
    return ticket_answer(ticket, api_url, max(1, await app.engine.estimates.remaining(ticket.job)))


async def show_profile(app: App, user_id: str, if_none_match: str | None) -> Answer:
    """A user's ranked tastes; those of everybody, for a user of whom nothing is known."""
    user_id = _user(user_id)
    profile = await TasteStore(app.documents, app.clock).read(user_id)
    prior = await _priors(app).read()
    view = _view(user_id, profile, prior)
    return tagged_answer(view, if_none_match)


async def forget_user(app: App, user_id: str) -> Answer:
    """204: evidence and profile are gone, and jobs still in flight will add nothing from before."""
    await TasteStore(app.documents, app.clock).erase(_user(user_id))
    return Answer(204)


@lru_cache(maxsize=1)
def _priors(app: App) -> PriorStore:
    """One for the process: it remembers the prior for some minutes."""
    return PriorStore(app.documents, app.clock)


def _user(user_id: str) -> str:
    try:
        return _identifier.validate_python(user_id)
    except ValueError:
        raise invalid((FieldProblem("user_id", "must be an id of at most 128 characters"),)) from None


def _view(user_id: str, profile: Profile, prior: Prior) -> dict[str, Any]:
    facets = {facet: [asdict(each) for each in ranked] for facet, ranked in rank(profile, prior).items()}
    evidence = {name: getattr(profile, name) for name in ("ups", "downs", "items", "oldest", "newest")}
    return {"user_id": user_id, "evidence": evidence, "others": {"users": prior.users}, "facets": facets}
