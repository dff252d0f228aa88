"""A digest as an answer: as data or as a page, or as what the client holds already."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from shared.domains.digests.page import policy_of
from shared.domains.digests.settings import DigestSettings
from shared.domains.digests.store import DigestStore, Record
from shared.web.answers import Answer, Problem, cached_answer, matches, quoted
from shared.web.requests import unfit

if TYPE_CHECKING:
    from shared.app import App
    from shared.web.routes import Call

_PAGE_HEADERS = {"Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff", "Vary": "Accept"}


async def digest_of(app: App, record: Record | None) -> dict[str, Any]:
    """A digest's data, or a 404 problem."""
    data = await store_of(app).data(record) if record and record.made else None
    if data is None:
        raise Problem(404, "Not found", "there is no such digest")
    digest: dict[str, Any] = json.loads(data)
    return digest


async def answer(app: App, call: Call, record: Record | None) -> Answer:
    """A digest as JSON or as a page. One storage call, where the client holds it, and the record was found."""
    if record is None or not record.made:
        raise Problem(404, "Not found", (record and record.detail) or "there is no digest (yet)")
    page = _wants_page(call)
    tag = quoted(f"{record.fingerprint}{'-page' if page else ''}")
    if call.if_none_match and matches(call.if_none_match, tag):
        return Answer(304, headers={"ETag": tag, "Cache-Control": "no-cache", "Vary": "Accept"})
    return await (_page(app, record, tag) if page else _json(app, record, tag))


async def _json(app: App, record: Record, tag: str) -> Answer:
    return cached_answer(await digest_of(app, record), tag, None, {"Vary": "Accept"})


async def _page(app: App, record: Record, tag: str) -> Answer:
    html = await store_of(app).html(record)
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


def store_of(app: App) -> DigestStore:
    """The app's digests."""
    return DigestStore(app.documents, app.blobs, app.clock, app.settings.of(DigestSettings).keep_days)
