"""Taste over HTTP: feedback becomes a ticket, a profile is shown or forgotten."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from shared.web.answers import Answer, tagged_answer
from shared.web.parameters import USER
from shared.web.requests import read_id, read_json, validating
from shared.web.routes import TICKET, Api, Call
from shared.web.rules import READ, SUBMIT, WRITE

if TYPE_CHECKING:
    from shared.app import App
    from shared.domains.taste.store import PriorStore

KIND = "taste-analysis"

api = Api(__name__, "taste", USER)


@api.route(
    "PostTasteFeedback", "POST taste/feedback", SUBMIT, {202: "shared.api.schemas:TicketView"}, body="feedback:TasteFeedback",
    headers=TICKET, samples=({"user_id": "ann", "item_id": "shirt-1", "signal": "up"},),
)  # fmt: skip
async def post_taste_feedback(app: App, call: Call) -> Answer:
    """Take a signal on an item: the first ticket, where the same signal on the same item came before."""
    from shared.api.views import ticket_answer
    from shared.domains.taste.feedback import TasteJob, read_feedback
    from shared.fetch import parse_allowed

    with validating():
        feedback = read_feedback(read_json(call.body), parse_allowed(app.settings.fetch_allowed_hosts))
    job = TasteJob(**dict(feedback), occurred_at=app.clock.now())
    ticket = await app.engine.submit(KIND, job, trace=call.trace)
    return await ticket_answer(app, ticket, call.api_url)


@api.route("GetTasteProfile", "GET taste/{user_id}", READ, {200: "views:TastePage", 304: None}, (422,))
async def get_taste_profile(app: App, call: Call) -> Answer:
    """A user's ranked tastes; those of everybody, for a user of whom nothing is known."""
    from shared.domains.taste.store import TasteStore
    from shared.domains.taste.views import profile_view

    user_id = read_id(call.path["user_id"], "user_id")
    profile = await TasteStore(app.documents, app.clock).read(user_id)
    view = profile_view(user_id, profile, await _priors(app).read())
    return tagged_answer(view, call.if_none_match)


@api.route("DeleteTaste", "DELETE taste/{user_id}", WRITE, {204: None}, (422,))
async def delete_taste(app: App, call: Call) -> Answer:
    """Forget a user: evidence and profile; jobs still in flight will add nothing from before."""
    from shared.domains.taste.store import TasteStore

    await TasteStore(app.documents, app.clock).erase(read_id(call.path["user_id"], "user_id"))
    return Answer(204)


@lru_cache(maxsize=1)
def _priors(app: App) -> PriorStore:
    """One for the process: it remembers the prior for some minutes."""
    from shared.domains.taste.store import PriorStore

    return PriorStore(app.documents, app.clock)
