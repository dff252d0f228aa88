"""Digests over HTTP: reading them, having one made, and feedback on a suggestion."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.domains.digests.weeks import is_week
from shared.web.answers import Answer, json_answer
from shared.web.parameters import USER, pages
from shared.web.requests import ID_PATTERN, read_id, read_limit, read_model, unfit
from shared.web.routes import TICKET, Api, Call, Parameter
from shared.web.rules import OPERATE, READ, WRITE

if TYPE_CHECKING:
    from shared.app import App
    from shared.domains.digests.views import FeedbackView

_WEEK = r"\d{4}-W\d{2}"
_TASTE = "taste-analysis"
_PAGE_HEADERS = {"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Vary": "Accept"}

api = Api(
    __name__,
    "digests",
    USER,
    Parameter("week", "path", {"type": "string", "pattern": f"^{_WEEK}$"}, "An ISO week, such as 2026-W47."),
    Parameter(
        "digest_id", "path", {"type": "string", "pattern": f"^{ID_PATTERN}~{_WEEK}$"},
        "The digest's id: user and week, such as ann~2026-W47.",
    ),
)  # fmt: skip
_FORMAT = Parameter(
    "format", "query", {"type": "string", "enum": ["json"], "default": "json"},
    "`html` answers the page in place of the data, as an `Accept` that begins with `text/html` does.",
)  # fmt: skip


@api.route(
    "ListDigests",
    "GET digests/{user_id}",
    READ,
    {200: "views:RecordPage"},
    (422,),
    parameters=pages("^[0-9]{4}-W[0-9]{2}$"),
)
async def list_digests(app: App, call: Call) -> Answer:
    """A user's digests, the newest first; the skipped ones too."""
    from shared.domains.digests import showing
    from shared.domains.digests.views import record_view

    cursor = call.query.get("cursor")
    if cursor and not is_week(cursor):
        raise unfit("cursor", "must be the cursor of a page before")
    user_id = read_id(call.path["user_id"], "user_id")
    records, cursor = await showing.store_of(app).page(user_id, read_limit(call.query), cursor or None)
    items = [record_view(record) for record in records]
    return json_answer({"items": items, "cursor": cursor}, headers={"Cache-Control": "no-store"})


@api.route(
    "GetLatestDigest", "GET digests/{user_id}/latest", READ, {200: "views:DigestView", 304: None}, (404, 422), parameters=(_FORMAT,)
)  # fmt: skip
async def get_latest_digest(app: App, call: Call) -> Answer:
    """A user's newest digest, as data or as a page."""
    from shared.domains.digests import showing

    return await showing.answer(app, call, await showing.store_of(app).latest(read_id(call.path["user_id"], "user_id")))


@api.route(
    "GetDigest", "GET digests/{user_id}/{week:regex(^(?!latest$))}", READ, {200: "views:DigestView", 304: None}, (404, 422),
    parameters=(_FORMAT,),
)  # fmt: skip
async def get_digest(app: App, call: Call) -> Answer:
    """A user's digest of a week, as data or as a page; where it was skipped, a 404 says why."""
    from shared.domains.digests import showing

    user_id, week = read_id(call.path["user_id"], "user_id"), call.path["week"]
    if not is_week(week):
        raise unfit("week", "must be an ISO week such as 2026-W47")
    return await showing.answer(app, call, await showing.store_of(app).get(user_id, week))


@api.route(
    "RunDigest", "POST digests/{user_id}/run", OPERATE, {202: "shared.api.schemas:TicketView"}, (404, 422), headers=TICKET
)  # fmt: skip
async def run_digest(app: App, call: Call) -> Answer:
    """Make this week's digest of a user anew."""
    from shared.api.views import ticket_answer
    from shared.domains.users.public import known_user

    user = await known_user(app, call.path["user_id"])
    payload = {"user_id": user.user_id, "until": app.clock.now().isoformat(), "remake": True}
    ticket = await app.engine.submit("user-digest", payload, trace=call.trace)
    return await ticket_answer(app, ticket, call.api_url)


@api.route(
    "PostDigestFeedback", "POST digests/{digest_id}/feedback", WRITE,
    {200: "views:FeedbackView", 202: "shared.api.schemas:TicketView"}, (404,), body="views:SuggestionFeedback",
    samples=({"item_id": "0f8c5a1e7d3b", "signal": "up"},),
)  # fmt: skip
async def post_digest_feedback(app: App, call: Call) -> Answer:
    """Take a signal on a suggestion: 202 with the ticket of its taste job where there is one, else 200.

    Stored first: a client that got no answer repeats it, and the job is submitted then, if it was not.
    """
    from shared.api.views import ticket_answer
    from shared.domains.digests import showing
    from shared.domains.digests.suggestions import suggested
    from shared.domains.digests.views import SuggestionFeedback

    feedback, suggestion = await suggested(app, call.path["digest_id"], read_model(SuggestionFeedback, call.body))
    if not await showing.store_of(app).hear(feedback):
        view: FeedbackView = {
            "digest_id": feedback.digest_id, "item_id": feedback.item_id, "signal": suggestion.signal
        }  # fmt: skip
        return json_answer(view)
    ticket = await app.engine.submit(_TASTE, suggestion, trace=call.trace)
    return await ticket_answer(app, ticket, call.api_url)
