"""Digests over HTTP: reading them, having one made, and feedback on a suggestion."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NotRequired

from pydantic import BaseModel, ConfigDict, JsonValue, with_config
from typing_extensions import TypedDict

from shared.api.views import ticket_answer
from shared.domains.digests.page import policy_of
from shared.domains.digests.settings import DigestSettings
from shared.domains.digests.store import MADE, DigestStore, Feedback, Record
from shared.domains.digests.weeks import digest_id, is_week, split_digest_id
from shared.domains.taste.feedback import Item as Words
from shared.domains.taste.feedback import TasteJob
from shared.domains.users.api import known_user, read_id
from shared.domains.users.model import Identifier
from shared.jobs.errors import FieldProblem
from shared.jobs.submit import Options
from shared.web.answers import Answer, Problem, cached_answer, json_answer, matches, quoted
from shared.web.requests import invalid, read_limit, read_model

if TYPE_CHECKING:
    from shared.app import App

_CLOSED = ConfigDict(extra="forbid")
_TASTE = "taste-analysis"
_PAGE_HEADERS = {"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Vary": "Accept"}


class SuggestionFeedback(BaseModel):
    """The body of `POST /api/digests/{digest_id}/feedback`."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    item_id: Identifier
    signal: Literal["up", "down"]


@with_config(_CLOSED)
class RecordView(TypedDict):
    """What became of a user's digest of a week."""

    digest_id: str
    week: str
    state: Literal["made", "skipped"]
    until: str
    suggestions: int
    reason: NotRequired[str]
    detail: NotRequired[str]


@with_config(_CLOSED)
class RecordPage(TypedDict):
    """One page of digests, the newest week first."""

    items: list[RecordView]
    cursor: str | None


@with_config(ConfigDict(extra="allow"))
class DigestView(TypedDict):
    """A digest; docs/digest.md tells its fields."""

    digest_id: str
    user_id: str
    week: str
    suggestions: list[dict[str, JsonValue]]
    moods: list[dict[str, JsonValue]]
    feedback: dict[str, JsonValue]


@with_config(_CLOSED)
class FeedbackView(TypedDict):
    """Feedback that was taken."""

    digest_id: str
    item_id: str
    signal: Literal["up", "down"]


async def list_digests(app: App, user_id: str, params: Mapping[str, str]) -> Answer:
    """One page of a user's digests, the skipped ones too."""
    cursor = params.get("cursor")
    if cursor and not is_week(cursor):
        raise invalid((FieldProblem("cursor", "must be the cursor of a page before"),))
    records, cursor = await _store(app).page(read_id(user_id, "user_id"), read_limit(params), cursor or None)
    items = [_record_view(record) for record in records]
    return json_answer({"items": items, "cursor": cursor}, headers={"Cache-Control": "no-store"})


