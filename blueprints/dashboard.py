"""The dashboard, and what only it asks for."""

from __future__ import annotations

import azure.functions as func

bp = func.Blueprint()
