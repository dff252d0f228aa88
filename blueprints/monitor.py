"""Watching the app: its health, its numbers and alarms, its queues, its timers, and what its API is."""

import azure.functions as func

from blueprints import http
from shared.api import greeting, monitor, openapi, problems, queues, timers

bp = func.Blueprint()
for api in (greeting.api, monitor.api, openapi.api, problems.api, queues.api, timers.api):
    http.serve(bp, api)
