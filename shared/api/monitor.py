"""Watching the app over HTTP: whether it lives and is ready, its metrics, its statistics, its alarms."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from shared.web.answers import Answer, json_answer, tagged_answer
from shared.web.parameters import MOMENT
from shared.web.requests import read_moment, unfit
from shared.web.routes import Api, Call, Parameter
from shared.web.rules import OPEN, READ

if TYPE_CHECKING:
    from shared.app import App

_NO_STORE = {"Cache-Control": "no-store"}
_DAY, _LONGEST = timedelta(days=1), timedelta(days=400)
_FIRST = datetime.min.replace(tzinfo=UTC)

api = Api(__name__, "operation")
_SINCE = Parameter("since", "query", MOMENT, "From the hour of this moment on; a day before `until`.")
_UNTIL = Parameter("until", "query", MOMENT, "Until the hour of this moment; now.")


@api.route("Health", "GET health", OPEN, {200: "schemas:HealthView"})
async def health(app: App, call: Call) -> Answer:
    """Whether the app answers."""
    from shared.declarations import settings
    from shared.storage import iso

    del app, call
    return json_answer({"status": "alive", "timestamp": iso(datetime.now(UTC)), "worker_name": settings().worker_name})


@api.route("GetStatus", "GET status", READ, {200: "monitor_views:StatusView", 503: "monitor_views:StatusView"})
async def get_status(app: App, call: Call) -> Answer:
    """Whether the app can do its work (200) or not (503): every part can be loaded, and what it depends on answers."""
    from shared.api.monitor_views import status_view
    from shared.declarations import load_all
    from shared.monitor.workers import Heartbeats
    from shared.ports import StorageError

    del call
    await asyncio.to_thread(load_all)
    condition = await app.monitor.readiness.condition()
    try:
        workers = await Heartbeats(app.documents, app.clock).alive()
    except StorageError:
        workers = []  # the condition says that the documents do not answer
    return json_answer(status_view(condition, app.settings, workers), 200 if condition.ready else 503, _NO_STORE)


@api.route("GetMetrics", "GET metrics", READ, {200: None})
async def get_metrics(app: App, call: Call) -> Answer:
    """Metrics as OpenMetrics text."""
    from shared.monitor.openmetrics import CONTENT_TYPE

    del call
    return Answer(200, await app.monitor.metrics.page(), _NO_STORE, CONTENT_TYPE)


@api.route(
    "GetStats", "GET stats", READ, {200: "monitor_views:StatsView", 304: None}, (422,), parameters=(_SINCE, _UNTIL)
)
async def get_stats(app: App, call: Call) -> Answer:
    """What happened to jobs, hour by hour: of the last day, unless `since` and `until` say otherwise."""
    from shared.api.monitor_views import hour_view
    from shared.monitor.histogram import BOUNDS

    until = read_moment(call.query, "until") or app.clock.now()
    since = read_moment(call.query, "since") or max(until, _FIRST + _DAY) - _DAY
    if not timedelta(0) <= until - since <= _LONGEST:
        raise unfit("since", f"must be before `until`, by at most {_LONGEST.days} days")
    hours = [hour_view(hour) for hour in await app.stats.read(since, until)]
    return tagged_answer({"bounds": list(BOUNDS), "items": hours}, call.if_none_match)


@api.route("ListAlarms", "GET alarms", READ, {200: "monitor_views:AlarmList"})
async def list_alarms(app: App, call: Call) -> Answer:
    """The alarms, whether they are on, and why: at most a minute old."""
    from shared.monitor.alarms import Alarm
    from shared.monitor.watch import standing_view
    from shared.storage import iso

    del call
    board = await app.monitor.watch.board()
    items = [standing_view(alarm, board.of(alarm)) for alarm in Alarm]
    return json_answer({"evaluated_at": iso(board.at) if board.at else None, "items": items}, headers=_NO_STORE)
