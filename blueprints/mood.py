"""Moods: their timer, and moods over HTTP."""

from __future__ import annotations

import azure.functions as func

bp = func.Blueprint()
