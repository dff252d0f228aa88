"""Operations on the app itself."""

from __future__ import annotations

from typing import Any

from shared.api import monitor, schemas
from shared.web.operations.model import ETAG, MOMENT, Operation, Parameter

OPERATIONS: tuple[Operation, ...] = (
    Operation("Health", "get", "health", "Whether the app answers", "operation", {200: schemas.HealthView}),
    Operation(
        "GetStatus", "get", "status", "Whether the app can do its work", "operation",
        {200: monitor.StatusView, 503: monitor.StatusView},
    ),
    Operation("GetMetrics", "get", "metrics", "Metrics as OpenMetrics text", "operation", {200: None}, (503,)),
    Operation(
        "GetStats", "get", "stats", "What happened to jobs, hour by hour", "operation",
        {200: monitor.StatsView, 304: None}, (422, 503),
        (
            Parameter("since", "query", MOMENT, "From the hour of this moment on; a day before `until`."),
            Parameter("until", "query", MOMENT, "Until the hour of this moment; now."),
            ETAG,
        ),
        headers=("ETag",),
    ),
    Operation("ListAlarms", "get", "alarms", "The alarms, and whether they are on", "operation", {200: monitor.AlarmList}, (503,)),
    Operation(
        "GetOpenApi", "get", "openapi.json", "This document", "operation", {200: dict[str, Any], 304: None},
        parameters=(ETAG,), headers=("ETag",),
    ),
)  # fmt: skip