async def show_latest(app: App, user_id: str, params: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
    """A user's newest digest."""
    record = await _store(app).latest(read_id(user_id, "user_id"))
    return await _show(app, record, params, headers)


async def show_week(app: App, user_id: str, week: str, params: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
    """A user's digest of a week; 404 with the reason where it was skipped."""
    user_id, week = read_id(user_id, "user_id"), _week(week)
    return await _show(app, await _store(app).get(user_id, week), params, headers)


async def run(app: App, user_id: str, api_url: str, trace: str | None) -> Answer:
    """Have this week's digest made anew: 202 with a ticket."""
    user = await known_user(app, user_id)
    payload = {"user_id": user.user_id, "until": app.clock.now().isoformat(), "remake": True}
    ticket = await app.engine.submit("user-digest", payload, Options(trace=trace))
    return ticket_answer(ticket, api_url, max(1, await app.engine.estimates.remaining(ticket.job)))


async def take_feedback(app: App, name: str, body: bytes, api_url: str, trace: str | None) -> Answer:
    """Take a signal on a suggestion: 202 with the ticket of its taste job where there is one, else 200.

    Stored first: a client that got no answer repeats it, and the job is submitted then, if it was not.
    """
    feedback, suggestion = await _suggested(app, name, read_model(SuggestionFeedback, body))
    if not await _store(app).hear(feedback):
        view: FeedbackView = {"digest_id": name, "item_id": feedback.item_id, "signal": suggestion.signal}
        return json_answer(view)
    ticket = await app.engine.submit(_TASTE, suggestion, Options(trace=trace))
    return ticket_answer(ticket, api_url, max(1, await app.engine.estimates.remaining(ticket.job)))


async def _suggested(app: App, name: str, given: SuggestionFeedback) -> tuple[Feedback, TasteJob]:
    """The feedback with what the digest says of the item: as it is kept, and as taste hears of it."""
    found = split_digest_id(name)
    if found is None:
        raise invalid((FieldProblem("digest_id", "must be a digest's id, such as ann~2026-W47"),))
    user_id = read_id(found[0], "digest_id")
    digest = await _digest(app, await _store(app).get(user_id, found[1]))
    item = next((one for one in digest["suggestions"] if one["item_id"] == given.item_id), None)
    if item is None:
        raise invalid((FieldProblem("item_id", "must be an item that the digest suggests"),))
    now = app.clock.now()
    feedback = Feedback(user_id, name, given.item_id, given.signal, now, item["title"], item["url"], item["facets"])
    words = Words(title=item["title"][:300], description=item["text"][:5000], keywords=_keywords(item))
    job = TasteJob(
        user_id=user_id, item_id=given.item_id, signal=given.signal, image_url=item["image_url"], item=words, occurred_at=now
    )  # fmt: skip
    return feedback, job


async def _digest(app: App, record: Record | None) -> dict[str, Any]:
    data = await _store(app).data(record) if record and record.state == MADE else None
    if data is None:
        raise Problem(404, "Not found", "there is no such digest")
    digest: dict[str, Any] = json.loads(data)
    return digest


async def _show(app: App, record: Record | None, params: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
    """A digest as JSON or as a page. One storage call, where the client holds it, and the record was found."""
    if record is None or record.state != MADE:
        raise Problem(404, "Not found", (record and record.detail) or "there is no digest (yet)")
    page = _wants_page(params, headers)
    tag = quoted(f"{record.fingerprint}{'-page' if page else ''}")
    given = headers.get("if-none-match")
    if given and matches(given, tag):
        return Answer(304, headers={"ETag": tag, "Cache-Control": "no-cache", "Vary": "Accept"})
    return await (_page(app, record, tag) if page else _json(app, record, tag))


async def _json(app: App, record: Record, tag: str) -> Answer:
    return cached_answer(await _digest(app, record), tag, None, {"Vary": "Accept"})


async def _page(app: App, record: Record, tag: str) -> Answer:
    html = await _store(app).html(record)
    if html is None:
        raise Problem(404, "Not found", "there is no such page")
    policy = {"Content-Security-Policy": policy_of(html.decode())}
    headers = {"ETag": tag, "Cache-Control": "no-cache", **_PAGE_HEADERS, **policy}
    return Answer(200, html, headers, "text/html")


def _wants_page(params: Mapping[str, str], headers: Mapping[str, str]) -> bool:
    """`?format=` decides; without it a browser's `Accept`, which names HTML before everything else."""
    given = params.get("format")
    if given is None:
        accepted = headers.get("accept", "").split(",")[0].split(";")[0].strip().lower()
        return accepted in ("text/html", "application/xhtml+xml")
    if given not in ("json", "html"):
        raise invalid((FieldProblem("format", "must be json or html"),))
    return given == "html"


def _week(text: str) -> str:
    if not is_week(text):
        raise invalid((FieldProblem("week", "must be an ISO week such as 2026-W47"),))
    return text


def _store(app: App) -> DigestStore:
    return DigestStore(app.documents, app.blobs, app.clock, app.settings.of(DigestSettings).keep_days)


def _keywords(item: dict[str, Any]) -> list[str]:
    """The item's tags, and what was found in it: of a digest that is a year old, the item itself is gone."""
    found = [value for values in item["facets"].values() for value in values]
    return [word.strip()[:100] for word in dict.fromkeys((*item["tags"], *found)) if word.strip()][:50]


def _record_view(record: Record) -> RecordView:
    view: RecordView = {
        "digest_id": digest_id(record.user_id, record.week),
        "week": record.week,
        "state": "made" if record.state == MADE else "skipped",
        "until": record.until,
        "suggestions": record.suggestions,
    }
    if record.reason:
        view["reason"] = record.reason
    if record.detail:
        view["detail"] = record.detail
    return view
