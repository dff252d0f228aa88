"""The site: its pages and its editions."""

import azure.functions as func

from blueprints import http
from shared.domains.site.api import api

bp = func.Blueprint()
http.serve(bp, api)
