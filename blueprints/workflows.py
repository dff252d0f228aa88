"""Workflows: their routes. Their runs are jobs, and travel on the jobs' queues."""

import azure.functions as func

from blueprints import http
from shared.api import workflows

bp = func.Blueprint()
http.serve(bp, workflows.api)
