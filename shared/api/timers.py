"""Timers over HTTP: how they do, what became of their occurrences, and running one by hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from shared.web.answers import Answer, Problem, json_answer, tagged_answer
from shared.web.parameters import AT, LIMIT, SINCE, UNTIL, WORD, pages_of_time
from shared.web.requests import read_choice, read_limit, read_model, read_moment, unfit
from shared.web.routes import TICKET, Api, Call, Parameter
from shared.web.rules import OPERATE, READ

if TYPE_CHECKING:
    from shared.app import App

api = Api(__name__, "timers", Parameter("name", "path", WORD, "The timer's name."))
_STATE = Parameter("state", "query", "shared.jobs.timers.occurrence:State", "Only in this state.")


@api.route("ListTimers", "GET timers", READ, {200: "timer_views:TimerList", 304: None})
async def list_timers(app: App, call: Call) -> Answer:
    """Every timer: its schedule, its last and next occurrence, and whether it is healthy."""
    from shared.api.timer_views import timer_view

    items = [timer_view(each) for each in await app.ledger.reports()]
    return tagged_answer({"items": items}, call.if_none_match)


@api.route(
    "ListOccurrences", "GET timers/{name}/occurrences", READ, {200: "timer_views:OccurrencePage"}, (404, 422), parameters=(_STATE, *pages_of_time(f"^{AT}$"))
)  # fmt: skip
async def list_occurrences(app: App, call: Call) -> Answer:
    """What became of a timer's occurrences, newest first."""
    from shared.api.timer_views import occurrence_view
    from shared.jobs.timers.occurrence import State

    wanted, after = read_choice(call.query, "state", State), call.query.get("cursor") or None
    since, until = read_moment(call.query, "since"), read_moment(call.query, "until")
    state, limit = State(wanted) if wanted else None, read_limit(call.query)
    with _known():
        found, cursor = await app.ledger.page(
            call.path["name"], limit, state=state, after=after, since=since, until=until
        )
    content = {"items": [occurrence_view(each) for each in found], "cursor": cursor}
    return json_answer(content, headers={"Cache-Control": "no-store"})


@api.route(
    "ListUpcoming", "GET timers/{name}/upcoming", READ, {200: "timer_views:UpcomingList"}, (404, 422), parameters=(SINCE, UNTIL, LIMIT)
)  # fmt: skip
async def list_upcoming(app: App, call: Call) -> Answer:
    """The moments at which a timer is due from now on, the next one first; without `until` those of a year."""
    from shared.storage import iso

    since = read_moment(call.query, "since") or app.clock.now()
    until = read_moment(call.query, "until") or app.clock.now() + timedelta(days=366)
    with _known():
        found = app.ledger.upcoming(call.path["name"], since, until, read_limit(call.query))
    return json_answer({"items": [{"scheduled_at": iso(each)} for each in found]})


@api.route(
    "RunTimer", "POST timers/{name}/run", OPERATE, {202: "schemas:TicketView"}, (404, 409), body="bodies:RunRequest", optional=True,
    headers=TICKET, samples=({"scheduled_for": "2026-11-16T09:00:00Z"},),
)  # fmt: skip
async def run_timer(app: App, call: Call) -> Answer:
    """Run a timer by hand, or make up a missed occurrence.

    422 where `scheduled_for` is no past moment of its schedule, 409 where that occurrence was run, and did not end well.
    """
    from shared.api.bodies import RunRequest
    from shared.api.views import ticket_answer

    wanted = read_model(RunRequest, call.body, optional=True)
    with _known():
        ticket = await app.ledger.run(call.path["name"], wanted.scheduled_for)
    return await ticket_answer(app, ticket, call.api_url)


@contextmanager
def _known() -> Iterator[None]:
    """Turn the ledger's refusals into problems."""
    from shared.jobs.timers.timer import NotAnOccurrenceError, TimerNotFoundError

    try:
        yield
    except TimerNotFoundError as error:
        raise Problem(404, "Not found", str(error)) from None
    except NotAnOccurrenceError as error:
        raise unfit("scheduled_for", str(error)) from None
