"""Sources, their items and subscriptions: their routes."""

import azure.functions as func

from blueprints import http
from shared.domains.sources.api import api

bp = func.Blueprint()
http.serve(bp, api)
