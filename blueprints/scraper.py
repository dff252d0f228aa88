"""The scraper: its timer, and sources, items and subscriptions over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import azure.functions as func

from blueprints.http import api_url, endpoint
from shared.declarations import settings
from shared.domains.sources.settings import ScraperSettings

if TYPE_CHECKING:
    from shared.web.answers import Answer

bp = func.Blueprint()
_SOURCES = "sources"
_SOURCE = "sources/{source_id}"
_RUN = "sources/{source_id}/run"
_FOLLOWED = "users/{user_id}/subscriptions"
_FOLLOW = "users/{user_id}/subscriptions/{source_id}"


@bp.function_name("PluckItScraper")
@bp.timer_trigger("timer", settings().of(ScraperSettings).scraper_schedule)
async def pluck_it_scraper(timer: func.TimerRequest) -> None:
    """Have every source scraped that is due."""
    from shared.bootstrap import app

    await app().ledger.tick("PluckItScraper", past_due=timer.past_due)


@bp.function_name("ListSources")
@bp.route(_SOURCES, methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def list_sources(req: func.HttpRequest) -> Answer:
    """Sources and how they fare, paged."""
    from shared.bootstrap import app
    from shared.domains.sources import api as sources

    return await sources.list_all(app(), req.params)


@bp.function_name("CreateSource")
@bp.route(_SOURCES, methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def create_source(req: func.HttpRequest) -> Answer:
    """Have something scraped."""
    from shared.bootstrap import app
    from shared.domains.sources import api as sources

    return await sources.create(app(), req.get_body(), api_url(req, _SOURCES))


@bp.function_name("GetSource")
@bp.route(_SOURCE, methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def get_source(req: func.HttpRequest) -> Answer:
    """A source and its last run."""
    from shared.bootstrap import app
    from shared.domains.sources import api as sources

    return await sources.show(app(), req.route_params["source_id"], req.headers.get("if-none-match"))


@bp.function_name("ChangeSource")
@bp.route(_SOURCE, methods=["PATCH"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def change_source(req: func.HttpRequest) -> Answer:
    """Change a source, or switch it on or off."""
    from shared.bootstrap import app
    from shared.domains.sources import api as sources

    return await sources.change(app(), req.route_params["source_id"], req.get_body(), req.headers.get("if-match"))


@bp.function_name("DeleteSource")
@bp.route(_SOURCE, methods=["DELETE"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def delete_source(req: func.HttpRequest) -> Answer:
    """Have something scraped no longer."""
    from shared.bootstrap import app
    from shared.domains.sources import api as sources

    return await sources.delete(app(), req.route_params["source_id"], req.headers.get("if-match"))


@bp.function_name("RunSource")
@bp.route(_RUN, methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def run_source(req: func.HttpRequest) -> Answer:
    """Scrape a source now: 202 with a ticket."""
    from shared.bootstrap import app
    from shared.domains.sources import api as sources

    source_id = req.route_params["source_id"]
    return await sources.run(app(), source_id, api_url(req, _RUN), req.headers.get("traceparent"))


@bp.function_name("ListItems")
@bp.route("items", methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def list_items(req: func.HttpRequest) -> Answer:
    """What was gathered, newest first, filtered and paged."""
    from shared.bootstrap import app
    from shared.domains.sources import api as sources

    return await sources.list_items(app(), req.params)


@bp.function_name("ListSubscriptions")
@bp.route(_FOLLOWED, methods=["GET"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def list_subscriptions(req: func.HttpRequest) -> Answer:
    """The sources that a user follows."""
    from shared.bootstrap import app
    from shared.domains.sources import api as sources

    return await sources.list_subscriptions(app(), req.route_params["user_id"], req.params)


@bp.function_name("Subscribe")
@bp.route(_FOLLOW, methods=["PUT"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def subscribe(req: func.HttpRequest) -> Answer:
    """Follow a source."""
    from shared.bootstrap import app
    from shared.domains.sources import api as sources

    return await sources.subscribe(app(), req.route_params["user_id"], req.route_params["source_id"])


@bp.function_name("Unsubscribe")
@bp.route(_FOLLOW, methods=["DELETE"], auth_level=func.AuthLevel.FUNCTION)
@endpoint
async def unsubscribe(req: func.HttpRequest) -> Answer:
    """Follow a source no longer."""
    from shared.bootstrap import app
    from shared.domains.sources import api as sources

    return await sources.unsubscribe(app(), req.route_params["user_id"], req.route_params["source_id"])
