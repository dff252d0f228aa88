"""Sources over HTTP: making, showing, changing, running and following them, and the items that they brought."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from shared.web.answers import Answer, Problem, cached_answer, json_answer, matches, quoted
from shared.web.parameters import AT, SINCE, USER, pages
from shared.web.requests import (
    read_choice,
    read_id,
    read_json,
    read_limit,
    read_model,
    read_moment,
    unfit,
    validating,
)
from shared.web.routes import TICKET, Api, Call, Parameter
from shared.web.rules import OPERATE, READ, WRITE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.app import App
    from shared.domains.sources.model import Source
    from shared.storage import Versioned

SOURCE_ID = r"(reddit|rss|sitemap|brand_site)_[0-9a-f]{12}"
_ID = {"type": "string", "pattern": f"^{SOURCE_ID}$"}
_NO_STORE = {"Cache-Control": "no-store"}

api = Api(__name__, "sources", USER, Parameter("source_id", "path", _ID, "The source's id."))
_KIND = Parameter("kind", "query", "model:SourceKind", "Only of this kind.")
_HEALTH = Parameter("health", "query", "model:Health", "Only those that fare so.")
_SOURCE = Parameter("source", "query", _ID, "Only what was found at this source.")
_IF_MATCH = Parameter("If-Match", "header", {"type": "string"}, "The ETag of the version that the client means.")


@api.route(
    "ListSources", "GET sources", READ, {200: "views:SourcePage"}, (422,), parameters=(_KIND, _HEALTH, *pages(f"^{SOURCE_ID}$"))
)  # fmt: skip
async def list_sources(app: App, call: Call) -> Answer:
    """Every source and how it fares, in the order of their ids."""
    from shared.domains.sources.model import Health, SourceKind
    from shared.domains.sources.store import SourceStore
    from shared.domains.sources.views import source_view

    sources, cursor = await SourceStore(app.documents).page(
        read_limit(call.query),
        call.query.get("cursor") or None,
        kind=read_choice(call.query, "kind", SourceKind),
        health=read_choice(call.query, "health", Health),
    )
    return json_answer({"items": [source_view(each) for each in sources], "cursor": cursor}, headers=_NO_STORE)


@api.route(
    "CreateSource", "POST sources", OPERATE, {201: "views:SourceView"}, (409,), body="requests:NewSource",
    headers=("ETag", "Location"), samples=({"kind": "reddit", "subreddit": "streetwear"},),
)  # fmt: skip
async def create_source(app: App, call: Call) -> Answer:
    """Have something scraped; 409 where its address is scraped already."""
    from shared.domains.sources.editing import created
    from shared.domains.sources.model import former_source_ids
    from shared.domains.sources.requests import read_source
    from shared.domains.sources.store import SourceStore
    from shared.fetch import parse_allowed
    from shared.ports import AlreadyExistsError

    read_json(call.body)  # for its errors, which are more telling
    with validating():
        wanted = read_source(call.body.strip(), parse_allowed(app.settings.fetch_allowed_hosts))
    source, sources = created(wanted, app.clock.now()), SourceStore(app.documents)
    for former in former_source_ids(wanted.kind, wanted.where):
        if await sources.get(former):
            raise Problem(409, "Conflict", f"this is a source already: {former}")
    try:
        current = await sources.create(source)
    except AlreadyExistsError:
        raise Problem(409, "Conflict", f"this is a source already: {source.id}") from None
    return _shown(current, 201, {"Location": f"{call.api_url}/sources/{source.id}"})


@api.route("GetSource", "GET sources/{source_id}", READ, {200: "views:SourceView", 304: None}, (404,))
async def get_source(app: App, call: Call) -> Answer:
    """A source with its health and its last run."""
    from shared.domains.sources.views import source_view

    current = await _current(app, call.path["source_id"])
    return cached_answer(source_view(current.value), current.etag, call.if_none_match)


@api.route(
    "ChangeSource", "PATCH sources/{source_id}", OPERATE, {200: "views:SourceView"}, (404, 412),
    parameters=(_IF_MATCH,), body="requests:SourceChanges", headers=("ETag",), samples=({"active": True},),
)  # fmt: skip
async def change_source(app: App, call: Call) -> Answer:
    """Change a source, or switch it on or off; 412 where `If-Match` means an older version.

    What is given changes. To switch a source on makes it due at once, and forgets its failures. Where the scraper wrote
    meanwhile, and the client did not say which version it means, the change is made to what is there now.
    """
    from shared.domains.sources.editing import changed
    from shared.domains.sources.requests import SourceChanges
    from shared.domains.sources.store import SourceStore
    from shared.storage import compare_and_swap

    given = read_model(SourceChanges, call.body).given

    @compare_and_swap("the source")
    async def change() -> Answer:
        current = await _current(app, call.path["source_id"])
        _require_match(current, call)
        source = changed(current.value, given, app.clock.now())
        return _shown(await SourceStore(app.documents).replace(source, current.etag))

    return await change()


@api.route(
    "DeleteSource", "DELETE sources/{source_id}", OPERATE, {204: None}, (404, 412), parameters=(_IF_MATCH,)
)  # fmt: skip
async def delete_source(app: App, call: Call) -> Answer:
    """Have something scraped no longer.

    Its items stay until they expire, and what it has shown is known again if it comes back.
    """
    from shared.domains.sources.store import SourceStore
    from shared.ports import PreconditionError

    current = await _current(app, call.path["source_id"])
    _require_match(current, call)
    try:
        await SourceStore(app.documents).delete(
            current.value.id, current.etag if call.headers.get("if-match") else None
        )
    except PreconditionError:
        raise _stale() from None
    return Answer(204)


@api.route(
    "RunSource", "POST sources/{source_id}/run", OPERATE, {202: "shared.api.schemas:TicketView"}, (404,), headers=TICKET
)  # fmt: skip
async def run_source(app: App, call: Call) -> Answer:
    """Scrape a source now, whether it is due, resting or switched off."""
    from shared.api.views import ticket_answer

    current = await _current(app, call.path["source_id"])
    payload = {"source_id": current.value.id, "force": True}
    ticket = await app.engine.submit("scrape-source", payload, trace=call.trace)
    return await ticket_answer(app, ticket, call.api_url)


@api.route(
    "ListItems", "GET items", READ, {200: "views:ItemPage"}, (422,), parameters=(SINCE, _SOURCE, *pages(rf"^{AT}\|[!-~]+$")), tag="items"
)  # fmt: skip
async def list_items(app: App, call: Call) -> Answer:
    """What was gathered, newest first."""
    from shared.domains.items.public import ItemStore
    from shared.domains.sources.views import item_view

    wanted = call.query.get("source")
    if wanted is not None and not re.fullmatch(SOURCE_ID, wanted):
        raise unfit("source", "must be the id of a source")
    items, cursor = await ItemStore(app.documents, app.clock).page(
        read_moment(call.query, "since"), read_limit(call.query), call.query.get("cursor") or None, wanted
    )
    return json_answer({"items": [item_view(each) for each in items], "cursor": cursor}, headers=_NO_STORE)


@api.route(
    "ListSubscriptions", "GET users/{user_id}/subscriptions", READ, {200: "views:SubscriptionPage"}, (422,), parameters=pages(f"^subscription:{SOURCE_ID}$")
)  # fmt: skip
async def list_subscriptions(app: App, call: Call) -> Answer:
    """The sources that a user follows."""
    from shared.domains.sources.subscriptions import Subscriptions
    from shared.domains.sources.views import subscription_view

    user = read_id(call.path["user_id"], "user_id")
    subscriptions = Subscriptions(app.documents, app.clock)
    found, cursor = await subscriptions.page(user, read_limit(call.query), call.query.get("cursor") or None)
    return json_answer({"items": [subscription_view(each) for each in found], "cursor": cursor}, headers=_NO_STORE)


@api.route("Subscribe", "PUT users/{user_id}/subscriptions/{source_id}", WRITE, {204: None}, (404, 422))
async def subscribe(app: App, call: Call) -> Answer:
    """Follow a source, if the user does not already."""
    from shared.domains.sources.subscriptions import Subscriptions

    user = read_id(call.path["user_id"], "user_id")
    current = await _current(app, call.path["source_id"])
    await Subscriptions(app.documents, app.clock).add(user, current.value.id)
    return Answer(204)


@api.route("Unsubscribe", "DELETE users/{user_id}/subscriptions/{source_id}", WRITE, {204: None}, (404, 422))
async def unsubscribe(app: App, call: Call) -> Answer:
    """Follow a source no longer: safe to repeat, also when the source is gone."""
    from shared.domains.sources.subscriptions import Subscriptions

    user = read_id(call.path["user_id"], "user_id")
    await Subscriptions(app.documents, app.clock).remove(user, _required_id(call.path["source_id"]))
    return Answer(204)


async def _current(app: App, source_id: str) -> Versioned[Source]:
    from shared.domains.sources.store import SourceStore

    current = await SourceStore(app.documents).get(_required_id(source_id))
    if current is None:
        raise _missing(source_id)
    return current


def _required_id(text: str) -> str:
    if not re.fullmatch(SOURCE_ID, text):
        raise _missing(text)
    return text


def _missing(source_id: str) -> Problem:
    return Problem(404, "Not found", f"there is no source {source_id[:40]}")


def _require_match(current: Versioned[Source], call: Call) -> None:
    if_match = call.headers.get("if-match")
    if if_match and not matches(if_match, quoted(current.etag)):
        raise _stale()


def _stale() -> Problem:
    return Problem(412, "Precondition failed", "the source has changed since: read it again, and decide again")


def _shown(current: Versioned[Source], status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    from shared.domains.sources.views import source_view

    return json_answer(source_view(current.value), status, {"ETag": quoted(current.etag), **(headers or {})})
