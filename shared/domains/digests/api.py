"""Digests over HTTP: reading them, having one made, and feedback on a suggestion."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from shared.domains.digests.settings import DigestSettings
from shared.domains.digests.weeks import is_week, split_digest_id
from shared.web.answers import Answer, Problem, cached_answer, json_answer, matches, quoted
from shared.web.parameters import LIST, USER
from shared.web.requests import ID_PATTERN, read_id, read_limit, read_model, unfit
from shared.web.routes import TICKET, Api, Call, Parameter
from shared.web.rules import OPERATE, READ, WRITE

if TYPE_CHECKING:
    from shared.app import App
    from shared.domains.digests.store import DigestStore, Feedback, Record
    from shared.domains.digests.views import FeedbackView, SuggestionFeedback
    from shared.domains.taste.public import TasteJob

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


@api.route("ListDigests", "GET digests/{user_id}", READ, {200: "views:RecordPage"}, (422,), parameters=LIST)
async def list_digests(app: App, call: Call) -> Answer:
    """A user's digests, the newest first; the skipped ones too."""
    from shared.domains.digests.views import record_view

    cursor = call.query.get("cursor")
    if cursor and not is_week(cursor):
        raise unfit("cursor", "must be the cursor of a page before")
    user_id = read_id(call.path["user_id"], "user_id")
    records, cursor = await _store(app).page(user_id, read_limit(call.query), cursor or None)
    items = [record_view(record) for record in records]
    return json_answer({"items": items, "cursor": cursor}, headers={"Cache-Control": "no-store"})


@api.route(
    "GetLatestDigest", "GET digests/{user_id}/latest", READ, {200: "views:DigestView", 304: None}, (404, 422), parameters=(_FORMAT,)
)  # fmt: skip
async def get_latest_digest(app: App, call: Call) -> Answer:
    """A user's newest digest, as data or as a page."""
    return await _show(app, call, await _store(app).latest(read_id(call.path["user_id"], "user_id")))


@api.route(
    "GetDigest", "GET digests/{user_id}/{week:regex(^(?!latest$))}", READ, {200: "views:DigestView", 304: None}, (404, 422),
    parameters=(_FORMAT,),
)  # fmt: skip
async def get_digest(app: App, call: Call) -> Answer:
    """A user's digest of a week, as data or as a page; where it was skipped, a 404 says why."""
    user_id, week = read_id(call.path["user_id"], "user_id"), call.path["week"]
    if not is_week(week):
        raise unfit("week", "must be an ISO week such as 2026-W47")
    return await _show(app, call, await _store(app).get(user_id, week))


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
    from shared.domains.digests.views import SuggestionFeedback

    feedback, suggestion = await _suggested(app, call.path["digest_id"], read_model(SuggestionFeedback, call.body))
    if not await _store(app).hear(feedback):
        view: FeedbackView = {
            "digest_id": feedback.digest_id, "item_id": feedback.item_id, "signal": suggestion.signal
        }  # fmt: skip
        return json_answer(view)
    ticket = await app.engine.submit(_TASTE, suggestion, trace=call.trace)
    return await ticket_answer(app, ticket, call.api_url)


async def _suggested(app: App, name: str, given: SuggestionFeedback) -> tuple[Feedback, TasteJob]:
    """The feedback with what the digest says of the item: as it is kept, and as taste hears of it."""
    from shared.domains.digests.store import Feedback
    from shared.domains.taste.public import Item, TasteJob

    found = split_digest_id(name)
    if found is None:
        raise unfit("digest_id", "must be a digest's id, such as ann~2026-W47")
    user_id = read_id(found[0], "digest_id")
    digest = await _digest(app, await _store(app).get(user_id, found[1]))
    item = next((one for one in digest["suggestions"] if one["item_id"] == given.item_id), None)
    if item is None:
        raise unfit("item_id", "must be an item that the digest suggests")
    now = app.clock.now()
    feedback = Feedback(user_id, name, given.item_id, given.signal, now, item["title"], item["url"], item["facets"])
    words = Item(title=item["title"][:300], description=item["text"][:5000], keywords=_keywords(item))
    job = TasteJob(
        user_id=user_id, item_id=given.item_id, signal=given.signal, image_url=item["image_url"], item=words, occurred_at=now
    )  # fmt: skip
    return feedback, job


async def _digest(app: App, record: Record | None) -> dict[str, Any]:
    data = await _store(app).data(record) if record and record.made else None
    if data is None:
        raise Problem(404, "Not found", "there is no such digest")
    digest: dict[str, Any] = json.loads(data)
    return digest


async def _show(app: App, call: Call, record: Record | None) -> Answer:
    """A digest as JSON or as a page. One storage call, where the client holds it, and the record was found."""
    if record is None or not record.made:
        raise Problem(404, "Not found", (record and record.detail) or "there is no digest (yet)")
    page = _wants_page(call)
    tag = quoted(f"{record.fingerprint}{'-page' if page else ''}")
    if call.if_none_match and matches(call.if_none_match, tag):
        return Answer(304, headers={"ETag": tag, "Cache-Control": "no-cache", "Vary": "Accept"})
    return await (_page(app, record, tag) if page else _json(app, record, tag))


async def _json(app: App, record: Record, tag: str) -> Answer:
    return cached_answer(await _digest(app, record), tag, None, {"Vary": "Accept"})


async def _page(app: App, record: Record, tag: str) -> Answer:
    from shared.domains.digests.page import policy_of

    html = await _store(app).html(record)
    if html is None:
        raise Problem(404, "Not found", "there is no such page")
    policy = {"Content-Security-Policy": policy_of(html.decode())}
    headers = {"ETag": tag, "Cache-Control": "no-cache", **_PAGE_HEADERS, **policy}
    return Answer(200, html, headers, "text/html")


def _wants_page(call: Call) -> bool:
    """`?format=` decides; without it a browser's `Accept`, which names HTML before everything else."""
    given = call.query.get("format")
    if given is None:
        accepted = call.headers.get("accept", "").split(",")[0].split(";")[0].strip().lower()
        return accepted in ("text/html", "application/xhtml+xml")
    if given not in ("json", "html"):
        raise unfit("format", "must be json or html")
    return given == "html"


def _store(app: App) -> DigestStore:
    from shared.domains.digests.store import DigestStore

    return DigestStore(app.documents, app.blobs, app.clock, app.settings.of(DigestSettings).keep_days)


def _keywords(item: dict[str, Any]) -> list[str]:
    """The item's tags, and what was found in it: of a digest that is a year old, the item itself is gone."""
    found = [value for values in item["facets"].values() for value in values]
    return [word.strip()[:100] for word in dict.fromkeys((*item["tags"], *found)) if word.strip()][:50]
