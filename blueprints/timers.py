"""Timers: what they did, and running one by hand."""

from __future__ import annotations

import azure.functions as func

bp = func.Blueprint()
