"""Whether the app is well: status, metrics, alarms."""

from __future__ import annotations

import azure.functions as func

bp = func.Blueprint()
