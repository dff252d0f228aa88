"""The dashboard: the routes of its page."""

import azure.functions as func

from blueprints import http
from shared.api.dashboard import api

bp = func.Blueprint()
http.serve(bp, api)
