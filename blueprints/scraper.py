"""The scraper: its timer, and sources over HTTP."""

from __future__ import annotations

import azure.functions as func

bp = func.Blueprint()
