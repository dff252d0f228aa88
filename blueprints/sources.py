"""Sources, their items and subscriptions: their routes, and the timer that has them scraped."""

import azure.functions as func

from blueprints import http, timers
from shared.declarations import settings
from shared.domains.sources.api import api
from shared.domains.sources.settings import ScraperSettings

bp = func.Blueprint()
http.serve(bp, api)


@bp.function_name("PluckItScraper")
@bp.timer_trigger("timer", settings().of(ScraperSettings).scraper_schedule)
async def pluck_it_scraper(timer: func.TimerRequest) -> None:
    """Have every source scraped that is due."""
    await timers.tick(timer, "PluckItScraper")
