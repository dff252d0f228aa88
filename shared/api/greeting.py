"""What the app says to whoever comes without a question: where to go; and its API as a page to read and try."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.api.dashboard import page
from shared.web.answers import Answer, json_answer
from shared.web.routes import Api, Call
from shared.web.rules import OPEN

if TYPE_CHECKING:
    from shared.api.schemas import GreetingView
    from shared.app import App

api = Api(__name__, "operation")
_PLACES = ("docs", "openapi.json", "dashboard", "health", "status", "jobs", "kinds", "dead-letters", "timers")


@api.route("Greet", "GET {nothing:maxlength(0)?}", OPEN, {200: "schemas:GreetingView"})
async def greet(app: App, call: Call) -> Answer:
    """What this is, and where to go from here."""
    del app
    content: GreetingView = {
        "name": "Nightshift",
        "says": "Durable background jobs. Read the docs, or look at the dashboard; all but those, openapi.json and health take a key.",
        "links": {place: f"{call.api_url}/{place}" for place in _PLACES},
    }
    return json_answer(content)


@api.route("Docs", "GET docs", OPEN, {200: None, 304: None})
async def docs(app: App, call: Call) -> Answer:
    """This API as a page for browsers: each operation with examples in three languages, to be tried."""
    del app
    return page("docs.html", call)
