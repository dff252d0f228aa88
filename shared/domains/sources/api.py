"""Sources over HTTP: making, showing, changing, running and following them, and the items that they brought."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import TypeAdapter

from shared.api.views import ticket_answer
from shared.domains.items.store import ItemStore
from shared.domains.sources.health import next_due
from shared.domains.sources.model import Health, Source, SourceKind, source_id
from shared.domains.sources.requests import NewSource, SourceChanges, read_source
from shared.domains.sources.store import SourceStore
from shared.domains.sources.subscriptions import Subscriptions
from shared.domains.sources.views import item_view, source_view, subscription_view
from shared.domains.taste.feedback import Identifier
from shared.fetch import parse_allowed
from shared.jobs.errors import FieldProblem
from shared.jobs.submit import Options
from shared.ports import AlreadyExistsError, PreconditionError
from shared.storage import Versioned
from shared.web.answers import Answer, Problem, cached_answer, json_answer, matches, quoted
from shared.web.requests import invalid, read_choice, read_json, read_limit, read_model, read_moment, validating

if TYPE_CHECKING:
    from datetime import datetime

    from shared.app import App

SOURCE_ID = r"(reddit|rss|sitemap|brand_site)_[0-9a-f]{12}"
_NO_STORE = {"Cache-Control": "no-store"}
_OF_ONE_KIND = {"selectors": SourceKind.BRAND_SITE, "sort": SourceKind.REDDIT}
_WHAT_IS_READ = {"selectors", "sort", "currency", "tags"}
"""What changes the items that a source brings: then what its server calls unchanged is to be read all the same."""
_MAX_TRIES = 8
_identifier: TypeAdapter[str] = TypeAdapter(Identifier)


async def create(app: App, body: bytes, api_url: str) -> Answer:
    """Make a source: 201; 409 where its address is scraped already."""
    read_json(body)  # for its errors, which are more telling
    with validating():
        wanted = read_source(body.strip(), parse_allowed(app.settings.fetch_allowed_hosts))
    source = _made(wanted, app.clock.now())
    try:
        current = await SourceStore(app.documents).create(source)
    except AlreadyExistsError:
        raise Problem(409, "Conflict", f"this is a source already: {source.id}") from None
    return _shown(current, 201, {"Location": f"{api_url}/sources/{source.id}"})


async def list_all(app: App, params: Mapping[str, str]) -> Answer:
    """One page of sources, in the order of their ids."""
    sources, cursor = await SourceStore(app.documents).page(
        read_limit(params),
        params.get("cursor") or None,
        kind=read_choice(params, "kind", SourceKind),
        health=read_choice(params, "health", Health),
    )
    return json_answer({"items": [source_view(each) for each in sources], "cursor": cursor}, headers=_NO_STORE)


async def show(app: App, id: str, if_none_match: str | None) -> Answer:
    """A source with its health and its last run."""
    current = await _current(app, id)
    return cached_answer(source_view(current.value), current.etag, if_none_match)


async def change(app: App, id: str, body: bytes, if_match: str | None) -> Answer:
    """Change what is given; 412 where the client has seen an older version than is there (`If-Match`).

    To switch a source on makes it due at once, and forgets its failures.
    """
    given = read_model(SourceChanges, body).given

    def changed(source: Source) -> Source:
        return _changed(source, given, app.clock.now())

    return _shown(await _write(app, id, if_match, changed))


async def delete(app: App, id: str, if_match: str | None) -> Answer:
    """Delete a source; its items stay until they expire, and what it has shown is known again if it comes back."""
    current = await _current(app, id)
    _require_match(current, if_match)
    try:
        await SourceStore(app.documents).delete(id, current.etag if if_match else None)
    except PreconditionError:
        raise _stale() from None
    return Answer(204)


async def run(app: App, id: str, api_url: str, trace: str | None) -> Answer:
    """Scrape a source now, whether it is due, resting or switched off: 202 with a ticket."""
    await _current(app, id)
    ticket = await app.engine.submit("scrape-source", {"source_id": id, "force": True}, Options(trace=trace))
    return ticket_answer(ticket, api_url, max(1, await app.engine.estimates.remaining(ticket.job)))


async def list_items(app: App, params: Mapping[str, str]) -> Answer:
    """One page of items, newest first."""
    wanted = params.get("source")
    if wanted is not None and not re.fullmatch(SOURCE_ID, wanted):
        raise invalid((FieldProblem("source", "must be the id of a source"),))
    items, cursor = await ItemStore(app.documents, app.clock).page(
        read_moment(params, "since"), read_limit(params), params.get("cursor") or None, wanted
    )
    return json_answer({"items": [item_view(each) for each in items], "cursor": cursor}, headers=_NO_STORE)


async def list_subscriptions(app: App, user_id: str, params: Mapping[str, str]) -> Answer:
    """One page of the sources that a user follows."""
    subscriptions = Subscriptions(app.documents, app.clock)
    found, cursor = await subscriptions.page(_user(user_id), read_limit(params), params.get("cursor") or None)
    return json_answer({"items": [subscription_view(each) for each in found], "cursor": cursor}, headers=_NO_STORE)


async def subscribe(app: App, user_id: str, id: str) -> Answer:
    """Follow a source; 204, also where the user does already."""
    user = _user(user_id)
    await _current(app, id)
    await Subscriptions(app.documents, app.clock).add(user, id)
    return Answer(204)


async def unsubscribe(app: App, user_id: str, id: str) -> Answer:
    """Follow a source no longer; 204, also where the user did not, or the source is gone."""
    user = _user(user_id)
    _require_id(id)
    await Subscriptions(app.documents, app.clock).remove(user, id)
    return Answer(204)


def _made(wanted: NewSource, now: datetime) -> Source:
    label = wanted.label or (f"r/{wanted.subreddit}" if wanted.subreddit else urlsplit(wanted.url or "").netloc)
    given = wanted.model_dump(exclude={"label"}, mode="json")
    return Source(
        **given, label=label, id=source_id(wanted.kind, wanted.where), created_at=now, updated_at=now, due_at=now
    )  # fmt: skip


def _changed(source: Source, given: Mapping[str, Any], now: datetime) -> Source:
    if wrong := [name for name, kind in _OF_ONE_KIND.items() if name in given and source.kind is not kind]:
        raise invalid(
            tuple(FieldProblem(name, f"has no place in a source of the kind {source.kind}") for name in wrong)
        )
    changes: dict[str, Any] = {**given, "updated_at": now}
    if "active" in given:
        changes |= {"switched_off_reason": None}
        changes |= {"failures": 0, "due_at": now} if given["active"] else {}
    if "poll_interval_seconds" in given and source.last_run and "due_at" not in changes:
        every = source.model_copy(update={"poll_interval_seconds": given["poll_interval_seconds"]})
        changes |= {"due_at": next_due(every, source.last_run.at)}
    if _WHAT_IS_READ.intersection(given):
        changes |= {"etag": None, "last_modified": None}
    return Source.model_validate({**source.model_dump(), **_plain(changes)})


def _plain(changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.model_dump() if hasattr(value, "model_dump") else value for name, value in changes.items()}


async def _write(app: App, id: str, if_match: str | None, change: Callable[[Source], Source]) -> Versioned[Source]:
    """Write a change; where the scraper wrote meanwhile and the client did not say which version it means, again."""
    sources = SourceStore(app.documents)
    for _ in range(_MAX_TRIES):
        current = await _current(app, id)
        _require_match(current, if_match)
        with suppress(PreconditionError):
            return await sources.replace(change(current.value), current.etag)
    raise PreconditionError("the source is being changed too often")


async def _current(app: App, id: str) -> Versioned[Source]:
    _require_id(id)
    current = await SourceStore(app.documents).get(id)
    if current is None:
        raise _missing(id)
    return current


def _require_id(id: str) -> None:
    if not re.fullmatch(SOURCE_ID, id):
        raise _missing(id)


def _missing(id: str) -> Problem:
    return Problem(404, "Not found", f"there is no source {id[:40]}")


def _require_match(current: Versioned[Source], if_match: str | None) -> None:
    if if_match and not matches(if_match, quoted(current.etag)):
        raise _stale()


def _stale() -> Problem:
    return Problem(412, "Precondition failed", "the source has changed since: read it again, and decide again")


def _shown(current: Versioned[Source], status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    return json_answer(source_view(current.value), status, {"ETag": quoted(current.etag), **(headers or {})})


def _user(user_id: str) -> str:
    try:
        return _identifier.validate_python(user_id)
    except ValueError:
        raise invalid((FieldProblem("user_id", "must be a user's id"),)) from None
