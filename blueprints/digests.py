"""Digests: their routes."""

import azure.functions as func

from blueprints import http
from shared.domains.digests.api import api

bp = func.Blueprint()
http.serve(bp, api)
