"""The site over HTTP: its pages, for everybody; its editions, and going back to one, for operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.web.answers import Answer, Problem, cached_answer, json_answer
from shared.web.requests import read_model
from shared.web.routes import TICKET, Api, Call, Parameter
from shared.web.rules import OPEN, OPERATE, READ

if TYPE_CHECKING:
    from shared.app import App

api = Api(
    __name__,
    "site",
    Parameter(
        "path", "path", {"type": "string", "pattern": "^[A-Za-z0-9._/-]{1,200}$"}, "The page's path; left out, the front page."
    ),
    Parameter(
        "edition_id", "path", {"type": "string", "pattern": "^(current|[0-9]{8}T[0-9]{6}-[0-9a-f]{12}-[0-9]+)$"},
        "The edition's id, as the list of editions has it; `current` for reading the one that is shown.",
    ),
)  # fmt: skip


@api.route("GetSitePage", "GET site/{*path}", OPEN, {200: None, 304: None, 308: None}, (404,))
async def get_site_page(app: App, call: Call) -> Answer:
    """A page of the published site, its feeds and its style among them."""
    from shared.domains.site import showing

    return await showing.answer(app, call)


@api.route("HeadSitePage", "HEAD site/{*path}", OPEN, {200: None, 304: None, 308: None}, (404,))
async def head_site_page(app: App, call: Call) -> Answer:
    """What a page of the published site would be answered with, without the page."""
    from shared.domains.site import showing

    return (await showing.answer(app, call))._replace(body=b"")


@api.route("ListSiteEditions", "GET site-editions", READ, {200: "views:EditionsView", 304: None})
async def list_site_editions(app: App, call: Call) -> Answer:
    """The editions that are kept, the newest first; which is shown, and whether it is held."""
    from shared.domains.site.showing import reader_of
    from shared.domains.site.views import editions_view

    shown = await reader_of(app).editions.shown()
    return cached_answer(editions_view(shown.value), shown.etag or "none", call.if_none_match)


@api.route("GetSiteEdition", "GET site-editions/{edition_id}", READ, {200: "views:EditionView"}, (404,))
async def get_site_edition(app: App, call: Call) -> Answer:
    """One edition; `current` names the one that is shown."""
    from shared.domains.site.showing import reader_of
    from shared.domains.site.views import edition_view

    shown = (await reader_of(app).editions.shown()).value
    asked = call.path["edition_id"]
    edition = shown.edition(shown.current if asked == "current" else asked)
    if edition is None:
        raise Problem(404, "Not found", "there is no such edition (any more)")
    return json_answer(edition_view(edition, shown), headers={"Cache-Control": "no-store"})


@api.route(
    "PublishSite", "POST site-editions", OPERATE, {202: "shared.api.schemas:TicketView"}, headers=TICKET
)  # fmt: skip
async def publish_site(app: App, call: Call) -> Answer:
    """Publish what there is, at once; an edition that is held is let go."""
    from shared.api.views import ticket_answer

    ticket = await app.engine.submit("publish-site", {"release": True}, trace=call.trace)
    return await ticket_answer(app, ticket, call.api_url)


@api.route(
    "ShowSiteEdition", "POST site-editions/{edition_id}/show", OPERATE, {200: "views:EditionsView"}, (404,), body="views:GoBack",
    optional=True, samples=({"hold": True},),
)  # fmt: skip
async def show_site_edition(app: App, call: Call) -> Answer:
    """Go back to an edition, or forward again: it is shown from now on."""
    from shared.domains.site.copying import copied
    from shared.domains.site.editions import UnknownEditionError
    from shared.domains.site.showing import reader_of
    from shared.domains.site.views import GoBack, editions_view

    asked = read_model(GoBack, call.body, optional=True)
    reader = reader_of(app)
    try:
        shown = await reader.editions.go_back(call.path["edition_id"], hold=asked.hold)
    except UnknownEditionError:
        raise Problem(404, "Not found", "there is no such edition (any more)") from None
    await copied(app)
    return json_answer(editions_view(reader.saw(shown)))
